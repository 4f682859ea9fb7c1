"""The I2C buses of a board: the seam to which chip models are attached."""
from dataclasses import dataclass, field
from typing import Protocol

from toolkit.simulator.errors import BoardFault

ENODEV = 19                    # what the esp32 port raises when nobody acknowledges


class Chip(Protocol):
    """One device on a bus: a model implements the register protocol of its datasheet."""

    def write(self, data: bytes) -> None: ...

    def read(self, count: int) -> bytes: ...


@dataclass
class RegisterChip:
    """The plainest chip: 256 registers, the first byte written is the pointer, which moves on by itself."""

    registers: dict[int, int] = field(default_factory=dict)
    pointer: int = 0

    def write(self, data: bytes) -> None:
        if data:
            self.pointer = data[0]
        for value in data[1:]:
            self.registers[self.pointer] = value
            self.pointer = (self.pointer + 1) & 255

    def read(self, count: int) -> bytes:
        data = bytes(self.registers.get((self.pointer + at) & 255, 0) for at in range(count))
        self.pointer = (self.pointer + count) & 255
        return data


@dataclass
class I2cBus:
    chips: dict[int, Chip] = field(default_factory=dict)

    def scan(self) -> bytes:
        return bytes(sorted(self.chips))

    def transfer(self, address: int, data: bytes, count: int) -> bytes:
        """Write `data`, then read `count` bytes. Raises BoardFault(OSError 19) when no chip has that address."""
        try:
            chip = self.chips[address]
        except KeyError:
            raise BoardFault("OSError", ENODEV) from None
        if data or not count:
            chip.write(data)
        return chip.read(count) if count else b""
