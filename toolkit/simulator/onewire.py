"""Sensors that talk over a single wire: DS18B20 thermometers on a 1-wire bus, slot by slot, and the frames of a DHT.

Source: DS18B20 datasheet (Maxim/Analog Devices 19-7487), in the sections named below.
"""
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from toolkit.simulator.errors import BoardFault

ETIMEDOUT = {"esp32": 116, "rp2": 110}         # newlib's number, and that of py/mperrno.h
FAMILY_DS18B20 = 0x28
CRC_OF_BIT = (94, 188, 97, 194, 157, 35, 70, 140)    # application note 27, table 2: entries 1, 2, 4 ... 128
POWER_ON = 85 * 16                             # Memory, figure 9: temperature register before the first conversion
EEPROM = bytes((0x4B, 0x46, 0x7F))             # TH, TL, configuration: 12 bits, as delivered
CONVERSION_S = (0.09375, 0.1875, 0.375, 0.75)  # Configuration Register, table 2: 9 to 12 bits
LOW_DEG, HIGH_DEG = -55.0, 125.0
FAULTS = ("", "unplugged", "noisy", "dead")

BUSY = -1                                      # 0 while it converts, 1 when that is over

# What a chip does between two resets: it yields what it puts on the wire in a slot, 1 for nothing, and is sent what
# was on the wire.
Talk = Generator[int, int, Any]


def crc8(data: bytes) -> int:
    """Checksum of a ROM or a scratchpad (CRC Generation)."""
    crc = 0
    for byte in data:
        bits, crc = crc ^ byte, 0
        for bit, value in enumerate(CRC_OF_BIT):
            crc ^= value * (bits >> bit & 1)
    return crc


def rom_of(serial: int) -> bytes:
    """64-bit Lasered ROM code: family, 48 bits of serial number, checksum."""
    body = bytes((FAMILY_DS18B20,)) + serial.to_bytes(6, "little")
    return body + bytes((crc8(body),))


class Ds18b20:
    """One thermometer.

    temp         what it feels, in degrees
    is_parasite  its pin VDD is on ground: it lives on the wire, and that has no strong pull-up here, so that it
                 cannot convert (Powering the DS18B20)
    fault        "unplugged"; "noisy": a bit of each scratchpad tips over; "dead": holds the wire low when it is read
    """

    def __init__(self, serial: int, now: Callable[[], float]) -> None:
        self.rom = rom_of(serial)
        self.temp = 20.0
        self.is_parasite = False
        self._fault = ""
        self._now = now
        self._eeprom = EEPROM
        self._power_up()
        self.hear_reset()

    @property
    def fault(self) -> str:
        return self._fault

    @fault.setter
    def fault(self, fault: str) -> None:
        if self._fault == "unplugged" != fault:
            self._power_up()
        self._fault = fault

    @property
    def is_there(self) -> bool:
        return self._fault != "unplugged"

    def hear_reset(self) -> None:
        self._talk = self._transaction()
        self._puts = next(self._talk)

    def puts(self) -> int:
        """Its bit in the slot that begins."""
        return int(self._settle()) if self._puts == BUSY else self._puts

    def hear(self, level: int) -> None:
        """What was on the wire in a slot, its own bit included."""
        self._puts = self._talk.send(level)

    def _power_up(self) -> None:
        self._raw = POWER_ON
        self._registers = self._eeprom         # TH, TL, configuration
        self._due_s: float | None = None       # end of the conversion

    def _transaction(self) -> Talk:
        """Transaction Sequence: a ROM command, a function command, its data."""
        rom_command = {0xF0: self._search_rom, 0x33: self._read_rom, 0x55: self._match_rom, 0xCC: self._skip_rom}.get(
            (yield from _take(8)))
        if rom_command and (yield from rom_command()):
            function = {0x44: self._convert, 0x4E: self._write_scratchpad, 0xBE: self._read_scratchpad,
                        0x48: self._copy_scratchpad, 0xB8: self._recall, 0xB4: self._read_power_supply}.get(
                (yield from _take(8)))
            if function:
                yield from function()
        while True:
            yield 1

    # -- ROM commands: True when this chip is meant
    def _search_rom(self) -> Talk:
        for bit in _bits(self.rom):
            yield bit
            yield 1 - bit
            if (yield 1) != bit:
                return False
        return True

    def _read_rom(self) -> Talk:
        yield from _bits(self.rom)
        return True

    def _match_rom(self) -> Talk:
        return (yield from _take(64)) == int.from_bytes(self.rom, "little")

    def _skip_rom(self) -> Talk:
        return True
        yield                                  # makes it a generator as the others are

    # -- function commands
    def _convert(self) -> Talk:
        if self.is_parasite:
            return
        self._settle()
        self._due_s = self._now() + CONVERSION_S[self._resolution() - 9]
        while True:
            yield BUSY

    def _write_scratchpad(self) -> Talk:
        registers = b""
        for _ in range(3):
            registers += bytes(((yield from _take(8)),))
        # figure 10: of the configuration only R1 and R0 can be written
        self._registers = registers[:2] + bytes((registers[2] & 0x60 | 0x1F,))

    def _read_scratchpad(self) -> Talk:
        if self._fault == "dead":
            while True:
                yield 0
        self._settle()
        data = (self._raw & 0xFFFF).to_bytes(2, "little") + self._registers + bytes((0xFF, 0x0C, 0x10))
        data += bytes((crc8(data),))
        if self._fault == "noisy":
            data = bytes((data[0] ^ 0x04,)) + data[1:]
        yield from _bits(data)

    def _copy_scratchpad(self) -> Talk:
        self._eeprom = self._registers
        yield 1

    def _recall(self) -> Talk:
        self._registers = self._eeprom
        yield 1

    def _read_power_supply(self) -> Talk:
        yield 0 if self.is_parasite else 1

    def _resolution(self) -> int:
        return 9 + (self._registers[2] >> 5 & 3)

    def _settle(self) -> bool:
        """True when no conversion is under way; one that is over gives its result."""
        if self._due_s is not None and self._now() >= self._due_s:
            self._due_s = None
            spare = 12 - self._resolution()    # bits that are undefined (table 2), here 0
            self._raw = round(min(HIGH_DEG, max(LOW_DEG, self.temp)) * 16) >> spare << spare
        return self._due_s is None


def _take(count: int) -> Talk:
    """Bits that the master writes, the lowest first."""
    value = 0
    for at in range(count):
        value |= (yield 1) << at
    return value


def _bits(data: bytes) -> Generator[int, int, None]:
    for byte in data:
        for at in range(8):
            yield byte >> at & 1


@dataclass
class SingleWires:
    """What hangs on single wires of a board, by pin.

    platform     of the board
    is_shorted   tells whether something outside holds a pin low
    frames       the 5 bytes that a DHT answers with; none: it is silent
    asked        how often a DHT was asked
    """

    platform: str
    is_shorted: Callable[[int], bool]
    now: Callable[[], float]
    frames: dict[int, bytes] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    buses: dict[int, list[Ds18b20]] = field(default_factory=dict)

    def frame(self, pin: int) -> bytes:
        """Raises BoardFault when nobody answers, as dht_readinto() does."""
        self.asked[pin] = self.asked.get(pin, 0) + 1
        if pin not in self.frames or self.is_shorted(pin):
            raise BoardFault("OSError", ETIMEDOUT.get(self.platform, 110))
        return self.frames[pin]

    def presence(self, pin: int) -> int:
        """A reset pulse: 1 when the wire is low in the slot after it."""
        chips = self._chips(pin)
        for chip in chips:
            chip.hear_reset()
        return int(bool(chips) or self.is_shorted(pin))

    def slots(self, pin: int, count: int, bits: int) -> int:
        """The master writes bits, the lowest first; a 1 is also what it reads with. What was on the wire."""
        seen = 0
        for at in range(count):
            seen |= self._slot(pin, bits >> at & 1) << at
        return seen

    def _slot(self, pin: int, bit: int) -> int:
        chips = self._chips(pin)
        level = int(not self.is_shorted(pin) and bit and all(chip.puts() for chip in chips))
        for chip in chips:
            chip.hear(level)
        return level

    def _chips(self, pin: int) -> list[Ds18b20]:
        return [chip for chip in self.buses.get(pin, ()) if chip.is_there]

    # -- the world's side
    def thermometer(self, pin: int, serial: int) -> Ds18b20:
        """The one with that serial number, put on the bus when it is not there."""
        chips = self.buses.setdefault(pin, [])
        rom = rom_of(serial)
        for chip in chips:
            if chip.rom == rom:
                return chip
        chips.append(Ds18b20(serial, self.now))
        return chips[-1]
