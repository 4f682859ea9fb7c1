"""Temperature and humidity by a DHT11 on pin `dhtpin`, read at most once in a second."""
from micropython import const

from Common import once
from LogicalPins import pinmap_dump

_PAUSE_MS = const(1000)         # DHT11 datasheet (Aosong), 5: one second between two reads


def pinmap():
    return pinmap_dump("dhtpin")


@once
def _sensor():
    from Climate import Dht
    from dht import DHT11
    return Dht("dht11", DHT11, _PAUSE_MS)


def measure(log=False):
    """{"temp [ºC]": degrees, "hum [%]": percent}. log: also write it into dht11.dat, which holds 12 lines."""
    return _sensor().measure(log)


def measure_w_co2(log=False):
    """The same with "co2 [ppm]": what the module co2 makes of it; log: as measure()."""
    from LM_co2 import measure_mq135
    return _sensor().measure(log, measure_mq135)


def logger():
    """Stream dht11.dat."""
    from DataLog import data_logger
    data_logger("dht11")
    return ""


def lmdep():
    return "co2"


def help():
    return "measure log=False", "measure_w_co2 log=False", "logger", "lmdep", "pinmap"
