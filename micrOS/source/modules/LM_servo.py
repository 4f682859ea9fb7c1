"""Two hobby servos on pins `servo_1`, `servo_2` (PWM, 50 Hz)."""
from micropython import const

from Common import once
from Drives import Lane, pulses, set_duty
from LogicalPins import physical_pins, pinmap_dump

PINS = ("servo_1", "servo_2")
_FREQ_HZ = const(50)
_LOW = const(40)              # duty 0-1023 of 20 ms: 0.8 ms
_HIGH = const(115)            # 2.2 ms
_CENTER = const(75)           # 1.5 ms
_TURN_MS = const(500)         # from one end to the other, at 0.17 s for 60 degrees


class Servos:
    """Both servos; each takes its pin when it moves first."""

    def __init__(self):
        self._channels = [None, None]
        self.duties = [_CENTER, _CENTER]      # last told
        self.demo = Lane("servo._demo")

    def turn(self, which, duty):
        """Move servo 0 or 1. duty: clamped to 40-115. Returns the text for the user."""
        if not isinstance(duty, (int, float)):
            raise ValueError("duty is a number, {}-{}, got {}".format(_LOW, _HIGH, duty))
        duty = max(_LOW, min(_HIGH, int(duty)))
        if self._channels[which] is None:
            self._channels[which] = pulses(physical_pins((PINS[which],))[0], _FREQ_HZ)
        set_duty(self._channels[which], duty)
        self.duties[which] = duty
        return "SET SERVO{}: duty: {}".format(which + 1, duty)

    def release(self):
        """No more pulses: the servos hold no longer."""
        self.demo.stop()
        for which, channel in enumerate(self._channels):
            if channel:
                channel.deinit()
                self._channels[which] = None

    def swing(self):
        """A move for the lane: all that servo 1 can do."""
        for duty in (_LOW, _HIGH, _CENTER):
            self.turn(0, duty)
            yield _TURN_MS


@once
def _servos():
    return Servos()


def sduty(duty=_CENTER):
    """Turn servo 1. duty: 40-115, clamped."""
    return _servos().turn(0, duty)


def s2duty(duty=_CENTER):
    """Turn servo 2. duty: 40-115, clamped."""
    return _servos().turn(1, duty)


def sdemo():
    """Servo 1 from end to end and back to the middle, in the background."""
    physical_pins(PINS[:1])
    _servos().demo.add(_servos().swing())
    return "sduty DEMO"


def deinit():
    """Let go of both servos."""
    _servos().release()
    return "Deinit servo 1 and 2"


def status(lmf=None):
    """Duties last told: {"S1", "S2"}; {"X": duty} of the servo that the function lmf turns."""
    first, second = _servos().duties
    if lmf is None:
        return {"S1": first, "S2": second}
    return {"X": second if lmf == "s2duty" else first}


def pinmap():
    return pinmap_dump(PINS)


def help():
    return "sduty duty=<40-115>", "s2duty duty=<40-115>", "sdemo", "deinit", "status lmf=<sduty,s2duty>", "pinmap"
