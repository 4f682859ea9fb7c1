"""Reading a voltage: raw, in percent, in volt."""
from micropython import const
from LogicalPins import physical_pin
from machine import ADC, Pin

_FULL = const(65535)
FULL_SCALE_V = 2.45       # of an ESP32 at 11 dB (ESP32 datasheet, ADC characteristics: 150-2450 mV)


class SmartADC:
    """One analogue input. pin: number or logical name."""

    _known = ()           # pairs (pin, SmartADC)

    def __init__(self, pin):
        self._adc = ADC(Pin(physical_pin(pin)))
        if hasattr(ADC, "ATTN_11DB"):
            self._adc.atten(ADC.ATTN_11DB)

    def get(self):
        """{"raw": 0-65535, "percent": one decimal, "volt": two decimals}; the mean of two samples."""
        raw = (self._adc.read_u16() + self._adc.read_u16()) // 2
        share = raw / _FULL
        return {"raw": raw, "percent": round(share * 100, 1), "volt": round(share * FULL_SCALE_V, 2)}

    @classmethod
    def get_singleton(cls, pin):
        """The one SmartADC of this pin."""
        for known, adc in cls._known:
            if known == pin:
                return adc
        adc = cls(pin)
        SmartADC._known += ((pin, adc),)
        return adc
