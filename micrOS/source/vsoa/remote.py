"""A client as its server sees it."""
import asyncio

from . import ground
from .ground import wire
from .outbox import Outbox
from .records import checked, parts


class RemoteClient:
    """Hooks: onsubscribe(client, urls), onunsubscribe(client, urls)

    state: "new" has shown no password, "known", "up" has said SERVINFO, "gone"
    """

    def __init__(self, server, ident, link, peer):
        self._server, self.id, self._peer = server, ident, peer
        self._loop = getattr(server, "_loop", None)
        self.onsubscribe = self.onunsubscribe = None
        self.out = Outbox(link)
        self.state = "new"
        self.authed = False              # True from its login on; a hook may take it back: no publications then
        self.urls = []                   # subscriptions
        self.task = None                 # which reads what it says
        self._jobs = []                  # of asynchronous handlers
        self._priority = 0
        self._quick = self._quick_port = None
        self.answered = None             # number of the request that got its reply last

    def has_logged_in(self):
        return self.state in ("known", "up")

    @property
    def priority(self):
        return self._priority

    @priority.setter
    def priority(self, value):
        """0-7, higher is published to first and marked so on the wire. Raises ValueError."""
        if not 0 <= value <= 7:
            raise ValueError("a priority is 0-7, got {}".format(value))
        self._set_priority(value)

    @ground.quick
    def _set_priority(self, value):
        self._priority = value
        ground.option(self.out.link.raw, 0, 1, value << 5 | 8 if value else 0)       # IP_TOS
        self._server.order()
        self.send(wire.encode(wire.QOSSETUP, wire.REPLY, value))

    def address(self):
        """(host, port)"""
        return self._peer

    def is_closed(self):
        return self.out.is_closed

    def is_subscribed(self, url):
        if not self.out.is_closed and self.authed:
            for subscription in self.urls:
                if wire.matches(subscription, url):
                    return True
        return False

    @ground.quick
    def close(self):
        """Send it away; what was said before still leaves."""
        self.out.let_go()
        self.out.is_closed = True
        if self.task and self.task is not asyncio.current_task():
            self.task.cancel()

    @ground.quick
    def reply(self, seqno, payload=None, status=0, tunid=0):
        """Answer a request. status: 0-255, tunid: of a Stream. False when the client is gone."""
        self.answered = seqno
        param, data = parts(payload)
        flags = wire.REPLY | wire.TUNNEL if tunid else wire.REPLY
        return self.out.send(wire.encode(wire.RPC, flags, status, seqno, tunid, "", param, data)) or self._lost()

    @ground.quick
    def datagram(self, url, payload=None, quick=False):
        """False when it is not on its way."""
        param, data = parts(payload)
        packet = wire.encode(wire.DATAGRAM, url=checked(url), param=param, data=data)
        return self.send_quick(packet) if quick else self._server.offer(self, packet)

    @ground.quick
    def keepalive(self, idle):
        """Have TCP ask a silent client after so many seconds whether it is there."""
        from .keepalive import keep_alive
        keep_alive(self.out.link.raw, idle)

    def sendtimeout(self, timeout):
        """Kept for its name: see Server."""

    def getpeercert(self, binary=False):
        """The client's certificate as a dict, binary: as DER bytes; None without TLS."""
        return ground.peer_certificate(self.out.link, binary)

    # -- for the server

    def send(self, packet):
        return self.out.send(packet) or self._lost()

    def _lost(self):
        self.close()
        return False

    def send_quick(self, packet):
        return self._quick is not None and len(packet) <= wire.MOST_UDP_BYTES and self._server.send_quick(
            packet, self._quick)

    def answer(self, packet, status):
        self.send(wire.encode(packet[0], wire.REPLY, status, packet[3]))

    def announced(self, port):
        """Its UDP port; 0: it has none."""
        self._quick_port = port
        self._quick = ground.address(self._peer[0], port) if port else None

    def is_at(self, peer):
        """True when a datagram from there is its own."""
        return self._quick is not None and (peer[0], peer[1]) == (self._peer[0], self._quick_port)

    def subscribed(self, urls):
        """Status: 0, or NO_MEMORY when it has too many."""
        new = [url for url in urls if url not in self.urls]
        if len(self.urls) + len(new) > ground.SUBSCRIPTIONS:
            return wire.NO_MEMORY
        self.urls += new
        return 0

    def begin(self, coroutine, request=None):
        """Run an asynchronous handler or hook, as one of a few."""
        self._jobs = [job for job in self._jobs if not job.done()]
        if len(self._jobs) >= ground.JOBS:
            coroutine.close()
            if request:
                self._status(request, wire.NO_MEMORY)
            return
        self._jobs.append(asyncio.create_task(self._guarded(coroutine, request)))

    async def _guarded(self, coroutine, request):
        try:
            await coroutine
        except Exception as error:       # outer wall: a guest must not bring the server down
            self.failed(request, error)

    @ground.quick
    def failed(self, request, error):
        if request and self.answered != request.seqno:      # first: what is told about it may find no memory either
            self._status(request, wire.NO_MEMORY if isinstance(error, MemoryError) else wire.NO_RESPONDING)
        ground.blame(request.url if request else "hook", error)

    def _status(self, request, status):
        self.send(wire.encode(wire.RPC, wire.REPLY, status, request.seqno))

    def end(self):
        """The connection is over."""
        for job in self._jobs:
            job.cancel()
        self._jobs = []
        self.out.close()
