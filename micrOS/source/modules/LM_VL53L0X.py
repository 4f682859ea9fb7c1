"""Distance by the flight of light: a VL53L0X on the I2C bus, address 0x29.

Left out of the start-up that ST's API does: its table of tuning values, which no datasheet explains, and the map of
reference diodes (SPADs) out of the chip's memory. A chip ranges without them, over less distance and less steadily.
"""
import time
from micropython import const

from Common import once
from LogicalPins import pinmap_dump

# Datasheet DocID029104: 3.2 (address, identity), 2.6 (33 ms for a measurement). The rest is known from the names in
# ST's API, UM2039: DataInit, PerformRefCalibration, PerformSingleRangingMeasurement.
_ADDRESS = const(0x29)
_START, _SEQUENCE, _INTERRUPTS, _CLEAR, _DONE, _RESULT = const(0x00), const(0x01), const(0x0A), const(0x0B), \
    const(0x13), const(0x14)
_PADS, _STOP, _IDENTITY, _PAGE = const(0x89), const(0x91), const(0xC0), const(0xFF)
_EXPECTED = b"\xee\xaa\x10"
_RANGING = const(0xE8)               # steps of a measurement: DSS, pre-range, final range
_CALIBRATIONS = ((1, 0x41), (2, 0x01))       # the one step of a sequence, and how it starts: voltage, then phase
_VALID = const(11)                   # device range status
_POLL_MS, _POLLS = const(5), const(40)
_REACH_MM = const(2000)


class Ranger:
    """One chip; set up again when it has lost its power since."""

    def __init__(self):
        from Part import Part
        self._part = Part("VL53L0X", _ADDRESS)
        self._stop = None            # a value of this chip, which it wants to be told; None: not set up

    def measure_mm(self):
        """Raises InputError."""
        self._part.identify(_IDENTITY, _EXPECTED)
        # after power-on its pads are set for 1.8 V: that tells whether it is still the one that was set up
        if self._stop is None or not self._part.read(_PADS, 1)[0] & 1:
            self._set_up()
        self._private(self._stop)
        self._run(1)
        result = self._part.read(_RESULT, 12)
        self._part.write(_CLEAR, 1)
        self._part.works()
        status, distance_mm = result[0] >> 3 & 15, result[10] << 8 | result[11]
        if status != _VALID or distance_mm > _REACH_MM:
            raise self._part.error("Out of range: nothing within {} mm (status {})".format(_REACH_MM, status))
        return distance_mm

    def _set_up(self):
        self._stop = None
        self._part.write(0x88, 0)
        stop = self._private()
        self._part.write(_INTERRUPTS, 4)             # tell when a measurement is over
        for sequence, start in _CALIBRATIONS:
            self._part.write(_SEQUENCE, sequence)
            self._run(start)
            self._part.write(_CLEAR, 1)
            self._part.write(_START, 0)
        self._part.write(_SEQUENCE, _RANGING)
        self._part.write(_PADS, self._part.read(_PADS, 1)[0] | 1)
        self._stop = stop

    def _private(self, stop=None):
        """Read the stop variable, or write it, on the page where it lies."""
        for register, value in ((0x80, 1), (_PAGE, 1), (0x00, 0)):
            self._part.write(register, value)
        if stop is None:
            stop = self._part.read(_STOP, 1)[0]
        else:
            self._part.write(_STOP, stop)
        for register, value in ((0x00, 1), (_PAGE, 0), (0x80, 0)):
            self._part.write(register, value)
        return stop

    def _run(self, start):
        """Start a measurement or calibration; returns when it is over."""
        self._part.write(_START, start)
        for _ in range(_POLLS):
            time.sleep_ms(_POLL_MS)
            if self._part.read(_DONE, 1)[0] & 7:
                return
        self._stop = None
        raise self._part.failure("a measurement does not end")


@once
def _ranger():
    return Ranger()


def measure():
    """Millimetres, whole, up to 2000. Raises InputError, also when nothing is in reach."""
    return _ranger().measure_mm()


def pinmap():
    from Part import WIRES
    return pinmap_dump(WIRES)


def help():
    return "measure", "pinmap"
