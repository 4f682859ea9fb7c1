"""The I2C buses of a board: the seam to which chip models are attached."""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from toolkit.simulator.errors import BoardFault

ENODEV, ETIMEDOUT = 19, 116    # what the esp32 port raises: nobody acknowledges, the clock stays low
FAULTS = ("", "unplugged", "held", "zeros", "ones")


class Nack(Exception):
    """Raised by a chip that does not acknowledge: it is busy, or refuses what it is told."""


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


class ChipModel:
    """A chip by its datasheet: chips/ has them. `model` is its name there; what the world does to it are attributes.

    fault    what is wrong with it: "", "unplugged", "held" (it keeps the clock low), "zeros" or "ones" (it
             acknowledges, and that is all it can do)
    WORLD    the attributes that the world may set, with their types
    """

    model = ""
    WORLD: ClassVar[dict[str, type]] = {}

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.fault = ""
        self.power_up()

    def power_up(self) -> None:
        """Registers as after power-on."""

    def write(self, data: bytes) -> None:
        raise NotImplementedError

    def read(self, count: int) -> bytes:
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """What can be seen of it from outside."""
        return {**{name: getattr(self, name) for name in self.WORLD}, "fault": self.fault}

    def be(self, facts: dict[str, Any]) -> None:
        """The world changes. Raises ValueError for what this model does not have."""
        unknown = set(facts) - {*self.WORLD, "fault"}
        if unknown:
            known = ", ".join([*self.WORLD, "fault"])
            raise ValueError(f"a {self.model} has {known}, not {', '.join(sorted(unknown))}")
        if facts.get("fault", "") not in FAULTS:
            raise ValueError(f"fault is one of {', '.join(map(repr, FAULTS))}, got {facts['fault']!r}")
        values = {name: self.WORLD[name](value) for name, value in facts.items() if name != "fault"}
        for name, value in values.items():
            setattr(self, name, value)
        if self.fault == "unplugged" and facts.get("fault", "unplugged") != "unplugged":
            self.power_up()
        self.fault = facts.get("fault", self.fault)


@dataclass
class I2cBus:
    """is_low   tells whether something outside holds a pin low; a pin below 0 is none"""

    chips: dict[int, Chip] = field(default_factory=dict)
    is_low: Callable[[int], bool] = lambda pin: False

    def scan(self) -> bytes:
        return bytes(sorted(at for at, chip in self.chips.items() if getattr(chip, "fault", "") != "unplugged"))

    def power_up(self) -> None:
        for chip in self.chips.values():
            if isinstance(chip, ChipModel):
                chip.power_up()

    def transfer(self, scl: int, sda: int, address: int, count: int, data: bytes) -> bytes:
        """Write `data`, then read `count` bytes. Raises BoardFault(OSError) when nobody acknowledges."""
        if self.is_low(scl):
            raise BoardFault("OSError", ETIMEDOUT)
        if self.is_low(sda):           # every bit reads 0, acknowledgements too
            return bytes(count)
        return self.talk(address, data, count)

    def talk(self, address: int, data: bytes, count: int) -> bytes:
        """The same on wires that are free."""
        chip = self.chips.get(address)
        fault = getattr(chip, "fault", "")
        if chip is None or fault == "unplugged":
            raise BoardFault("OSError", ENODEV)
        if fault:
            return _broken(fault, count)
        try:
            if data or not count:
                chip.write(data)
            return chip.read(count) if count else b""
        except Nack:
            raise BoardFault("OSError", ENODEV) from None


def _broken(fault: str, count: int) -> bytes:
    if fault == "held":
        raise BoardFault("OSError", ETIMEDOUT)
    return (b"\xff" if fault == "ones" else b"\0") * count
