"""What every way to a DLMS meter shares: a byte stream, and no answer that takes for ever.

A stream has read(count), write(data), drain() and s.close(), as asyncio's: a UART, a connection, or Inside.
"""
import asyncio
import time

from micropython import const

_MOST_MS = const(60000)          # for one answer, whatever comes meanwhile
_PIECE_BYTES = const(512)


class DlmsError(OSError):
    """Raised when there is no answer that can be trusted; says why. The association is closed."""


class Line:
    """What both lines share. opened: coroutine function that gives the stream; wait_ms: for an answer"""

    def __init__(self, opened, wait_ms):
        self._opened = opened
        self._wait_ms = wait_ms
        self._stream = None

    async def _begin(self):
        try:
            self._stream = await self._opened()
        except asyncio.TimeoutError:
            raise DlmsError("the meter does not take the connection")
        self._asked()

    def drop(self):
        if self._stream:
            self._stream.s.close()
            self._stream = None

    async def _write(self, octets):
        if not self._stream:
            raise DlmsError("the line to the meter is closed")
        self._stream.write(octets)
        try:
            await asyncio.wait_for_ms(self._stream.drain(), self._wait_ms)
        except asyncio.TimeoutError:
            raise DlmsError("the meter takes nothing")

    async def _read(self):
        """What comes, None when nothing came in time."""
        try:
            data = await asyncio.wait_for_ms(self._stream.read(_PIECE_BYTES), self._wait_ms)
        except asyncio.TimeoutError:
            return None
        if not data:
            raise DlmsError("the meter has closed the connection")
        return data

    def _asked(self):
        self._end_ms = time.ticks_add(time.ticks_ms(), _MOST_MS)

    def _clock(self):
        if time.ticks_diff(self._end_ms, time.ticks_ms()) < 0:
            raise DlmsError("the meter speaks, but gives no answer in {} s".format(_MOST_MS // 1000))
