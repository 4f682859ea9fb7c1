"""Temperature and humidity by a DHT22 on pin `dhtpin`, read at most once in two seconds."""
from micropython import const

from Common import once
from LogicalPins import pinmap_dump

_PAUSE_MS = const(2000)         # AM2302 datasheet (Aosong), 7: two seconds between two reads


def pinmap():
    return pinmap_dump("dhtpin")


@once
def _sensor():
    from Climate import Dht
    from dht import DHT22
    return Dht("dht22", DHT22, _PAUSE_MS)


def measure(log=False):
    """{"temp [ºC]": degrees, "hum [%]": percent}. log: also write it into dht22.dat, which holds 12 lines."""
    return _sensor().measure(log)


def measure_w_co2(log=False):
    """The same with "co2 [ppm]": what the module co2 makes of it; log: as measure()."""
    from LM_co2 import measure_mq135
    return _sensor().measure(log, measure_mq135)


def logger():
    """Stream dht22.dat."""
    from DataLog import data_logger
    data_logger("dht22")
    return ""


def lmdep():
    return "co2"


def help():
    return "measure log=False", "measure_w_co2 log=False", "logger", "lmdep", "pinmap"
