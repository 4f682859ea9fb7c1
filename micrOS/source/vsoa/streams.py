"""A stream: raw bytes both ways over a connection of their own, whose port a reply has told."""
import asyncio

from . import ground
from .outbox import Outbox


class Stream:
    """onlink(stream, is_connected), ondata(stream, data): functions or coroutine functions. tunid: for the reply

    onlink(stream, False) comes once, when it ends or when nobody came. What is said before the link is up is lost.
    """

    def __init__(self, onlink, ondata, loop):
        self.onlink, self.ondata = onlink, ondata
        self._loop = loop
        self.tunid = 0
        self.out = None
        self._task = None
        self.is_over = False

    @property
    def connected(self):
        return self.out is not None and not self.is_over

    @ground.quick
    def send(self, data):
        """Number of bytes taken; the rest finds no room now. await drained() where that matters."""
        if not self.connected:
            return 0
        room = ground.QUEUE_BYTES - self.out.waiting
        data = bytes(data[:room]) if room < len(data) else data
        return len(data) if room > 0 and self.out.send(data) else 0

    @ground.waiting
    async def drained(self):
        """All that was sent has left, or the stream is over."""
        if self.connected:
            await self.out.drained()

    @ground.quick
    def close(self):
        if self._task and self._task is not ground.current_task():
            self._task.cancel()
        elif self.out:
            self.out.is_closed = True

    @ground.quick
    def keepalive(self, idle):
        """Have TCP ask a silent peer after so many seconds whether it is there."""
        from .keepalive import keep_alive
        keep_alive(self.out.link.raw, idle)

    def sendtimeout(self, timeout):
        """Kept for its name: send() never waits."""

    def begin(self, opening, timeout):
        """opening: coroutine that gives the Link"""
        self._task = asyncio.create_task(self._live(opening, timeout))
        return self

    async def _live(self, opening, timeout):
        try:
            self.out = Outbox(await asyncio.wait_for(opening, timeout))
            await self._tell(self.onlink, True)
            while not self.out.is_closed:
                data = await self.out.link.receive()
                if not data:
                    break
                await self._tell(self.ondata, data)
            await self.out.drained()
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            pass                         # the peer is gone, never came, or we closed
        finally:
            self.is_over = True
            if self.out:
                self.out.close()
            await self._tell(self.onlink, False)

    async def _tell(self, hook, what):
        if hook:
            try:
                value = hook(self, what)
                if ground.is_coroutine(value):
                    await value          # so a slow one slows its peer, and nothing piles up
            except Exception as error:       # outer wall: a guest must not end the stream untold
                ground.blame("stream", error)


def offered(owner, host, onlink, ondata, timeout, tls, whose):
    """A Stream that takes one connection within timeout seconds. Raises OSError when there is no port.

    whose: address that alone may come, None: any
    """
    door, port = ground.listen(host, 0, 1)

    async def opening():
        try:
            link, peer = await ground.accepted(door)
            while whose and peer[0] != whose:
                link.close()
                link, peer = await ground.accepted(door)
        finally:
            door.close()
        return await tls(link) if tls else link

    stream = Stream(onlink, ondata, getattr(owner, "_loop", None))
    stream.tunid = port
    return stream.begin(opening(), timeout)


def joined(owner, host, tunid, onlink, ondata, timeout, tls):
    """A Stream to the port that a server offers."""
    async def opening():
        link = await ground.connected(host, tunid)
        return await tls(link) if tls else link

    stream = Stream(onlink, ondata, getattr(owner, "_loop", None))
    stream.tunid = tunid
    return stream.begin(opening(), timeout)
