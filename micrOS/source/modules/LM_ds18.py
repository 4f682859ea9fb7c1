"""Temperature by DS18B20 thermometers on the 1-wire bus at pin `ds18`."""
import asyncio
from machine import Pin
from micropython import const

from Common import once
from Inputs import Input
from LogicalPins import pinmap_dump

# DS18B20 datasheet (Maxim 19-7487)
_CONVERSION_MS = const(760)      # table 2: at most 750 at 12 bits; a tick may be cut off
_POWER_ON_DEG = const(85)        # table 1: what it tells before the first conversion
_SKIP_ROM = const(0xCC)
_READ_POWER_SUPPLY = const(0xB4)


class Thermometers:
    """All sensors on the bus. They convert together, and somebody else works meanwhile."""

    def __init__(self):
        from ds18x20 import DS18X20
        from onewire import OneWire
        self._input = Input("ds18")
        self._line = Pin(self._input.number, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
        self._bus = OneWire(self._line)
        self._sensors = DS18X20(self._bus)
        self._turn = asyncio.Lock()

    async def measure(self):
        """Degrees of each sensor, in the order in which the bus finds them; [] without any. Raises InputError."""
        async with self._turn:
            roms = self._roms()
            if not roms:
                self._input.failure("no sensor answers")
                return []
            degrees = await self._converted(roms)
            if _POWER_ON_DEG in degrees:     # plugged in just now: once more
                degrees = await self._converted(roms)
            if _POWER_ON_DEG in degrees and self._lacks_power():
                raise self._input.failure("a sensor stays at 85; it has to have 3.3 V at its pin VDD")
            self._input.works()
            return degrees

    def _roms(self):
        self._line.value(1)
        if not self._line.value():
            raise self._input.failure("held low; the wire is shorted")
        return [rom for rom in self._sensors.scan() if not self._bus.crc8(rom)]

    async def _converted(self, roms):
        try:
            self._sensors.convert_temp()
        except Exception:                # the drivers of the firmware raise what they like
            raise self._input.failure("no sensor answers")
        await asyncio.sleep_ms(_CONVERSION_MS)
        return [self._read(rom) for rom in roms]

    def _read(self, rom):
        try:
            degrees = self._sensors.read_temp(rom)
            # a sensor that died on the bus gives zeros, whose checksum is right
            if degrees or any(self._sensors.read_scratch(rom)):
                return degrees
            why = "nothing but zeros"
        except Exception as error:       # as above
            why = str(error) or "no answer"
        raise self._input.failure("sensor {}: {}".format("".join(["{:02x}".format(byte) for byte in rom]), why))

    def _lacks_power(self):
        """True when a sensor lives on the wire alone: while it converts, that would need a stronger pull-up."""
        self._bus.reset()
        self._bus.writebyte(_SKIP_ROM)
        self._bus.writebyte(_READ_POWER_SUPPLY)
        return not self._bus.readbit()


@once
def _thermometers():
    return Thermometers()


async def measure():
    """{"temp [ºC]": degrees} of one sensor, a list of degrees of several, a text when there is none."""
    degrees = await _thermometers().measure()
    if not degrees:
        return "Sensor(s) was not found. ds18 (pin {})".format(pinmap()["ds18"])
    return degrees if len(degrees) > 1 else {"temp [ºC]": degrees[0]}


def pinmap():
    return pinmap_dump("ds18")


def help():
    return "measure", "pinmap"
