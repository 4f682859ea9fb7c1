"""A DLMS meter behind TCP: each APDU in its wrapper."""
from meter.dlms_line import DlmsError, Line
from pure.wrapper import Wrapped, wrap


class Wrapper(Line):
    """client, meter: numbers. Over TCP nothing is said twice: the meter may have heard it."""

    def __init__(self, opened, wait_ms, client, meter, most_octets):
        super().__init__(opened, wait_ms)
        self._ports = client, meter
        self._reader = Wrapped(most_octets)

    async def open(self):
        await self._begin()

    async def exchange(self, apdu):
        """The meter's answer. Raises OSError, ValueError (WrapperError)."""
        await self._write(wrap(*self._ports, apdu))
        self._asked()
        while True:
            self._clock()
            data = await self._read()
            if data is None:
                raise DlmsError("the meter gave no answer in {} ms".format(self._wait_ms))
            for source, destination, answer in self._reader.feed(data):
                if (destination, source) == self._ports and answer[0] not in (0x0F, 0xC2):
                    return answer            # others: of another client, or notifications

    async def close(self):
        self.drop()
