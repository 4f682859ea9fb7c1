"""A VSOA client: one connection to a server, its requests, and what the server tells."""
import asyncio
from struct import unpack_from

from . import ground
from .ground import wire
from .outbox import Outbox
from .records import Header, checked, parts, received

CONNECT_OK, CONNECT_ERROR, CONNECT_UNREACHABLE, SERVER_NOT_FOUND = 0, 1, 2, 3
SERVER_NO_RESPONDING, SERVER_INVALID_RESPONDING, INVALID_PASSWD, TLS_HANDSHAKE_FAILED = 4, 5, 6, 7
_REQUEST_S = 60
_TICK_S = 0.1                  # how exact the time-out of a request is


class Client:
    """raw: params stay bytes

    Hooks, functions or coroutine functions: onconnect(client, is_connected, info), onmessage(client, url, payload,
    is_quick) for publications, ondata(client, url, payload, is_quick) for datagrams.
    """

    CONNECT_OK, CONNECT_ERROR, CONNECT_UNREACHABLE, SERVER_NOT_FOUND = 0, 1, 2, 3
    SERVER_NO_RESPONDING, INVALID_RESPONDING, INVALID_PASSWD, SSL_HS_FAILED = 4, 5, 6, 7

    def __init__(self, raw=False):
        self.onconnect = self.onmessage = self.ondata = None
        self.state = "idle"              # wire.CLIENT
        self.id = None
        self.wanted = []                 # subscriptions that a robot renews
        self.peer = None                 # (host, port) of the server
        self.idle = True                 # nothing came since a robot looked
        self.ended = None                # asyncio.Event that a robot waits for
        self._robot, self.is_robot = None, False         # the second between robot() and close()
        self._raw = raw
        self._out = self._udp = self._quick = self._tls = None
        self._tasks, self._jobs = [], []
        self._pending = {}               # number: (callback, kind, end in ms, new subscriptions) of requests
        self._asked, self._unasked = -1, 0
        self._ticker = None

    @property
    def connected(self):
        return self.state == "up"

    @property
    def pendings(self):
        return len(self._pending)

    @ground.waiting
    async def connect(self, url, passwd="", timeout=10, sslopt=None):
        """0, or what went wrong: CONNECT_ERROR and the like. url: `vsoa://host[:port]`, a name is looked up."""
        return await self.link(url, passwd, timeout, sslopt)

    async def link(self, url, passwd="", timeout=10, sslopt=None):
        """connect(), for who shares our loop."""
        self.drop()
        self.state = wire.after(wire.CLIENT, self.state, "connect")
        try:
            code = await asyncio.wait_for(self._connect(url, passwd, sslopt), timeout)
        except asyncio.TimeoutError:
            code = CONNECT_UNREACHABLE if self.state == "linking" else SERVER_NO_RESPONDING
        except OSError:
            code = CONNECT_ERROR
        except BaseException:
            self.drop()
            raise
        if code:
            self.drop()
        return code

    async def _connect(self, url, passwd, sslopt):
        """Code as that of connect(). Raises OSError."""
        self.peer = await _place(url)
        if self.peer is None:
            return SERVER_NOT_FOUND
        link = await ground.connected(*self.peer)
        self._out = Outbox(link)
        if sslopt is not None:
            from .tls import client_side
            self._tls = client_side(sslopt, self.peer[0])
            try:
                self._out.link = await self._tls(link)
            except (OSError, ValueError):
                return TLS_HANDSHAKE_FAILED
        self.state = wire.after(wire.CLIENT, self.state, "linked")
        return await self._greet(passwd, sslopt is not None)

    async def _greet(self, passwd, is_secure):
        self._udp = None if is_secure else ground.Datagrams("::" if ":" in self.peer[0] else "", 0)
        if not self._out.send(wire.encode(
                wire.SERVINFO, wire.TUNNEL if self._udp else 0, tunid=self._udp.port if self._udp else 0,
                param=wire.encoded({"passwd": passwd}) if passwd else b"")):
            return TLS_HANDSHAKE_FAILED if is_secure else CONNECT_ERROR
        await self._out.drained()        # TLS of a board shakes hands on the way: nobody may read meanwhile
        if self._out.is_closed:
            return TLS_HANDSHAKE_FAILED if is_secure else CONNECT_ERROR
        receiver, packets = wire.Receiver(ground.PACKET_BYTES), []
        while not packets:
            data = await self._out.link.receive()
            packets = receiver.feed(data)
            if not data or receiver.broken:
                return SERVER_NO_RESPONDING if not data else SERVER_INVALID_RESPONDING
        return self._welcome(packets, receiver)

    def _welcome(self, packets, receiver):
        kind, flags, status, _, _, _, param, data = packets[0]
        if kind == wire.SERVINFO and flags & wire.REPLY and status == wire.PASSWORD:
            return INVALID_PASSWD
        if kind != wire.SERVINFO or not flags & wire.REPLY or status or len(data) < 4:
            return SERVER_INVALID_RESPONDING
        self.id = unpack_from(">I", data)[0]
        port = unpack_from(">H", data, 4)[0] if len(data) >= 6 else self.peer[1]
        if self._udp:
            self._quick = ground.address(self.peer[0], port)
            self._tasks.append(asyncio.create_task(self._hear_quick(self._udp, ground.sender(self._quick))))
        self.state = wire.after(wire.CLIENT, self.state, "welcome")
        if self.wanted and self.is_robot:
            self._request(wire.SUBSCRIBE, param=wire.encoded(self.wanted))
        self._tasks.append(asyncio.create_task(self._hear(receiver, packets[1:])))
        self._call(self.onconnect, self, True, wire.decoded(param))
        return CONNECT_OK

    @ground.quick
    def disconnect(self):
        """End the connection; a robot connects again."""
        self.drop()

    @ground.quick
    def close(self):
        """End the connection, and a robot with it."""
        robot, self._robot, self.is_robot = self._robot, None, False
        if robot and robot is not ground.current_task():
            robot.cancel()
        self.drop()

    @ground.waiting
    async def run(self):
        """Return when the connection is over."""
        await self.over()

    async def over(self):
        while self.state == "up" or self.is_robot:
            await asyncio.sleep(_TICK_S)

    def robot(self, server, passwd="", keepalive=3, conn_timeout=10, reconn_delay=1, sslopt=None):
        """Be connected, for ever: connect, ask every keepalive seconds whether the server is there, connect again.

        Subscriptions are renewed before onconnect(client, True, info). Returns at once.
        """
        if keepalive < 0.05:
            raise ValueError("keepalive is 0.05 s or more, got {}".format(keepalive))
        self._begin_robot(server, passwd, keepalive, conn_timeout, reconn_delay, sslopt)

    def robot_ping_turbo(self, turbo, max_cnt=50):
        """Kept for its name: what is asked here leaves at once, and silence is no traffic to wait behind. True."""
        return True

    @ground.quick
    def call(self, url, method=0, payload=None, callback=None, timeout=_REQUEST_S):
        """Ask; callback(client, header, payload) gets the reply, None and None after timeout seconds.

        method: 0, 1, "get" or "set". False when there is no connection.
        """
        param, data = parts(payload)
        return self._request(wire.RPC, checked(url), param, data, callback, timeout, _flags(method))

    @ground.waiting
    async def fetch(self, url, method=0, payload=None, timeout=_REQUEST_S):
        """(Header, Payload, 0); (None, None, code) when there is no connection or no reply in timeout seconds."""
        return await self.ask(url, method, payload, timeout)

    async def ask(self, url, method=0, payload=None, timeout=_REQUEST_S):
        """fetch(), for who shares our loop."""
        answered, kept = asyncio.Event(), []

        def keep(_, header, payload):
            kept.append((header, payload))
            answered.set()

        param, data = parts(payload)
        if not self._request(wire.RPC, checked(url), param, data, keep, timeout, _flags(method)):
            return None, None, CONNECT_ERROR
        await answered.wait()
        header, payload = kept[0]
        return header, payload, CONNECT_OK if header else SERVER_NO_RESPONDING

    @ground.quick
    def ping(self, callback=None, timeout=_REQUEST_S):
        """callback(client, is_there). Without one only a sign of life is sent. False when there is no connection."""
        return self._request(wire.PINGECHO if callback else wire.NOOP, callback=callback, timeout=timeout)

    @ground.quick
    def subscribe(self, url, callback=None, timeout=_REQUEST_S):
        """url: one or a list, `/a/` means all below /a; callback(client, is_done). False: there is no connection.

        A robot renews it at each connection, unless the server refuses it.
        """
        new = [one for one in _urls(url) if one not in self.wanted and str(one)[:1] == "/"]
        self.wanted += new
        return self._about(wire.SUBSCRIBE, url, callback, timeout, new)

    @ground.quick
    def unsubscribe(self, url, callback=None, timeout=_REQUEST_S):
        self.wanted = [one for one in self.wanted if one not in _urls(url)]
        return self._about(wire.UNSUBSCRIBE, url, callback, timeout)

    @ground.quick
    def datagram(self, url, payload=None, quick=False):
        """False when it is not on its way. quick: over UDP, without TLS only"""
        param, data = parts(payload)
        checked(url)
        if self.state != "up":
            return False
        packet = wire.encode(wire.DATAGRAM, 0, 0, self.id if quick else 0, 0, url, param, data)
        if not quick:
            return self._send(packet)
        return self._quick is not None and len(packet) <= wire.MOST_UDP_BYTES and self._udp.send(packet, self._quick)

    @ground.quick
    def create_stream(self, tunid, onlink, ondata=None, timeout=10.0):
        """The Stream that a server offers with the tunid of its reply."""
        from .streams import joined
        return joined(self, self.peer[0], tunid, onlink, ondata, timeout, self._tls)

    def sendtimeout(self, timeout):
        """Kept for its name: nothing here waits in order to send."""

    def linger(self, time=0):
        """How many seconds an end may take to deliver what was sent. False: there is no connection, or a board's."""
        return self.state == "up" and ground.linger(self._out.link.raw, time)

    def getpeercert(self, binary=False):
        """The server's certificate as a dict, binary: as DER bytes; None without TLS."""
        return ground.peer_certificate(self._out.link, binary) if self._out else None

    # -- below

    @ground.quick
    def _begin_robot(self, *how):
        from .robot import keep_connected
        if self._robot:
            self._robot.cancel()
        self.is_robot = True
        self._robot = ground.spawn(self, keep_connected(self, *how))

    def drop(self):
        """End the connection now."""
        was_up, self.state = self.state == "up", wire.after(wire.CLIENT, self.state, "closed")
        if self.ended:
            self.ended.set()
        own = ground.current_task()
        for task in self._tasks + self._jobs + [self._ticker]:
            if task and task is not own:
                task.cancel()
        self._tasks, self._jobs, self._ticker = [], [], None
        if self._out:
            self._out.close()
        if self._udp:
            self._udp.close()
        self._out = self._udp = self._quick = None
        for callback, kind, _, _ in list(self._pending.values()):
            self._tell(callback, kind, None)
        self._pending = {}
        if was_up:
            self._call(self.onconnect, self, False, None)

    def _about(self, kind, url, callback, timeout, new=()):
        if isinstance(url, str):
            return self._request(kind, url, callback=callback, timeout=timeout, new=new)
        return self._request(kind, param=wire.encoded(url), callback=callback, timeout=timeout, new=new)

    def _request(self, kind, url="", param=b"", data=b"", callback=None, timeout=_REQUEST_S, flags=0, new=()):
        """False: it did not leave, and nobody will be called back."""
        if self.state != "up":
            return False
        if callback or new:
            number = self._asked = wire.seqno_asked(self._asked, self._pending)
        else:
            number = self._unasked = wire.seqno_unasked(self._unasked)
        if not self._send(wire.encode(kind, flags, 0, number, 0, url, param, data)):
            return False
        if callback or new:
            self._pending[number] = callback, kind, ground.later_ms(timeout), new
            if self._ticker is None:
                self._ticker = asyncio.create_task(self._expire())
        return True

    def _send(self, packet):
        if self._out.waiting + len(packet) > ground.QUEUE_BYTES and self._out.waiting:
            return False
        if self._out.send(packet):
            return True
        self.drop()
        return False

    async def _expire(self):
        while self._pending:
            await asyncio.sleep(_TICK_S)
            for number, (callback, kind, end_ms, _) in list(self._pending.items()):
                if not ground.left_s(end_ms):
                    self._pending.pop(number, None)
                    self._tell(callback, kind, None)
        self._ticker = None

    async def _hear(self, receiver, packets):
        """What the server says, to the end; packets: came with its greeting"""
        link = self._out.link
        try:
            while True:
                for packet in packets:
                    self._take(packet)
                if receiver.broken or self.state != "up" or link is not self._out.link:
                    break
                data = await link.receive()
                if not data:
                    break
                self.idle = False
                packets = receiver.feed(data)
        except OSError:
            pass
        except Exception as error:       # outer wall: what a server says must not end more than its connection
            ground.blame("client", error)
        if self._out and link is self._out.link:
            self.drop()

    async def _hear_quick(self, udp, server):
        """server: (address, port) that alone is listened to"""
        while True:
            try:
                data, peer = await udp.receive()
                packet = wire.datagram(data)
            except (ValueError, OSError):
                continue
            if peer == server and packet[0] in (wire.PUBLISH, wire.DATAGRAM):
                self._told(packet, True)

    def _take(self, packet):
        kind, flags, status, number = packet[:4]
        if kind == wire.PUBLISH or kind == wire.DATAGRAM:
            self._told(packet, False)
        elif kind == wire.QOSSETUP:
            self._mark(status)
        elif flags & wire.REPLY:
            callback, asked, _, new = self._pending.pop(number, (None, None, None, ()))
            if status and new:
                self.wanted = [one for one in self.wanted if one not in new]
            if callback:
                self._tell(callback, asked, packet)

    def _told(self, packet, is_quick):
        hook = self.onmessage if packet[0] == wire.PUBLISH else self.ondata
        if hook:
            self._call(hook, self, packet[5], received(packet, self._raw), is_quick)

    def _tell(self, callback, kind, packet):
        """packet: the reply, None: there will be none"""
        if kind != wire.RPC:
            self._call(callback, self, packet is not None and packet[2] == 0)
        elif packet is None:
            self._call(callback, self, None, None)
        else:
            self._call(callback, self, Header(*packet[:5]), received(packet, self._raw))

    def _call(self, hook, *args):
        """Run a hook of the user; what it raises is one line."""
        if hook:
            try:
                value = hook(*args)
                if ground.is_coroutine(value):
                    self._begin(value)
            except Exception as error:       # outer wall: a guest must not end the connection
                ground.blame("hook", error)

    def _begin(self, coroutine):
        self._jobs = [job for job in self._jobs if not job.done()]
        if len(self._jobs) < ground.JOBS:
            self._jobs.append(asyncio.create_task(self._guarded(coroutine)))
        else:
            coroutine.close()
            ground.blame("hook", OSError("{} hooks run already".format(ground.JOBS)))

    async def _guarded(self, coroutine):
        try:
            await coroutine
        except Exception as error:       # outer wall, as in _call()
            ground.blame("hook", error)

    def _mark(self, priority):
        tos = priority << 5 | 8 if 0 < priority < 8 else 0
        ground.option(self._out.link.raw, 0, 1, tos)
        if self._udp:
            self._udp.set_tos(tos)


def _flags(method):
    if isinstance(method, str):
        return wire.SET if method.lower() == "set" else 0
    return wire.SET if method else 0


def _urls(url):
    """list of urls that were given as one or many. Raises TypeError."""
    if not isinstance(url, (str, list)):
        raise TypeError("a url or a list of them, got {}".format(type(url)))
    return [url] if isinstance(url, str) else url


async def _place(url):
    """(host, port) of a server, None when nobody knows it."""
    try:
        host, port, _ = wire.split_url(url)
    except ValueError:
        return None
    if wire.is_literal(host):
        return ("127.0.0.1" if host == "localhost" else host, port) if port else None
    from .position import find
    return await find(host)
