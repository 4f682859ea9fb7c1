"""Pins as silicon has them: levels, pulls, edges, PWM channels, ADC inputs, LED strips."""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from toolkit.simulator.boards import BoardKind
from toolkit.simulator.errors import BoardFault

# the constants of machine.Pin (ports/esp32/machine_pin.c), the shim uses the same
IN, OUT, OPEN_DRAIN = 1, 3, 7
PULL_UP = 2
RISING, FALLING = 1, 2
KEEP = -1                      # an argument that was not given
FULL_U16 = 65535

Change = Callable[[dict[str, Any]], None]
Edge = Callable[[int, int], object]


@dataclass
class PinState:
    """One pad. drive: what the world outside puts on it, None = nothing connected."""

    mode: int | None = None
    pull: int = 0
    latch: int = 0
    drive: int | None = None
    irq: int = 0

    def level(self) -> int:
        if self.mode == OUT or (self.mode == OPEN_DRAIN and not self.latch):
            return self.latch
        if self.drive is not None:
            return self.drive
        return int(self.mode == OPEN_DRAIN or self.pull == PULL_UP)


@dataclass
class Pwm:
    freq_hz: int
    duty_u16: int

    def as_dict(self) -> dict[str, int]:
        return {"freq_hz": self.freq_hz, "duty_u16": self.duty_u16, "duty": self.duty_u16 >> 6}


@dataclass
class Gpio:
    """All pads of one board.

    changed   told of everything that a person could see or measure on a pin
    edge      told of an edge that the program wants to hear of: (pin, level)
    """

    kind: BoardKind
    changed: Change
    edge: Edge
    pads: dict[int, PinState] = field(default_factory=dict)
    pwm: dict[int, Pwm] = field(default_factory=dict)
    adc: dict[int, int] = field(default_factory=dict)
    touch: dict[int, int] = field(default_factory=dict)
    pixels: dict[int, list[list[int]]] = field(default_factory=dict)
    pulses_us: dict[int, int] = field(default_factory=dict)

    def pad(self, number: int) -> PinState:
        if number not in self.kind.pins:
            raise BoardFault("ValueError", "invalid pin")
        return self.pads.setdefault(number, PinState())

    # -- the program's side
    def configure(self, number: int, mode: int, pull: int, value: int) -> int:
        pad = self.pad(number)
        if mode in (OUT, OPEN_DRAIN) and number in self.kind.input_only:
            raise BoardFault("ValueError", "pin can only be input")
        before = pad.level()
        if value != KEEP:
            pad.latch = value
        pad.mode = pad.mode if mode == KEEP else mode
        pad.pull = pad.pull if pull == KEEP else pull
        self._settle(number, before)
        return 0

    def write(self, number: int, value: int) -> None:
        pad = self.pad(number)
        before = pad.level()
        pad.latch = value
        self._settle(number, before)

    def read(self, number: int) -> int:
        return self.pad(number).level()

    def watch_edges(self, number: int, trigger: int) -> None:
        self.pad(number).irq = trigger

    def pwm_start(self, number: int, freq_hz: int, duty_u16: int) -> int:
        """Start or retune a channel; KEEP for what shall stay."""
        if number in self.kind.input_only:
            raise BoardFault("ValueError", "invalid pin")
        self.pad(number)
        old = self.pwm.get(number, Pwm(5000, FULL_U16 // 2 + 1))
        new = Pwm(old.freq_hz if freq_hz == KEEP else freq_hz, old.duty_u16 if duty_u16 == KEEP else duty_u16)
        self._check_pwm(number, new)
        self.pwm[number] = new
        self._show_pwm(number)
        return 0

    def pwm_duty(self, number: int, duty_u16: int) -> None:
        channel = self.pwm.get(number)
        if channel and channel.duty_u16 != duty_u16:
            channel.duty_u16 = duty_u16
            self._show_pwm(number)

    def pwm_stop(self, number: int) -> None:
        if self.pwm.pop(number, None):
            self.changed({"change": "pwm", "pin": number, "freq_hz": 0, "duty_u16": 0, "duty": 0})

    def analog(self, number: int) -> int:
        """Reading of an ADC pin, 0-65535."""
        if number not in self.kind.adc_pins:
            raise BoardFault("ValueError", "invalid pin")
        return self.adc.get(number, 0)

    def touched(self, number: int) -> int:
        if number not in self.kind.touch_pins:
            raise BoardFault("ValueError", "invalid pin for touchpad")
        return self.touch.get(number, 1000)

    def show_pixels(self, number: int, bpp: int, data: bytes) -> None:
        """data: as on the wire, green first"""
        strip = [list(data[at:at + bpp]) for at in range(0, len(data), bpp)]
        self.pixels[number] = [[colour[1], colour[0], *colour[2:]] for colour in strip if len(colour) == bpp]
        self.changed({"change": "pixels", "pin": number, "pixels": self.pixels[number]})

    # -- the world's side
    def drive(self, number: int, value: int | None) -> None:
        pad = self.pad(number)
        before = pad.level()
        pad.drive = value
        self._settle(number, before)

    def restart(self, hard: bool) -> None:
        """What a reset does: channels and interrupts go, pads only with a hard one."""
        for number in list(self.pwm):
            self.pwm_stop(number)
        for number, pad in self.pads.items():
            pad.irq = 0
            if hard:
                before = pad.level()
                pad.mode, pad.pull, pad.latch = None, 0, 0
                self._settle(number, before)

    def _settle(self, number: int, before: int) -> None:
        pad = self.pads[number]
        level = pad.level()
        if level == before:
            return
        self.changed({"change": "pin", "pin": number, "value": level})
        if pad.irq & (RISING if level else FALLING):
            self.edge(number, level)

    def _check_pwm(self, number: int, new: Pwm) -> None:
        if not 1 <= new.freq_hz <= self.kind.pwm_max_hz:
            raise BoardFault("ValueError", f"frequency must be from 1Hz to {self.kind.pwm_max_hz // 1_000_000}MHz")
        others = {pin: channel for pin, channel in self.pwm.items() if pin != number}
        if len(others) >= self.kind.pwm_channels:
            raise BoardFault("RuntimeError", f"out of PWM channels:{self.kind.pwm_channels}")
        if len({new.freq_hz} | {channel.freq_hz for channel in others.values()}) > self.kind.pwm_timers:
            raise BoardFault("RuntimeError", f"out of PWM timers:{self.kind.pwm_timers}")

    def _show_pwm(self, number: int) -> None:
        self.changed({"change": "pwm", "pin": number, **self.pwm[number].as_dict()})
