"""What tells the climate of a room: sensors of the DHT family, and the CO2 that is computed with their values."""
import time
from collections import OrderedDict

from Inputs import Input, InputError
from LogicalPins import PinError

TEMP, HUM, CO2 = "temp [ºC]", "hum [%]", "co2 [ppm]"
_COLDEST_DEG, _HOTTEST_DEG = -40, 80       # DHT22 datasheet (Aosong AM2302), section 6; a DHT11 measures less


class Dht:
    """A sensor on pin `dhtpin`.

    name      of the load module: the log is `<name>.dat`
    driver    class of the firmware's module dht
    pause_ms  which the sensor wants between two reads; who asks sooner is told the last values
    """

    def __init__(self, name, driver, pause_ms):
        from machine import Pin
        self._name = name
        self._input = Input("dhtpin")
        self._sensor = driver(Pin(self._input.number))
        self._pause_ms = pause_ms
        self._read_ms = 0
        self._values = None              # (degrees, percent); None: the last read failed

    def measure(self, log, co2=None):
        """{"temp [ºC]": degrees, "hum [%]": percent}. Raises InputError.

        log     also write it into the log
        co2     function(temperature, humidity) whose text goes in under "co2 [ppm]"
        """
        if not self._values or time.ticks_diff(time.ticks_ms(), self._read_ms) >= self._pause_ms:
            self._read()
        reading = OrderedDict(zip((TEMP, HUM), self._values))
        if co2:
            add_co2(reading, co2)
        if log:
            import json
            from DataLog import data_logger
            data_logger(self._name, json.dumps(reading))
        return reading

    def _read(self):
        self._values = None
        self._read_ms = time.ticks_ms()
        try:
            self._sensor.measure()
        except OSError:
            raise self._input.failure("no answer; is the sensor plugged in, and has it power?")
        except Exception as error:       # for a wrong checksum the firmware's driver raises just this
            raise self._input.failure("the answer is garbled: {}".format(error))
        degrees, percent = _tidy(self._sensor.temperature()), _tidy(self._sensor.humidity())
        # air is never quite dry: 0 % is a line that lay low, whose checksum is right
        if not _COLDEST_DEG <= degrees <= _HOTTEST_DEG or not 0 < percent <= 100:
            raise self._input.failure("{} ºC and {} % cannot be; is it the other kind of DHT?".format(degrees, percent))
        self._input.works()
        self._values = degrees, percent


def _tidy(value):
    """With one decimal; the driver multiplies by 0.1, which gives 23.400000000000002."""
    return value if isinstance(value, int) else float("{:.1f}".format(value))


def add_co2(reading, measure):
    """Put what measure(temperature, humidity) tells, or why it does not, under "co2 [ppm]" into a reading."""
    try:
        reading[CO2] = measure(reading[TEMP], reading[HUM])
    except (InputError, PinError) as error:
        reading[CO2] = str(error)
