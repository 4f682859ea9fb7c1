"""machine.ADC: on ADC pins only; the reading is what the host has put there."""
from machine import Pin
from _vboard import ask


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 9, 10, 11, 12

    def __init__(self, pin, *, atten=0, sample_ns=0):
        self._pin = Pin(pin).id
        self._bits = 12
        self.read_u16()

    def init(self, *, atten=0):
        self.atten(atten)

    def atten(self, atten):
        if atten not in (0, 1, 2, 3):
            raise ValueError("invalid atten")

    def width(self, bits):
        if bits not in (9, 10, 11, 12):
            raise ValueError("invalid bits")
        self._bits = bits

    def read_u16(self):
        return ask("adc %d\n" % self._pin)

    def read(self):
        return self.read_u16() >> 16 - self._bits

    def read_uv(self):
        return self.read_u16() * 3300000 // 65535
