"""CO2 by an MQ135 gas sensor on pin `co2`. It has to be hot for a day before it tells the truth."""
from Analog import FULL
from Common import SmartADC
from LogicalPins import pinmap_dump
from pure.mq135 import co2_ppm, resistance_kohm, verdict

_PINS = ("co2",)


def _resistance_kohm():
    return resistance_kohm(SmartADC.get_singleton("co2").signal() / FULL)


def _within(name, value, low, high):
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError("{} is {} to {}, got {}".format(name, low, high, value))


def raw_measure_mq135():
    """`<kOhm>/(1023, 3.6)`: the resistance of the sensor; what follows is the scale that 1.20 measured with."""
    return "{}/(1023, 3.6)".format(_resistance_kohm())


def measure_mq135(temperature=None, humidity=None):
    """`<ppm> - PERFECT|POOR|WARNING|CRITICAL`. temperature: -40 to 80 degrees; humidity: 0-100 %"""
    if temperature is None or humidity is None:
        return "Missing mandatory parameters: temperature and/or humidity"
    _within("temperature", temperature, -40, 80)
    _within("humidity", humidity, 0, 100)
    ppm = co2_ppm(_resistance_kohm(), temperature, humidity)
    return "{:.2f} - {}".format(ppm, verdict(ppm))


def pinmap():
    return pinmap_dump(_PINS)


def help():
    return "raw_measure_mq135", "measure_mq135 temperature=<degrees> humidity=<percent>", "pinmap"
