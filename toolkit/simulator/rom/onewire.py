"""The 1-wire bus of the firmware; its time slots are the host's."""
from _vboard import ask

_MOST = 255                    # sensors that a search looks for, as the firmware


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM, MATCH_ROM, SKIP_ROM = 0xF0, 0x55, 0xCC

    def __init__(self, pin):
        self.pin = pin
        pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def _slots(self, count, bits):
        return ask("slots %d %d %d\n" % (self.pin.id, count, bits))

    def reset(self, required=False):
        is_present = bool(ask("presence %d\n" % self.pin.id))
        if required and not is_present:
            raise OneWireError
        return is_present

    def readbit(self):
        return self._slots(1, 1)

    def readbyte(self):
        return self._slots(8, 255)

    def readinto(self, buf):
        for at in range(len(buf)):
            buf[at] = self.readbyte()

    def writebit(self, value, powerpin=None):
        self._slots(1, 1 if value else 0)

    def writebyte(self, value, powerpin=None):
        self._slots(8, value)

    def write(self, buf):
        for byte in buf:
            self.writebyte(byte)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def scan(self):
        """ROMs of all that answer. Each pass goes like the one before up to its last fork, where it takes the 1."""
        roms, rom, turn = [], bytearray(8), 64
        while turn is not None and len(roms) < _MOST:
            rom, turn = self._search(rom, turn)
            if rom is None:
                break
            roms.append(rom)
        return roms

    def _search(self, before, turn):
        """(ROM, the last bit where the 1 of a fork is left, None without); (None, None) when nobody answers."""
        if not self.reset():
            return None, None
        self.writebyte(self.SEARCH_ROM)
        rom, fork = bytearray(8), None
        for bit in range(64):
            seen = self._slots(2, 3)           # first the bit, then its complement
            if seen == 3:
                return None, None
            taken = seen & 1
            if not seen:
                was = before[bit >> 3] >> (bit & 7) & 1
                taken = was if bit < turn < 64 else int(bit == turn)
                if not taken:
                    fork = bit
            rom[bit >> 3] |= taken << (bit & 7)
            self.writebit(taken)
        return rom, fork

    def crc8(self, data):
        """Dallas CRC, x^8 + x^5 + x^4 + 1, low bit first; 0 over data with its checksum behind."""
        crc = 0
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
        return crc
