"""What an ESP32 measures inside: temperature and magnetic field; a touch pad on pin `touch_0`; a TinyPICO's battery."""
from Common import once
from Inputs import Input
from LogicalPins import pinmap_dump


class Pad:
    """The touch pad: the more there is at it, the lower it counts."""

    def __init__(self):
        from machine import Pin, TouchPad
        self._input = Input("touch_0")
        self._pad = TouchPad(Pin(self._input.number))

    def count(self):
        """Raises InputError for a pad that counts nothing."""
        value = self._pad.read()
        if not value:
            raise self._input.failure("counts 0; is the pad shorted?")
        self._input.works()
        return value


@once
def _pad():
    return Pad()


def _chip():
    """The firmware's module of this name. Raises OSError on another chip."""
    try:
        import esp32
        return esp32
    except ImportError:
        raise OSError("this board has no ESP32")


def hall():
    """Magnetic field, raw. Only the first ESP32 has the sensor, and only older firmware reads it."""
    try:
        return _chip().hall_sensor()
    except AttributeError:
        raise OSError("this chip or its firmware reads no hall sensor")


def temp():
    """{"CPU temp [ºC]": text with one decimal}."""
    chip = _chip()
    # the first ESP32 counts in Fahrenheit, those after it have the other function
    degrees = (chip.raw_temperature() - 32) / 1.8 if hasattr(chip, "raw_temperature") else chip.mcu_temperature()
    return {"CPU temp [ºC]": "{:.1f}".format(degrees)}


def touch(triglvl=300):
    """{"isTouched": the count is below triglvl, "value": count}."""
    if not isinstance(triglvl, (int, float)):
        raise ValueError("triglvl is a number, got {}".format(triglvl))
    value = _pad().count()
    return {"isTouched": value < triglvl, "value": value}


def battery():
    """{"volt": of the battery, "state": it is charged just now}; TinyPICO only."""
    try:
        from tinypico import get_battery_charging, get_battery_voltage
    except ImportError:
        raise OSError("only a TinyPICO measures its battery")
    return {"volt": get_battery_voltage(), "state": get_battery_charging()}


def pinmap():
    return pinmap_dump("touch_0")


def help():
    return "hall", "temp", "touch triglvl=300", "battery", "pinmap"
