"""The node as a VSOA server, and questions to other servers.

RPC /<module>/<function> runs a load module: param a list or a dict of its arguments, reply its text as {"result": ...}.
/conf/<key> GET and SET a setting, /file/<path> GET and SET a file over a stream. /bus/<topic> publishes what the bus
tells to who subscribed, a DATAGRAM there goes onto the bus. What fails has status 128 and {"error": ...}.
"""

from micropython import const

from Common import once
from ConfigHandler import cfgget
from pure.lazy import unload
from TaskManager import manager
import vsoa
from vsoa.ground import wire

_TAG = const("vsoa.server")
_BUS = const("/bus/")
_CONF = const("/conf/")
_FILE = const("/file/")
_FAILED = const(128)           # status, the first of those that an application may choose
_CALL_S = const(5)
_MOST_TEXTS = const(32)        # of a subscription


class Node:
    """server: the one that serves now; port: where, 0: nowhere; password: None: that of the shell, where it asks"""

    def __init__(self):
        self.server = self.password = None
        self.port = 0
        self._hears = False              # the bus; a node without subscribers does not load it

    async def run(self):
        try:
            while self.port:
                self.server = self._made()
                await self.server.run("0.0.0.0", self.port)
        finally:
            self.server, self.port = None, 0
            if self._hears:
                import sys_bus
                sys_bus.unsubscribe(sys_bus.ANY, self._heard)
                self._hears = False

    def _made(self):
        server = vsoa.Server({"name": cfgget("devfid"), "id": cfgget("hwuid")}, self.wanted)
        for url, handler in ((_CONF, _room), (_FILE, _room), ("/", _call)):
            server.command(url)(handler)
        server.onclient, server.ondata = self._met, _to_bus
        return server

    def wanted(self):
        """The password that clients have to know, "" for none."""
        if self.password is None:
            return cfgget("appwd") if cfgget("auth") else ""
        return self.password

    def _met(self, client, is_connected):
        client.onsubscribe = self._listen

    def _listen(self, client, urls):
        if not self._hears and any(url == "/" or url.startswith(_BUS) for url in urls):
            import sys_bus
            sys_bus.subscribe(sys_bus.ANY, self._heard)
            self._hears = True

    def _heard(self, topic, message):
        url = _BUS + str(topic)
        if self.server and self.server.is_subscribed(url):
            self.server.publish(url, vsoa.Payload({"message": _json(message)}))


@once
def _node():
    return Node()


def load(port=None, password=None):
    """Serve. port: None: `vsoaport`; password: None: `appwd` if `auth` is on, else none; "" none"""
    node = _node()
    if node.port:
        return "VSOA is up"
    node.port, node.password = port or cfgget("vsoaport"), password
    manager().start(_TAG, node.run())        # one that is about to end goes on instead
    return "VSOA on port {}".format(node.port)


def stop():
    """Serve no more."""
    _node().port = 0
    if _node().server:
        _node().server.close()
    return "VSOA is off"


def status():
    """Clients, and what was dropped for want of room."""
    server = _node().server
    if not server:
        return {"up": False}
    return {"up": True, "clients": len(server.clients()), "refused": server.refused, "dropped": server.dropped,
            "strange": server.strange}


async def call(url, param=None, password=""):
    """Ask a server once: url vsoa://host:port/path; param: list, dict or text"""
    header, payload, code = await vsoa.fetch(url, password, payload=vsoa.Payload(param), timeout=_CALL_S)
    if code:
        return "no reply: {}".format(_CODES[code])
    said = payload.param if payload.data is None else (payload.param, payload.data)
    return "{} {}".format(header.status, said) if header.status else str(said)


def publish(url, param=None):
    """Tell our own subscribers."""
    if not _node().server:
        raise ValueError("nobody serves: vsoa load")
    return str(_node().server.publish(url, vsoa.Payload(param)))


async def subscribe(server, url, seconds=10, password=""):
    """What a server tells on a url for so many seconds, 32 texts at most. server: vsoa://host:port; seconds: 1-60"""
    import asyncio
    from vsoa.records import checked
    checked(url)
    if not 1 <= seconds <= 60:
        raise ValueError("subscribe takes seconds=1-60, got {}".format(seconds))
    client, heard, full = vsoa.Client(), [], asyncio.Event()

    def keep(_, url, payload, is_quick):
        if len(heard) < _MOST_TEXTS:
            heard.append("{}: {}".format(url, payload.param if payload.data is None else payload.data))
        else:
            full.set()

    client.onmessage = keep
    code = await client.connect(server, password, _CALL_S)
    if code:
        return "no connection: {}".format(_CODES[code])
    try:
        client.subscribe(url)
        await asyncio.wait_for(full.wait(), seconds)
    except asyncio.TimeoutError:
        pass
    finally:
        client.close()
    return "\n".join(heard) or "nothing"


def help():
    return ("load port=None password=None", "stop", "status", "call vsoa://host:port/path param=None",
            "publish url param=None", "subscribe vsoa://host:port url seconds=<1-60>")


_CODES = ("", "no connection", "unreachable", "not found", "silent", "no VSOA", "wrong password", "no TLS")


def _json(value):
    """value if JSON has a place for it, else its text."""
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)


def _to_bus(client, url, payload, is_quick):
    if url.startswith(_BUS) and len(url) > len(_BUS):
        import sys_bus
        message = payload.param
        sys_bus.publish(url[len(_BUS):], message.get("message") if isinstance(message, dict) else message)


def _room(client, request, payload):
    """/conf/ and /file/ are seldom asked for: what answers there is in memory only then."""
    try:
        from vsoa.rooms import enter
        param, status, tunid = enter(_node(), manager().modules, client, request, payload)
        client.reply(request.seqno, vsoa.Payload(param), status, tunid)
    except MemoryError:
        client.reply(request.seqno, None, wire.NO_MEMORY)
    finally:
        unload("vsoa.rooms")


async def _call(client, request, payload):
    """Run `module function arguments` as the shell would."""
    parts = request.url.split("/")
    if len(parts) != 3 or not parts[1] or not parts[2]:
        client.reply(request.seqno, None, wire.INVALID_URL)
        return
    from Modules import CallError
    from pure.things import written
    words = [parts[1], parts[2]] + written(payload.param)
    said = []
    try:
        answer = manager().modules.call(words, False, said.append)
        answer = answer if isinstance(answer, str) else await answer
        client.reply(request.seqno, vsoa.Payload({"result": "\n".join(said + [answer])}))
    except CallError as error:
        client.reply(request.seqno, vsoa.Payload({"error": str(error)}), _FAILED)
