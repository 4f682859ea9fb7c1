"""Moments that a person writes, or that a profile leaves out, as COSEM date-times; names of the classes.

Source: DLMS UA Blue Book, 4.1.6.1 (date and time), table of interface classes.
"""
import struct

from .cosem import named
from .cosem_text import NO_DEVIATION, TimeError, moment, within

_CLASSES = (
    "1 data,3 register,4 extended register,5 demand register,6 register activation,7 profile,8 clock,"
    "9 script table,11 special days,15 association,17 SAP assignment,18 image transfer,"
    "20 activity calendar,21 register monitor,22 schedule,23 HDLC set-up,40 push set-up,"
    "41 TCP set-up,42 IPv4 set-up,61 register table,63 status mapping,64 security set-up,"
    "70 disconnector,71 limiter,72 M-Bus client")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def class_name(number):
    return named(_CLASSES, number)


def moment_octets(text):
    """The 12 octets of `2024-01-02`, `2024-01-02 03:04` or `2024-01-02T03:04:05`. Raises TimeError."""
    parts = text.replace("T", " ").replace("-", " ").replace(":", " ").split()
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (3, 5, 6):
        raise TimeError("a moment is like 2024-01-02 or 2024-01-02T03:04:05, got {}".format(text))
    year, month, day, hour, minute, second = numbers + [0] * (6 - len(numbers))
    for number, low, high in ((year, 1, 9999), (month, 1, 12), (hour, 0, 23), (minute, 0, 59), (second, 0, 59)):
        within(number, low, high)
    within(day, 1, _DAYS[month - 1])
    return struct.pack(">H6BBhB", year, month, day, 0xFF, hour, minute, second, 0xFF, NO_DEVIATION, 0xFF)


def later(octets, seconds):
    """The octets of a moment so many seconds after this one, None when it is not whole. Raises TimeError."""
    from .civil import fields, seconds as count
    year, month, day, _, hour, minute, second, _ = moment(octets)
    if None in (year, month, day, hour, minute, second):
        return None
    year, month, day, hour, minute, second = fields(count(year, month, day, hour, minute, second) + seconds)
    return struct.pack(">H6B", year, month, day, 0xFF, hour, minute, second) + octets[8:]
