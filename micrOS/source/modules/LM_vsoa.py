"""The node as a VSOA server, and questions to other servers.

RPC /<module>/<function> runs a load module: param a list or a dict of its arguments, reply its text as {"result": ...}.
/bus/<topic> publishes what the bus tells to who subscribed, a DATAGRAM there goes onto the bus.
"""
import json

from micropython import const

from ConfigHandler import cfgget
from TaskManager import manager
import vsoa
from vsoa.ground import wire

_TAG = const("vsoa.server")
_PORT = const(3005)
_BUS = const("/bus/")
_FAILED = const(128)           # status, the first of those that an application may choose
_CALL_S = const(5)
_MOST_TEXTS = const(32)        # of a subscription
_servers = []


def load(port=_PORT, password=None):
    """Serve on this port. password: None: `appwd` if `auth` is on, else none; "" none"""
    if manager().get(_TAG) and manager().get(_TAG).active:
        return "VSOA is up"
    if password is None:
        password = cfgget("appwd") if cfgget("auth") else ""
    server = vsoa.Server({"name": cfgget("devfid"), "id": cfgget("hwuid")}, password)
    server.command("/")(_call)
    server.ondata = _to_bus
    _servers[:] = [server]
    manager().start(_TAG, _serve(server, port))
    return "VSOA on port {}".format(port)


def stop():
    """Serve no more."""
    for server in _servers:
        server.close()
    _servers[:] = []
    return "VSOA is off"


def status():
    """Clients, and what was dropped for want of room."""
    if not _servers:
        return {"up": False}
    server = _servers[0]
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
    if not _servers:
        raise ValueError("nobody serves: vsoa load")
    return str(_servers[0].publish(url, vsoa.Payload(param)))


async def subscribe(server, url, seconds=10, password=""):
    """What a server tells on a url for so many seconds. server: vsoa://host:port; seconds: 1-60"""
    import asyncio
    if not 1 <= seconds <= 60:
        raise ValueError("subscribe takes seconds=1-60, got {}".format(seconds))
    client, heard = vsoa.Client(), []

    def keep(_, url, payload, is_quick):
        if len(heard) < _MOST_TEXTS:
            heard.append("{}: {}".format(url, payload.param if payload.data is None else payload.data))

    client.onmessage = keep
    code = await client.connect(server, password, _CALL_S)
    if code:
        return "no connection: {}".format(_CODES[code])
    try:
        client.subscribe(url)
        await asyncio.sleep(seconds)
    finally:
        client.close()
    return "\n".join(heard) or "nothing"


def help():
    return ("load port=3005 password=None", "stop", "status", "call vsoa://host:port/path param=None",
            "publish url param=None", "subscribe vsoa://host:port url seconds=<1-60>")


_CODES = ("", "no connection", "unreachable", "not found", "silent", "no VSOA", "wrong password", "no TLS")


async def _serve(server, port):
    import sys_bus
    sys_bus.subscribe(sys_bus.ANY, _from_bus)
    try:
        await server.run("0.0.0.0", port)
    finally:
        sys_bus.unsubscribe(sys_bus.ANY, _from_bus)


def _from_bus(topic, message):
    for server in _servers:
        url = _BUS + str(topic)
        if server.is_subscribed(url):
            server.publish(url, vsoa.Payload({"message": _json(message)}))


def _json(value):
    """value if JSON has a place for it, else its text."""
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)


def _to_bus(client, url, payload, is_quick):
    if url.startswith(_BUS) and len(url) > len(_BUS):
        import sys_bus
        message = payload.param
        sys_bus.publish(url[len(_BUS):], message.get("message") if isinstance(message, dict) else message)


async def _call(client, request, payload):
    """Run `module function arguments` as the shell would."""
    parts = request.url.split("/")
    if len(parts) != 3 or not parts[1] or not parts[2]:
        client.reply(request.seqno, None, wire.INVALID_URL)
        return
    words = [parts[1], parts[2]] + _arguments(payload.param)
    from Modules import CallError
    said = []
    try:
        answer = manager().modules.call(words, False, said.append)
        answer = answer if isinstance(answer, str) else await answer
        client.reply(request.seqno, vsoa.Payload({"result": "\n".join(said + [answer])}))
    except CallError as error:
        client.reply(request.seqno, vsoa.Payload({"error": str(error)}), _FAILED)


def _arguments(param):
    """Words of the shell that mean these arguments."""
    if isinstance(param, dict):
        return ["{}={}".format(name, json.dumps(value)) for name, value in param.items()]
    if isinstance(param, list):
        return [json.dumps(value) for value in param]
    return [] if param is None else [json.dumps(param)]
