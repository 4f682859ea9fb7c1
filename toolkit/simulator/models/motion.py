"""What a board moves, and what moves a board: servos, steppers, bridges with motors, relays, an encoder.

A model is fed with the changes of `board.watch()`, in their order, and shows what its part does now. Each can be told
to fail. Pins are numbers or logical names.

    lever = Servo("servo_1")
    with attached(board, lever) as world:
        board.shell("servo sduty 40")
        world.until(lambda: lever.angle_deg < 30)
"""
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from toolkit.simulator.api import ANSWER_S, Changes, Pin, VirtualBoard
from toolkit.simulator.errors import SimulatorError

Change = Mapping[str, Any]
FULL_U16 = 65536


class Model(Protocol):
    pins: tuple[Pin, ...]

    def see(self, change: Change) -> None: ...


def at(change: Change, pins: tuple[Pin, ...]) -> int | None:
    """Which of the pins a change is about, None when it is of another."""
    for index, pin in enumerate(pins):
        if "pin" in change and (pin == change["pin"] or pin in change["names"]):
            return index
    return None


class World:
    """Models around a board."""

    def __init__(self, changes: Changes, models: tuple[Model, ...]) -> None:
        self._changes = changes
        self._models = models

    def until(self, is_wanted: Callable[[], bool], timeout_s: float = ANSWER_S) -> None:
        """Let the models see what happens until it is as wanted. Raises SimulatorError when it never is."""
        deadline = time.monotonic() + timeout_s
        while not is_wanted():
            if time.monotonic() > deadline:
                raise SimulatorError(f"not so after {timeout_s} s: {[vars(model) for model in self._models]}")
            self._see(self._changes.until())

    def _see(self, change: Change) -> None:
        for model in self._models:
            model.see(change)


@contextmanager
def attached(board: VirtualBoard, *models: Model) -> Iterator[World]:
    """The models on their pins: they see how the pins are, and what happens to them until the `with` ends."""
    with board.watch() as changes:
        for model in models:
            for pin in model.pins:
                about = {"pin": pin, "names": (pin,)}
                channel = board.ask("pwm", pin=pin)
                if channel:
                    model.see({"change": "pwm", **about, **channel})
                else:
                    model.see({"change": "pin", **about, "value": board.pins[pin]})
        yield World(changes, models)


class Servo:
    """A hobby servo: 500 us of pulse is 0 degrees, 2500 us is 180, 50 pulses a second.

    is_held   there are pulses
    is_stuck  it fails: the lever stays where it is
    faults    pulses that it cannot follow
    """

    LOW_US, HIGH_US, RANGE_DEG = 500.0, 2500.0, 180.0
    RATES_HZ = range(40, 334)

    def __init__(self, pin: Pin) -> None:
        self.pins = (pin,)
        self.pulse_us = 0.0
        self.angle_deg: float | None = None        # nobody knows before the first pulse
        self.is_stuck = False
        self.faults: list[str] = []

    @property
    def is_held(self) -> bool:
        return self.pulse_us > 0

    def see(self, change: Change) -> None:
        if change["change"] != "pwm" or at(change, self.pins) is None:
            return
        freq_hz, duty = change["freq_hz"], change["duty_u16"]
        self.pulse_us = duty / FULL_U16 / freq_hz * 1e6 if freq_hz else 0.0
        if self.is_held and freq_hz not in self.RATES_HZ:
            self.faults.append(f"{freq_hz} pulses a second")
        elif self.is_held and not self.LOW_US <= self.pulse_us <= self.HIGH_US:
            self.faults.append(f"a pulse of {self.pulse_us:.0f} us")
        elif self.is_held and not self.is_stuck:
            self.angle_deg = (self.pulse_us - self.LOW_US) / (self.HIGH_US - self.LOW_US) * self.RANGE_DEG


class Stepper:
    """A geared four-phase motor (28BYJ-48) behind a driver with four inputs.

    It has no inertia: let go of two coils, it ends at the one that went last.

    half_steps  of the rotor since it was attached, forward is IN1, IN2, IN3, IN4
    coils       that are on, as bits, IN1 is 8
    open_coils  it fails: these inputs (0-3) move nothing
    faults      pairs of coils that fight, and jumps that may turn it either way
    """

    HALF_STEPS_A_TURN = 4075.7728      # 64 * 32/9 * 22/11 * 26/9 * 31/10, its gears
    FIELDS = {0b1000: 0, 0b1100: 1, 0b0100: 2, 0b0110: 3, 0b0010: 4, 0b0011: 5, 0b0001: 6, 0b1001: 7}

    def __init__(self, *pins: Pin) -> None:
        self.pins = pins
        self.half_steps = 0
        self.coils = 0
        self.open_coils: set[int] = set()
        self.faults: list[str] = []
        self._rotor: int | None = None             # 0-7: where in a cycle it stands, known after the first field

    @property
    def angle_deg(self) -> float:
        """Of the shaft."""
        return self.half_steps * 360 / self.HALF_STEPS_A_TURN

    def see(self, change: Change) -> None:
        which = at(change, self.pins)
        if change["change"] != "pin" or which is None:
            return
        bit = 8 >> which
        self.coils = self.coils | bit if change["value"] else self.coils & ~bit
        self._pull(self.coils & ~sum(8 >> coil for coil in self.open_coils))

    def _pull(self, coils: int) -> None:
        field = self.FIELDS.get(coils)
        if field is None:
            if coils:
                self.faults.append(f"coils {coils:04b} fight")
            return
        step = 0 if self._rotor is None else (field - self._rotor + 4) % 8 - 4
        if abs(step) > 2:
            self.faults.append(f"a jump of {abs(step)} half steps to {coils:04b}")
            return
        self._rotor = field
        self.half_steps += step


class DcMotor:
    """A motor on a bridge. speed: -1.0 (backward) to 1.0. is_blocked: it fails, and draws what it can."""

    def __init__(self, *pins: Pin) -> None:
        self.pins = pins
        self.is_blocked = False
        self._inputs = [0.0] * len(pins)           # share of the time that each is high

    def drive(self) -> float:
        """Share of the supply on the motor, with its sign."""
        raise NotImplementedError

    @property
    def speed(self) -> float:
        return 0.0 if self.is_blocked else self.drive()

    @property
    def is_stalled(self) -> bool:
        return self.is_blocked and self.drive() != 0

    @property
    def direction(self) -> str:
        return "forward" if self.speed > 0 else "backward" if self.speed < 0 else "stopped"

    def see(self, change: Change) -> None:
        which = at(change, self.pins)
        if which is not None and change["change"] == "pwm":
            self._inputs[which] = change["duty_u16"] / FULL_U16
        elif which is not None and change["change"] == "pin":
            self._inputs[which] = float(change["value"])


class L298N(DcMotor):
    """pins: in1, in2 (levels) and enable (PWM)."""

    def drive(self) -> float:
        forward, backward, enable = self._inputs
        return (forward - backward) * enable


class L9110(DcMotor):
    """pins: ia, ib (PWM)."""

    def drive(self) -> float:
        forward, backward = self._inputs
        return forward - backward


class Relay:
    """clicks: how often the contact moved. is_welded: it fails, and stays as it is."""

    def __init__(self, pin: Pin) -> None:
        self.pins = (pin,)
        self.is_closed = False
        self.is_welded = False
        self.clicks = 0

    def see(self, change: Change) -> None:
        if change["change"] == "pin" and at(change, self.pins) == 0 and not self.is_welded:
            self.clicks += bool(change["value"]) != self.is_closed
            self.is_closed = bool(change["value"])


class RotaryEncoder:
    """A knob with detents on two pins: at rest both are high, clockwise clk falls first.

    settle   called after each edge with the quarters turned so far; returns when the board has seen it. As it is, it
             does not wait, and edges come faster than from fingers.
    is_worn  it fails: dt bounces at each of its edges
    """

    CLOCKWISE = ((0, 1), (0, 0), (1, 0), (1, 1))           # clk, dt
    COUNTER = ((1, 0), (0, 0), (0, 1), (1, 1))

    def __init__(self, board: VirtualBoard, clk: Pin, dt: Pin) -> None:
        self.pins = (clk, dt)
        self.quarters = 0
        self.settle: Callable[[int], object] = lambda _: None
        self.is_worn = False
        self._board = board
        self._levels = [1, 1]
        board.pins[clk] = board.pins[dt] = 1

    def turn(self, detents: int) -> None:
        """Clockwise, or the other way when negative."""
        for _ in range(abs(detents)):
            for levels in self.CLOCKWISE if detents > 0 else self.COUNTER:
                self._put(levels, 1 if detents > 0 else -1)

    def nudge(self, quarters: int) -> None:
        """A bit, and back: the detent pulls it home."""
        path = (self.CLOCKWISE if quarters > 0 else self.COUNTER)[:abs(quarters)]
        for levels in path:
            self._put(levels, 1 if quarters > 0 else -1)
        for levels in [*path[-2::-1], (1, 1)]:
            self._put(levels, -1 if quarters > 0 else 1)

    def _put(self, levels: tuple[int, int], quarter: int) -> None:
        for index, level in enumerate(levels):
            if level != self._levels[index]:
                self._edge(index, level, quarter)

    def _edge(self, index: int, level: int, quarter: int) -> None:
        self._levels[index] = level
        for bounce in (level, 1 - level, level) if self.is_worn and index else (level,):
            self._board.pins[self.pins[index]] = bounce
            self.quarters += quarter if bounce == level else -quarter
            self.settle(self.quarters)
