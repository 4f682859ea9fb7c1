"""A VSOA server: RPC, publications and datagrams for clients that log in, each of them bounded."""
import asyncio
from struct import pack

from . import ground
from .ground import wire
from .records import Request, checked, parts, received
from .remote import RemoteClient

_HANDSHAKE_S = 5
_STALL_S = 30                  # that a client may leave its answers unread


class Server:
    """info: what clients learn when they connect; passwd: "" lets everybody in; raw: params stay bytes

    Hooks, functions or coroutine functions: onclient(client, is_connected), ondata(client, url, payload, is_quick).
    most_clients, most_bytes (of a packet), most_waiting (bytes for one client) may be set before run().
    policy: what a publication does that finds no room: "drop" the client that does not read, or "skip" it once
    dropped, skipped, refused, strange: clients, publications, connections, datagrams that were
    """

    def __init__(self, info="", passwd="", raw=False):
        self.onclient = self.ondata = None
        self.most_clients, self.most_bytes = ground.CLIENTS, ground.PACKET_BYTES
        self.most_waiting, self.policy = ground.QUEUE_BYTES, "drop"
        self.dropped = self.skipped = self.refused = self.strange = 0
        self._info, self._raw = wire.encoded(info), raw
        self.passwd(passwd)
        self._exact, self._wildcards = {}, []
        self._clients = []               # in the order in which they are published to
        self._failures = []              # of pure.guard
        self._next_id = 0
        self._tasks = []
        self._door = self._udp = self._address = self._tls = None

    def passwd(self, passwd=""):
        """From now on. passwd: text, or a function that gives it when a client comes"""
        self._passwd = passwd

    @ground.quick
    def clients(self):
        """list of the clients that are logged in."""
        return [client for client in self._clients if client.has_logged_in()]

    def address(self):
        """(host, port). Raises RuntimeError when it does not run."""
        if self._address is None:
            raise RuntimeError("the server does not run")
        return self._address

    def command(self, url, wq=None):
        """Decorator: function(client, request, payload) serves this url, `/a/` all below /a, `/` what nobody else does.

        wq: WorkQueue to run it in. Raises ValueError.
        """
        checked(url)

        def keep(function):
            if url[-1] == "/":
                self._wildcards = [row for row in self._wildcards if row[0] != url] + [(url, (function, wq))]
                self._wildcards.sort(key=lambda row: -len(row[0]))
            else:
                self._exact[url] = (function, wq)
            return function
        return keep

    @ground.quick
    def is_subscribed(self, url):
        return any(client.is_subscribed(url) for client in self._clients)

    @ground.quick
    def publish(self, url, payload=None, quick=False):
        """Tell all subscribers. False when the server does not run, or has no UDP. Raises ValueError."""
        param, data = parts(payload)
        packet = wire.encode(wire.PUBLISH, url=checked(url), param=param, data=data)
        if self._address is None or quick and (self._udp is None or len(packet) > wire.MOST_UDP_BYTES):
            return False
        for client in [client for client in self._clients if client.is_subscribed(url)]:
            if quick:
                client.send_quick(packet)
            else:
                self.offer(client, packet)
        return True

    def offer(self, client, packet):
        """Send it, unless too much waits for that client already: then the policy decides. True: it is on its way."""
        out = client.out
        if not out.waiting or out.waiting + len(packet) <= self.most_waiting:
            return client.send(packet)
        if self.policy == "drop":
            self.dropped += 1
            ground.blame("client {}".format(client.id), OSError("reads too slowly and is dropped"))
            client.close()
        else:
            self.skipped += 1
        return False

    def sendtimeout(self, timeout, sync_to_clis=True):
        """Kept for its name: nothing here waits for a slow client, most_waiting is the limit."""

    @ground.quick
    def create_stream(self, onlink, ondata=None, timeout=5.0, whose=None):
        """A Stream whose `tunid` goes into the reply; the next connection to it is the client's. Raises OSError.

        whose: the client's address, where nobody else may come; None: the first one is let in, as the wire has it
        """
        from .streams import offered
        return offered(self, self.address()[0], onlink, ondata, timeout, self._tls, whose)

    @ground.waiting
    async def run(self, host="0.0.0.0", port=3005, sslopt=None):
        """Serve until close(). sslopt: keys of tls.py, None: no TLS. Raises OSError when the port is taken."""
        if sslopt is not None:
            from .tls import server_side
            self._tls = server_side(sslopt)
        self._door, port = ground.listen(host, port)
        try:
            if self._tls is None:
                self._udp = ground.Datagrams(host, port)
                self._tasks.append(asyncio.create_task(self._hear_quick()))
            self._address = (host, port)
            job = asyncio.create_task(self._admit())
            self._tasks.append(job)
            await job
        except asyncio.CancelledError:
            if self._address:            # not close(), so it is for our caller
                raise
        finally:
            self._end()

    @ground.quick
    def close(self):
        """Send everybody away and end run()."""
        self._address = None
        for task in self._tasks:
            task.cancel()

    def _end(self):
        self._address = None
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        for client in self._clients[:]:
            client.close()
        for link in (self._door, self._udp):
            if link:
                link.close()
        self._door = self._udp = None

    async def _admit(self):
        while True:
            try:
                link, peer = await ground.accepted(self._door)
            except OSError as error:     # no sockets left: those in use will end
                ground.blame("accept", error)
                await asyncio.sleep(1)
                continue
            if len(self._clients) >= self.most_clients:
                self.refused += 1
                link.close()
                continue
            client = RemoteClient(self, self._next_id, link, peer)
            self._next_id += 1
            self._clients.append(client)
            client.task = asyncio.create_task(self._attend(client))

    async def _attend(self, client):
        try:
            if self._tls:
                client.out.link = await asyncio.wait_for(self._tls(client.out.link), _HANDSHAKE_S)
            await self._serve(client)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            pass                         # it left, said nothing for too long, or is sent away
        except Exception as error:       # outer wall: one client must not end the others
            ground.blame("client {}".format(client.id), error)
        finally:
            self._leave(client)

    async def _serve(self, client):
        receiver, out = wire.Receiver(self.most_bytes), client.out
        end_ms = ground.later_ms(_HANDSHAKE_S)
        while not out.is_closed:
            if client.state == "up":
                data = await out.link.receive()
            else:
                data = await asyncio.wait_for(out.link.receive(), ground.left_s(end_ms))
            if not data:
                return
            out.is_held = False
            packets = receiver.feed(data)
            if len(packets) == 1:
                self._take(client, packets[0])
            else:
                await self._take_many(client, packets)
            if out.waiting > self.most_waiting and not out.is_closed:
                await asyncio.wait_for(out.drained(), _STALL_S)
            if receiver.broken:
                return

    async def _take_many(self, client, packets):
        """What is said to these within one millisecond leaves in one piece: a write costs as much as an answer."""
        out, turn_ms = client.out, None
        for packet in packets:
            if turn_ms != ground.now_ms():
                turn_ms = ground.now_ms()
                out.let_go()
                out.gather()
            self._take(client, packet)
            if out.is_closed:
                break
            if out.waiting > self.most_waiting:
                out.let_go()                 # now: nobody knows who sends meanwhile
                await asyncio.wait_for(out.drained(), _STALL_S)
        out.let_go()

    def _leave(self, client):
        if client in self._clients:
            self._clients.remove(client)
        was_in, client.state = client.has_logged_in(), wire.after(wire.SERVER, client.state, "closed")
        client.end()
        if was_in:
            self.call(self.onclient, client, client, False)

    def order(self):
        """Clients of a higher priority come first, else as they connected."""
        self._clients.sort(key=lambda client: (-client.priority, client.id))

    def call(self, hook, client, *args):
        """Run a hook of the user; what it raises is one line."""
        if hook:
            try:
                value = hook(*args)
                if ground.is_coroutine(value):
                    client.begin(value)
            except Exception as error:       # outer wall: a guest must not bring the server down
                ground.blame("hook", error)

    def _take(self, client, packet):
        kind = packet[0]
        serve = _SERVES.get(kind)
        if serve is None or packet[1] & wire.REPLY:
            return
        if client.state != "new":
            serve(self, client, packet)
        elif not self._knows(client, packet[6]):
            client.answer(packet, wire.PASSWORD)
        else:
            client.state, client.authed = wire.after(wire.SERVER, "new", "login"), True
            if kind == wire.SERVINFO:        # its answer has to be the first that the client hears
                serve(self, client, packet)
            self.call(self.onclient, client, client, True)
            if kind != wire.SERVINFO:
                serve(self, client, packet)

    def _knows(self, client, param):
        wanted = self._passwd() if callable(self._passwd) else self._passwd
        return not wanted or self.trusts(client, wire.decoded(param), wanted)

    def trusts(self, client, param, passwd):
        """True when the param has this password; wrong ones make their peer wait longer and longer."""
        said = param.get("passwd") if isinstance(param, dict) else None
        if not isinstance(said, str):        # that was no try
            return False
        return ground.is_let_in(self._failures, client.address()[0], said.encode(), passwd.encode())

    def _greet(self, client, packet):
        client.announced(packet[4] if packet[1] & wire.TUNNEL and self._udp else 0)
        client.state = wire.after(wire.SERVER, client.state, "servinfo")
        client.out.let_go()                  # the answer leaves alone
        client.send(wire.encode(wire.SERVINFO, wire.REPLY, 0, packet[3], 0, "", self._info, pack(">I", client.id)))
        client.out.is_held = True

    def _command(self, client, packet):
        url = packet[5]
        found = self._exact.get(url)
        if found is None:
            if url[:1] != "/":
                client.answer(packet, wire.ARGUMENTS)
                return
            found = wire.handler(self._exact, self._wildcards, url)
            if found is None:
                client.answer(packet, wire.INVALID_URL)
                return
        function, queue = found
        request = Request(url, packet[3], 1 if packet[1] & wire.SET else 0)
        if queue:
            queue.add(self._run, (function, client, request, received(packet, self._raw)))
        else:
            self._run(function, client, request, received(packet, self._raw))

    def _run(self, function, client, request, payload):
        """A handler that raises costs one line; its client learns it at once, unless it has its reply already."""
        client.answered = None           # numbers may come again
        try:
            value = function(client, request, payload)
            if ground.is_coroutine(value):
                client.begin(value, request)
        except Exception as error:       # outer wall: a guest must not bring the server down
            client.failed(request, error)

    def _subscribe(self, client, packet):
        urls = wire.subscriptions(packet[5], packet[6])
        status = wire.ARGUMENTS if urls is None else client.subscribed(urls)
        client.answer(packet, status)
        if not status:
            self.call(client.onsubscribe, client, client, urls)

    def _unsubscribe(self, client, packet):
        urls = wire.subscriptions(packet[5], packet[6])
        if urls is None:
            client.answer(packet, wire.ARGUMENTS)
            return
        client.urls = [url for url in client.urls if url not in urls]
        client.answer(packet, 0)
        self.call(client.onunsubscribe, client, client, urls)

    def _datagram(self, client, packet, is_quick=False):
        self.call(self.ondata, client, client, packet[5], received(packet, self._raw), is_quick)

    def _ping(self, client, packet):
        client.answer(packet, 0)

    async def _hear_quick(self):
        while True:
            try:
                data, peer = await self._udp.receive()
                packet = wire.datagram(data)
            except (ValueError, OSError):
                self.strange += 1
                continue
            client = self.quick_sender(packet, peer)
            if client:
                self._datagram(client, packet, True)
            else:
                self.strange += 1

    def quick_sender(self, packet, peer):
        """The client that this datagram is of; None when it comes from elsewhere than the client announced."""
        for client in self._clients:
            if client.id == packet[3]:
                is_own = packet[0] == wire.DATAGRAM and client.has_logged_in() and client.is_at(peer)
                return client if is_own else None
        return None

    def send_quick(self, packet, peer):
        return self._udp is not None and self._udp.send(packet, peer)


_SERVES = {wire.SERVINFO: Server._greet, wire.RPC: Server._command, wire.SUBSCRIBE: Server._subscribe,
           wire.UNSUBSCRIBE: Server._unsubscribe, wire.DATAGRAM: Server._datagram, wire.PINGECHO: Server._ping}
