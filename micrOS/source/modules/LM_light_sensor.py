"""Light by a TEMT6000 on pin `temp6000`. A dark one and one that is not plugged in look alike."""
from Analog import FULL, FULL_SCALE_V
from Common import SmartADC
from LogicalPins import pinmap_dump

_LOAD_OHM = 10000              # of the usual board
_AMPERES_PER_LUX = 0.5e-6      # TEMT6000X01 datasheet (Vishay 81579), Basic Characteristics: 50 uA at 100 lx


def _sensor():
    return SmartADC.get_singleton("temp6000")


def intensity():
    """{"light intensity [%]": of the scale}."""
    return {"light intensity [%]": _sensor().get()["percent"]}


def illuminance():
    """{"illuminance [lux]": text with two decimals}."""
    volts = _sensor().signal(least=0) / FULL * FULL_SCALE_V
    return {"illuminance [lux]": "{:.2f}".format(volts / _LOAD_OHM / _AMPERES_PER_LUX)}


def pinmap():
    return pinmap_dump("temp6000")


def help():
    return "intensity", "illuminance", "pinmap"
