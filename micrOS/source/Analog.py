"""Reading a voltage: raw, in percent, in volt."""
from micropython import const
from machine import ADC, Pin

from Inputs import Input
from LogicalPins import PinError

FULL = const(65535)
FULL_SCALE_V = 2.45       # of an ESP32 at 11 dB (ESP32 datasheet, ADC characteristics: 150-2450 mV)


class SmartADC:
    """One analogue input. pin: number or logical name. Raises PinError for a pin that is none."""

    _known = ()           # pairs (pin, SmartADC)

    def __init__(self, pin):
        self._input = Input(pin)
        try:
            self._adc = ADC(Pin(self._input.number))
        except ValueError:
            raise PinError("[io] Pin {} is no analogue input: {}".format(pin, self._input.number))
        if hasattr(ADC, "ATTN_11DB"):
            self._adc.atten(ADC.ATTN_11DB)

    def raw(self):
        """0-65535: the mean of two samples."""
        return (self._adc.read_u16() + self._adc.read_u16()) // 2

    def get(self):
        """{"raw": 0-65535, "percent": one decimal, "volt": two decimals}."""
        return values(self.raw())

    def signal(self, least=1):
        """raw() that is neither less than `least` nor the end of the scale. Raises InputError."""
        raw = self.raw()
        if raw < least:
            raise self._input.failure("0 V; is the sensor plugged in, and has it power?")
        if raw >= FULL:
            raise self._input.failure("{} V or more, the end of the scale".format(FULL_SCALE_V))
        self._input.works()
        return raw

    @classmethod
    def get_singleton(cls, pin):
        """The one SmartADC of this pin."""
        for known, adc in cls._known:
            if known == pin:
                return adc
        adc = cls(pin)
        SmartADC._known += ((pin, adc),)
        return adc


def values(raw):
    """What get() tells of a raw value."""
    share = raw / FULL
    return {"raw": raw, "percent": round(share * 100, 1), "volt": round(share * FULL_SCALE_V, 2)}
