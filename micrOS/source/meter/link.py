"""A byte stream that is brought back whenever it is lost: a UART, or a TCP connection."""
import asyncio
import socket
import time

from micropython import const

from Debug import trace
from Udp import connect

_PAUSES_MS = const((1000, 2000, 5000, 10000, 30000, 60000))      # before a further try; the last one again and again
_CONNECT_S = const(10)
_STUCK_S = const(30)             # the other side takes nothing
_PIECE_BYTES = const(2048)
_RXBUF_BYTES = const(4096)       # of a UART: a third of a second at 115200 baud


class LinkError(OSError):
    """Raised when a stream cannot be had, or has ended; says why."""


class Link:
    """Only run() declares it up and down: who cannot send is told so, and the reader finds out the rest.

    opened  coroutine function: the stream. Raises OSError
    take    coroutine function(data), with all that comes
    gap_ms  function: ms of silence after which take(b"") is called; None: never
    tell    function(is_up, why)
    """

    def __init__(self, name, opened, take, tell, gap_ms=None):
        self.name = name
        self.is_up = False
        self.why = "not up yet"      # it is down
        self.ups = self.lost = self.lost_bytes = 0       # times it came up; what could not be sent
        self._opened = opened
        self._take = take
        self._tell = tell
        self._gap_ms = gap_ms
        self._stream = None
        self._turn = asyncio.Lock()
        self._broken = None          # what a sender has met, for the reader
        self._reading = self._gap = None         # asyncio.Task
        self._order = asyncio.Lock()             # what comes is taken in order
        self._heard_ms = 0

    async def run(self):
        """Until it is cancelled."""
        tries = 0
        try:
            while True:
                before = self.ups
                try:
                    await self._up()
                    await self._reading
                except Exception as error:       # outer wall: what a taker stumbles over must not end the line for good
                    if not isinstance(error, (OSError, asyncio.TimeoutError)):
                        trace(error)
                    self._down(str(error) or "no answer")
                tries = 0 if self.ups > before else tries + 1
                await asyncio.sleep_ms(_PAUSES_MS[min(tries, len(_PAUSES_MS) - 1)])
        finally:
            self._down("closed")

    async def send(self, data):
        """False when it is down: the data is lost, and counted. Waits while the other side is slow."""
        async with self._turn:       # two that drain one stream would send the same bytes twice
            if self.is_up and not self._broken:
                try:
                    self._stream.write(data)
                    if self._stream.out_buf:
                        await asyncio.wait_for(self._stream.drain(), _STUCK_S)
                    return True
                except (OSError, asyncio.TimeoutError) as error:
                    self._break(error)
            self.lost += 1
            self.lost_bytes += len(data)
            return False

    def close(self):
        """At once, so that another may have the UART; whoever runs it has to be cancelled."""
        self._down("closed")

    def _break(self, error):
        """The reader shall find out, who may be ourselves."""
        self._broken = str(error) or "it takes nothing for {} s".format(_STUCK_S)
        if self._reading is not asyncio.current_task():
            self._reading.cancel()

    async def _up(self):
        self._stream = await self._opened()
        self._broken = None
        self.is_up = True
        self.ups += 1
        self.why = ""
        self._reading = asyncio.create_task(self._read())
        self._tell(True, self.name)

    def _down(self, why):
        if self._gap:
            self._gap.cancel()
            self._gap = None
        if self._stream:
            self._stream.s.close()
            self._stream = None
        is_news = self.is_up or why != self.why
        self.is_up = False
        self.why = why
        if is_news:
            self._tell(False, "{}: {}".format(self.name, why))

    async def _read(self):
        try:
            await self._read_on()
        except asyncio.CancelledError:
            if not self._broken:
                raise
        raise LinkError(self._broken)

    async def _read_on(self):
        while not self._broken:
            data = await self._stream.read(_PIECE_BYTES)
            if not data:
                raise LinkError("the other side has closed")
            self._heard_ms = time.ticks_ms()
            async with self._order:
                await self._take(data)
            self._heard_ms = time.ticks_ms()         # what came meanwhile waits: that was no silence
            if self._gap_ms and self._gap_ms() and (not self._gap or self._gap.done()):
                self._gap = asyncio.create_task(self._await_silence())

    async def _await_silence(self):
        """A task, for asyncio's wait_for() would end a reader's wait together with that of a writer of the stream."""
        while self._gap_ms():
            await asyncio.sleep_ms(max(0, self._left_ms()))
            await asyncio.sleep_ms(1)        # was the whole loop held up, its reader goes first
            async with self._order:
                if self._gap_ms() and self._left_ms() <= 0:
                    await self._take(b"")

    def _left_ms(self):
        """Of the silence that ends a frame."""
        return self._gap_ms() - time.ticks_diff(time.ticks_ms(), self._heard_ms)


def uart(port, baud, pins):
    """`opened` for a UART. pins: {"tx": n, "rx": n} where they are not the port's own"""
    async def opened():
        from machine import UART
        return _Serial(UART(port, baud, rxbuf=_RXBUF_BYTES, **pins))
    return opened


class _Serial(asyncio.StreamReader):
    """A UART does not end: that nothing came after all is no end of file."""

    def __init__(self, line):
        super().__init__(line)
        line.close = line.deinit

    async def read(self, count):
        while True:
            data = await super().read(count)
            if data:
                return data


def tcp(host, port):
    """`opened` for a connection."""
    async def opened():
        return await asyncio.wait_for(_connected(host, port), _CONNECT_S)
    return opened


async def _connected(host, port):
    link = socket.socket()
    try:
        connect(link, host, port)
        stream = asyncio.StreamReader(link)
        await _writable(link)
        link.send(b"")               # raises what became of the connection
        return stream
    except BaseException:
        link.close()
        raise


def _writable(link):
    """A generator: so does asyncio.open_connection() wait, which leaves the socket open when it is cancelled."""
    yield asyncio.core._io_queue.queue_write(link)
