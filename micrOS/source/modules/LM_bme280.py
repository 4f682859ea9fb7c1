"""Temperature, humidity and air pressure by a BME280 on the I2C bus, address 0x76 or else 0x77."""
import time
from collections import OrderedDict
from micropython import const

from Common import once
from LogicalPins import pinmap_dump

# BST-BME280-DS002
_ADDRESSES = 0x76, 0x77          # 6.2: SDO at ground, or at the supply
_CALIBRATION_LOW, _CALIBRATION_HIGH, _ID, _HUMIDITY_CONTROL, _STATUS, _CONTROL, _DATA = (
    0x88, 0xE1, 0xD0, 0xF2, 0xF3, 0xF4, 0xF7)
_ONCE = const(0x25)              # 5.4.5: temperature and pressure once each, forced mode
_MEASURING = const(8)            # 5.4.4
_LONGEST_MS = const(10)          # 9.1: 9.3 ms at most, one sample of each
_RETRIES = const(3)
PRESSURE = "pressure [hPa]"


class Sensor:
    """Keeps nothing between two measurements: a chip that was unplugged, or another one, simply works."""

    def __init__(self):
        from Part import Part
        self._part = Part("bme280", *_ADDRESSES)

    def measure(self):
        """(degrees, percent, hPa). Raises InputError."""
        from pure.bme280 import CHIP_ID, Calibration, climate
        self._part.identify(_ID, bytes((CHIP_ID,)))
        try:
            calibration = Calibration(self._part.read(_CALIBRATION_LOW, 26), self._part.read(_CALIBRATION_HIGH, 7))
            values = climate(calibration, self._forced())
        except ValueError as error:
            raise self._part.failure(str(error))
        if not (-40 <= values[0] <= 85 and 300 <= values[2] <= 1100):      # table 1: what it is made for
            raise self._part.failure("{} ºC and {} hPa cannot be".format(values[0], values[2]))
        self._part.works()
        return values

    def _forced(self):
        """The readings of one measurement."""
        self._part.write(_HUMIDITY_CONTROL, 1)           # 5.4.3: counts with the next write of the other
        self._part.write(_CONTROL, _ONCE)
        for _ in range(_RETRIES):
            time.sleep_ms(_LONGEST_MS)
            if not self._part.read(_STATUS, 1)[0] & _MEASURING:
                return self._part.read(_DATA, 8)
        raise self._part.failure("a measurement does not end")


@once
def _sensor():
    return Sensor()


def measure():
    """{"temp [ºC]": degrees, "hum [%]": percent, "pressure [hPa]": hPa}. Raises InputError."""
    from Climate import HUM, TEMP
    return OrderedDict(zip((TEMP, HUM, PRESSURE), _sensor().measure()))


def measure_w_co2():
    """The same with "co2 [ppm]": what the module co2 makes of it."""
    from Climate import add_co2
    from LM_co2 import measure_mq135
    reading = measure()
    add_co2(reading, measure_mq135)
    return reading


def lmdep():
    return "co2"


def pinmap():
    from Part import WIRES
    return pinmap_dump(WIRES)


def help():
    return "measure", "measure_w_co2", "lmdep", "pinmap"
