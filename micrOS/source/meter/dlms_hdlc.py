"""A DLMS meter over HDLC: on a UART, behind a serial server, or inside the frames of another."""
from micropython import const

from meter.dlms_line import DlmsError, Line
from pure.hdlc import Frames
from pure.hdlc_link import Link

_TRIES = const(3)                # of what the meter does not answer


class Hdlc(Line):
    """client, meter: addresses; enter: coroutine function(stream) before HDLC, or None"""

    def __init__(self, opened, wait_ms, client, meter, information, frames, most_octets, enter=None):
        super().__init__(opened, wait_ms)
        self._link = Link(client, meter, information, frames, most_octets)
        self._frames = Frames()
        self._enter = enter

    async def open(self):
        await self._begin()
        if self._enter:
            await self._enter(self._stream)
        await self._until(self._link.connect(), "up")

    async def exchange(self, apdu):
        """The meter's answer. Raises OSError, ValueError (HdlcError)."""
        return await self._until(self._link.send(apdu))

    async def close(self):
        """One try: a meter that hears nothing gives the link up by itself."""
        if self._link.state not in ("off", "connecting"):
            await self._until(self._link.disconnect(), "off", 1)
        self.drop()

    async def _until(self, octets, state=None, tries=_TRIES):
        self._asked()
        while self._link.state != state:
            self._clock()
            if octets:
                await self._write(octets)
            data, octets = await self._read(), b""
            if data is None:
                tries -= 1
                if not tries:
                    raise DlmsError("the meter gave no answer, asked {} times".format(_TRIES))
                self._frames.clear()         # of a damaged one the rest will not come
                octets = self._link.again()
                continue
            for frame in self._frames.feed(data):
                tries = _TRIES
                said, answer = self._link.take(frame)
                octets += said
                if answer is not None:
                    return answer
        return None
