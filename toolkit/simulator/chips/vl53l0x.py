"""ST VL53L0X: distance by the flight of light. Datasheet DocID029104 rev 1; what registers mean beyond its section 3 is
not in it but in ST's API (UM2039), by whose names they are called here."""
from collections.abc import Callable
from typing import Any

from toolkit.simulator.i2c import ChipModel, Nack

IDENTITY = {0xC0: 0xEE, 0xC1: 0xAA, 0xC2: 0x10, 0x51: 0x00, 0x52: 0x99, 0x61: 0x00, 0x62: 0x00}    # 3.2, table 4
BOOT_S = 0.0012                # 2.9: until it answers after power-on
RANGING_S = 0.033              # 2.6: the budget of a default measurement
CALIBRATING_S = 0.001
NOTHING_MM = 8190              # what stands there when no target was found
SEQUENCE = 0xFF                # which steps of a measurement are on after power-on
STOP_VARIABLE = 0x3C           # differs from chip to chip
SPADS = 0x83                   # 3 reference diodes of the kind with an aperture
OK, NO_TARGET = 11, 4          # device range status, bits 3-6: valid; the phase fails
ACTIONS = {1: "vhv", 2: "phase"}      # SYSTEM_SEQUENCE_CONFIG with one step alone is a reference calibration
DRIFT = 1.03                   # without them; how much is not in the datasheet, here so much that a test sees it


class Vl53l0x(ChipModel):
    """distance_mm: to what is before it, above 2000: nothing in reach. stuck: it never ends to measure.

    `calls`: what was done in which order: "vhv", "phase" (the two reference calibrations), "range".
    """

    model = "vl53l0x"
    WORLD = {"distance_mm": int, "stuck": bool, "id": int}
    FARTHEST_MM = 2000         # the title of the datasheet

    def __init__(self, now: Callable[[], float]) -> None:
        self.distance_mm, self.stuck, self.id = 500, False, IDENTITY[0xC0]
        super().__init__(now)

    def power_up(self) -> None:
        self._ready_s = self.now() + BOOT_S
        self._pointer = 0
        # registers by (page, number); the page is what 0xFF holds
        self._registers = {**{(0, at): value for at, value in IDENTITY.items()}, (0, 0x01): SEQUENCE,
                           (0, 0x46): 0x25, (0, 0x50): 0x06, (0, 0x51): 0x00, (0, 0x70): 0x04, (0, 0x71): 0x01,
                           (0, 0x72): 0xFE, (1, 0x91): STOP_VARIABLE, (0, 0xB0): 0xFF, (0, 0xB1): 0xFF,
                           (0, 0xB2): 0xFF, (0, 0xB3): 0xFF, (0, 0xB4): 0xFF, (0, 0xB5): 0x0F}
        self._page = 0
        self._due_s: float | None = None
        self._action = ""
        self._is_continuous = False
        self.calls: list[str] = []          # of the last twenty

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "calls": self.calls}

    # -- the bus (datasheet 3): an index, then values or a read, both go on by themselves
    def write(self, data: bytes) -> None:
        self._settle()
        if data:
            self._pointer = data[0]
        for value in data[1:]:
            self._set(self._pointer, value)
            self._pointer = (self._pointer + 1) & 255

    def read(self, count: int) -> bytes:
        self._settle()
        data = bytes(self._get((self._pointer + at) & 255) for at in range(count))
        self._pointer = (self._pointer + count) & 255
        return data

    def _get(self, register: int) -> int:
        if (self._page, register) == (0, 0xC0):
            return self.id
        if (self._page, register) == (7, 0x92):      # NVM, by its strobe
            return SPADS
        if register == 0xFF:
            return self._page
        return self._registers.get((self._page, register), 0)

    def _set(self, register: int, value: int) -> None:
        if register == 0xFF:
            self._page = value
            return
        if self._page == 0 and register in IDENTITY and register >= 0xC0:
            return
        self._registers[self._page, register] = value
        if self._page == 0 and register == 0x00:     # SYSRANGE_START
            self._start(value)
        elif self._page == 0 and register == 0x0B:   # SYSTEM_INTERRUPT_CLEAR
            self._registers[0, 0x13] = 0
        elif self._page == 7 and register == 0x83 and value == 0:
            self._registers[7, 0x83] = 1             # the strobe: the word is there

    def _start(self, value: int) -> None:
        was_continuous, self._is_continuous = self._is_continuous, value & 0x0F == 2
        if not value or was_continuous and not self._is_continuous:
            self._due_s = None
            return
        self._action = ACTIONS.get(self._registers[0, 0x01], "range")
        self._due_s = self.now() + (RANGING_S if self._action == "range" else CALIBRATING_S)
        self._registers[0, 0x00] = value & ~1        # it has begun
        self._registers[0, 0x14] = 0

    # -- time
    def _settle(self) -> None:
        """What should be over is over. Raises Nack while it boots."""
        if self.now() < self._ready_s:
            raise Nack
        if self._due_s is None or self.stuck or self.now() < self._due_s:
            return
        if self._action == "range":
            self._measure()
        self.calls = [*self.calls[-19:], self._action]
        self._due_s = self.now() + RANGING_S if self._is_continuous else None
        self._registers[0, 0x13] = self._registers.get((0, 0x0A), 0) & 7       # as SYSTEM_INTERRUPT_CONFIG_GPIO wants

    def _measure(self) -> None:
        """RESULT_RANGE_STATUS: 12 bytes from 0x14."""
        is_there = 0 < self.distance_mm <= self.FARTHEST_MM
        is_calibrated = {"vhv", "phase"} <= set(self.calls)
        distance_mm = round(self.distance_mm * (1 if is_calibrated else DRIFT)) if is_there else NOTHING_MM
        # return signal falls with the square of the distance; 9.7 fixed point, million photons per second
        signal = min(0xFFFF, round(128 * 20 * (100 / max(30, self.distance_mm)) ** 2)) if is_there else 0
        result = bytes(((OK if is_there else NO_TARGET) << 3 | 1, 0, 0x06, 0, 0, 0))
        result += signal.to_bytes(2, "big") + b"\0\x10" + distance_mm.to_bytes(2, "big")
        for at, value in enumerate(result):
            self._registers[0, 0x14 + at] = value
