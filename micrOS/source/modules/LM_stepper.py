"""A 28BYJ-48 stepper motor behind a ULN2003 driver on pins `stppr_1` to `stppr_4`."""
from micropython import const

from Common import once
from Drives import Lane, outputs, whole
from LogicalPins import pinmap_dump

PINS = ("stppr_1", "stppr_2", "stppr_3", "stppr_4")
# The eight half steps of a cycle, IN1 is bit 3. FULL takes every second one, with two coils on.
_COILS = b"\x08\x0c\x04\x06\x02\x03\x01\x09"
# Half steps per turn: 64 of the motor times its gears, 32/9 * 22/11 * 26/9 * 31/10 (not 64, as data sheets round it)
_HALF_STEPS = 64 * 32 * 22 * 26 * 31 / (9 * 11 * 9 * 10)
# mode: (half steps at a time, ms each). It starts at up to 600 half steps a second, runs at up to 1000 (data sheet)
_MODES = {"HALF": (1, 2), "FULL": (2, 4)}
_MOST = const(100000)             # cycles or degrees in one go


class Stepper:
    """Four coils; which half step of the cycle they are at."""

    def __init__(self, pins):
        self._pins = pins
        self._lit = 0             # bits of the coils that are on
        self._phase = 0           # 0-7, where it stands
        self._stride, self.wait_ms = _MODES["HALF"]
        self.lane = Lane("stepper._move")      # when done it holds its place; standby() lets go

    def set_mode(self, mode):
        if mode not in _MODES:
            raise ValueError("mode is HALF or FULL, got {}".format(mode))
        self._stride, self.wait_ms = _MODES[mode]

    def add(self, half_steps, speed):
        """Move after what moves; backward when negative. speed: ms per step, None: the mode's. Returns it."""
        wait_ms = self.wait_ms if speed is None else whole("speed", speed, 1, 1000)
        self.lane.add(self._walk(round(half_steps / self._stride), self._stride, wait_ms))
        return wait_ms

    def off(self):
        self.lane.stop()
        self._light(0)

    def _walk(self, steps, stride, wait_ms):
        way = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            is_between = stride == 2 and self._phase % 2 == 0      # of full steps: half a one leads to the next
            self._phase = (self._phase + way * (1 if is_between else stride)) % 8
            self._light(_COILS[self._phase])
            yield wait_ms

    def _light(self, coils):
        """Those that go off first, so that never more than two are on."""
        for change in (self._lit & ~coils, coils & ~self._lit):
            for at, pin in enumerate(self._pins):
                if change & 8 >> at:
                    pin.value(not self._lit & 8 >> at)
        self._lit = coils


@once
def _stepper():
    return Stepper(outputs(PINS))


def load_n_init(mode="HALF"):
    """mode: HALF steps, or FULL steps (stronger, coarser)."""
    _stepper().set_mode(mode)


def angle(dg, speed=None):
    """Turn the shaft by dg degrees, backward when negative, in the background. speed: ms per step, 1-1000."""
    if not isinstance(dg, (int, float)) or not -_MOST <= dg <= _MOST:
        raise ValueError("dg is in degrees, up to {} either way, got {}".format(_MOST, dg))
    return "Move {} degree ({} ms)".format(dg, _stepper().add(_HALF_STEPS * dg / 360, speed))


def step(st, speed=None):
    """Turn by st cycles of the coils (eight half steps, 509.5 cycles a turn), backward when negative, as angle()."""
    whole("st", st, -_MOST, _MOST)
    return "Move {} step ({} ms)".format(st, _stepper().add(8 * st, speed))


def standby():
    """Stop, and let go: no coil is on."""
    _stepper().off()
    return "Standby"


def pinmap():
    return pinmap_dump(PINS)


def help():
    return ("angle dg=<degrees> speed=<ms per step>", "step st=<cycles> speed=<ms per step>", "standby",
            "load_n_init mode=<HALF,FULL>", "pinmap")
