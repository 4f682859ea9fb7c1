"""machine.PWM: integers only, and no more channels than the chip has."""
# ruff: noqa: RET503, E402 - getter and setter in one, as the port has them
from machine import Pin
from _vboard import ask, tell


def _within(name, value, top):
    range(value)               # TypeError for a float, with the port's own words
    if not 0 <= value <= top:
        raise ValueError("%s must be between 0 and %d" % (name, top))
    return value


class PWM:
    def __init__(self, pin, freq=-1, duty=-1, *, duty_u16=-1, duty_ns=-1, **_):
        self._pin = Pin(pin).id
        self._freq, self._u16 = 5000, 32768
        self.init(freq, duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, freq=-1, duty=-1, *, duty_u16=-1, duty_ns=-1, **_):
        range(freq)
        hz = self._freq if freq == -1 else freq
        level = self._u16
        if duty != -1:
            level = _within("duty", duty, 1023) << 6
        elif duty_u16 != -1:
            level = _within("duty_u16", duty_u16, 65535)
        elif duty_ns != -1:
            level = min(65535, duty_ns * hz * 65536 // 1000000000)
        ask("pwm %d %d %d\n" % (self._pin, hz, level))
        self._freq, self._u16 = hz, level

    def freq(self, hz=None):
        if hz is None:
            return self._freq
        self.init(hz)

    def duty(self, level=None):
        if level is None:
            return self._level() >> 6
        self._set(_within("duty", level, 1023) << 6)

    def duty_u16(self, level=None):
        if level is None:
            return self._level()
        self._set(_within("duty_u16", level, 65535))

    def duty_ns(self, ns=None):
        if ns is None:
            return self._level() * 1000000000 // (65536 * self._freq)
        self._set(min(65535, ns * self._freq * 65536 // 1000000000))

    def deinit(self):
        self._u16 = None
        tell("pwmoff %d\n" % self._pin)

    def _level(self):
        if self._u16 is None:
            raise RuntimeError("PWM is inactive")
        return self._u16

    def _set(self, level):
        self._level()
        self._u16 = level
        tell("duty %d %d\n" % (self._pin, level))


from sys import platform
if platform == "rp2":
    del PWM.duty               # the rp2 port counts in u16 and ns only
