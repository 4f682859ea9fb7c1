"""BME280: from raw readings and the chip's calibration to degrees, hectopascal and percent.

In whole numbers, for a board's floats have 24 bits only. Source: BST-BME280-DS002, 4.2.2 (calibration) and 4.2.3.
"""
import struct

CHIP_ID = 0x60
SKIPPED = 0x80000            # what stands in a reading of temperature or pressure that was not made (5.4.7, 5.4.8)
SKIPPED_HUMIDITY = 0x8000


class Calibration:
    """The trimming that one chip has got at the factory.

    low     26 bytes from register 0x88
    high    7 bytes from register 0xE1
    Raises ValueError when no chip can have such a block.
    """

    def __init__(self, low, high):
        words = struct.unpack("<HhhHhhhhhhhh", low[:24])
        self.t = words[:3]
        self.p = words[3:]
        h2, h3, h4, middle, h5, h6 = struct.unpack("<hBbBbb", high)
        # table 16: H4 and H5 have 12 bits each and share a byte
        self.h = low[25], h2, h3, h4 * 16 + (middle & 15), h5 * 16 + (middle >> 4), h6
        if not words[0] or not words[3]:
            raise ValueError("no calibration in the chip")


def readings(data):
    """(pressure, temperature, humidity) out of 8 bytes from register 0xF7."""
    return (data[0] << 12 | data[1] << 4 | data[2] >> 4, data[3] << 12 | data[4] << 4 | data[5] >> 4,
            data[6] << 8 | data[7])


def climate(calibration, data):
    """(degrees, percent, hPa), two decimals each. data: 8 bytes from register 0xF7

    Raises ValueError when a value is missing.
    """
    pressure, temperature, humidity = readings(data)
    if SKIPPED in (pressure, temperature) or humidity == SKIPPED_HUMIDITY:
        raise ValueError("a measurement was skipped")
    fine = fine_temperature(calibration.t, temperature)
    return (_rounded((fine * 5 + 128 >> 8) / 100), _rounded(percent_q10(calibration.h, humidity, fine) / 1024),
            _rounded(pascal_q8(calibration.p, pressure, fine) / 25600))


def _rounded(value):
    return float("{:.2f}".format(value))


def fine_temperature(t, raw):
    """Temperature in 1/5120 degree, as the other two formulas want it."""
    linear = ((raw >> 3) - (t[0] << 1)) * t[1] >> 11
    off = (raw >> 4) - t[0]
    return linear + ((off * off >> 12) * t[2] >> 14)


def pascal_q8(p, raw, fine):
    """Pressure in 1/256 Pa."""
    warm = fine - 128000
    offset = warm * warm * p[5] + (warm * p[4] << 17) + (p[3] << 35)
    scale = (warm * warm * p[2] >> 8) + (warm * p[1] << 12)
    scale = ((1 << 47) + scale) * p[0] >> 33
    if scale <= 0:
        raise ValueError("no calibration in the chip")
    value = ((1048576 - raw << 31) - offset) * 3125 // scale
    square = p[8] * (value >> 13) * (value >> 13) >> 25
    return (value + square + (p[7] * value >> 19) >> 8) + (p[6] << 4)


def percent_q10(h, raw, fine):
    """Relative humidity in 1/1024 %, 0 to 100 %."""
    warm = fine - 76800
    gain = ((warm * h[5] >> 10) * ((warm * h[2] >> 11) + 32768) >> 10) + 2097152
    value = ((raw << 14) - (h[3] << 20) - h[4] * warm + 16384 >> 15) * (gain * h[1] + 8192 >> 14)
    value -= ((value >> 15) * (value >> 15) >> 7) * h[0] >> 4
    return min(max(value, 0), 419430400) >> 12
