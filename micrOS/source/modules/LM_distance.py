"""Distance by an HC-SR04: pins `hcsrtrig` and `hcsrecho`."""
import time
from machine import Pin, time_pulse_us
from micropython import const

from Common import once
from Inputs import Input
from LogicalPins import physical_pins, pinmap_dump

_PINS = ("hcsrtrig", "hcsrecho")
_TRIGGER_US = const(10)
_WAIT_US = const(25000)        # for the echo to begin, and for it to end: 4 m are 23.3 ms
_LAST_MS = const(200)          # without an obstacle some clones hold the echo pin high so long
_NEAR_MM, _FAR_MM = 20, 4000   # HC-SR04 datasheet (ElecFreaks): 2-400 cm


class Ranger:
    """The sensor; its pins are set up when it measures, so that deinit() may let go of them."""

    def __init__(self):
        self._trigger, _ = physical_pins(_PINS)
        self._echo = Input("hcsrecho")
        self._pins = None
        self._asked_ms = time.ticks_add(time.ticks_ms(), -_LAST_MS)

    def echo_us(self):
        """Way there and back, of a distance that the sensor can measure. Raises InputError."""
        trigger, echo = self._started()
        if echo.value():
            if time.ticks_diff(time.ticks_ms(), self._asked_ms) < _LAST_MS:
                raise self._echo.error("the last echo is not over; ask again in {} ms".format(_LAST_MS))
            raise self._echo.failure("high before the call; it is stuck")
        self._asked_ms = time.ticks_ms()
        trigger.value(1)
        time.sleep_us(_TRIGGER_US)
        trigger.value(0)
        length_us = time_pulse_us(echo, 1, _WAIT_US)
        if length_us == -2:
            raise self._echo.failure("no answer; is the sensor plugged in, and has it power?")
        self._echo.works()
        if not 0 <= length_us <= _WAIT_US or not _NEAR_MM <= _millimetres(length_us) <= _FAR_MM:
            raise self._echo.error("Out of range: nothing between {} and {} mm".format(_NEAR_MM, _FAR_MM))
        return length_us

    def _started(self):
        if self._pins is None:
            self._pins = Pin(self._trigger, Pin.OUT, value=0), Pin(self._echo.number, Pin.IN)
        return self._pins

    def stop(self):
        if self._pins:
            self._pins[0].init(Pin.IN)
            self._pins = None


@once
def _ranger():
    return Ranger()


def _millimetres(length_us):
    """Sound goes 1 mm there and back in 5.82 us, at 21 degrees."""
    return length_us * 100 // 582


def distance_mm():
    return _millimetres(_ranger().echo_us())


def distance_cm():
    return _ranger().echo_us() / 2 / 29.1


def deinit():
    """Let go of the pins; the next measurement takes them again."""
    _ranger().stop()


def pinmap():
    return pinmap_dump(_PINS)


def help():
    return "distance_mm", "distance_cm", "deinit", "pinmap"
