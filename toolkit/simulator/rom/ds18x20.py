"""Driver of the DS18B20 and its kin, as in the firmware."""
_CONVERT, _READ_SCRATCHPAD, _WRITE_SCRATCHPAD = 0x44, 0xBE, 0x4E
_DS18S20 = 0x10
_FAMILIES = (_DS18S20, 0x22, 0x28)


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)

    def _say(self, rom, command):
        self.ow.reset(True)
        if rom is None:
            self.ow.writebyte(self.ow.SKIP_ROM)
        else:
            self.ow.select_rom(rom)
        self.ow.writebyte(command)

    def scan(self):
        return [rom for rom in self.ow.scan() if rom[0] in _FAMILIES]

    def convert_temp(self, rom=None):
        self._say(rom, _CONVERT)

    def read_scratch(self, rom):
        self._say(rom, _READ_SCRATCHPAD)
        self.ow.readinto(self.buf)
        if self.ow.crc8(self.buf):
            raise Exception("CRC error")
        return self.buf

    def write_scratch(self, rom, buf):
        self._say(rom, _WRITE_SCRATCHPAD)
        self.ow.write(buf)

    def read_temp(self, rom):
        buf = self.read_scratch(rom)
        raw = int.from_bytes(buf[:2], "little")
        if raw & 0x8000:
            raw -= 0x10000
        if rom[0] == _DS18S20:           # DS18S20 datasheet, Operation: half degrees, and the rest by two counters
            return (raw >> 1) - 0.25 + (buf[7] - buf[6]) / buf[7] if buf[7] else raw / 2
        return raw / 16
