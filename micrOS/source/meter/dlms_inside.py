"""A byte stream inside the frames of the meter's other driver: 0x2100 carries whatever a DLMS meter is told."""
import asyncio

from micropython import const

from meter.dlms_line import DlmsError

_MOST_WAITING = const(4096)      # octets that wait for who reads them


class Inside:
    """A stream inside the frames of another, from opened() to close().

    frames: function(heard) -> coroutine function(data), False when it is lost. heard takes what comes; None: nobody
    """

    def __init__(self, frames):
        self.s = self                # asyncio's streams are closed by their `s`
        self.lost = 0                # octets that nobody read in time
        self._frames = frames
        self._pass_on = None
        self._out = self._in = b""
        self._came = asyncio.Event()

    async def opened(self):
        self._pass_on = self._frames(self.heard)
        return self

    def heard(self, data):
        if len(self._in) + len(data) > _MOST_WAITING:
            self.lost += len(data)
            return
        self._in += data
        self._came.set()

    def write(self, data):
        self._out += data

    async def drain(self):
        data, self._out = self._out, b""
        if not await self._pass_on(data):
            raise DlmsError("the meter's line is down")

    async def read(self, count):
        while not self._in:
            self._came.clear()
            await self._came.wait()
        data, self._in = self._in[:count], self._in[count:]
        return data

    def close(self):
        self._in = b""
        self._frames(None)
