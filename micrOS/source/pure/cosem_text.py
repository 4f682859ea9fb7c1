"""What COSEM values mean to a person: date-times, units, scaled numbers.

Source: DLMS UA Blue Book, 4.1.6.1 (date and time), 4.3.2 (scaler and unit), table 4 (units).
"""
import struct

from .cosem import named

_UNITS = (
    "1 a,2 mo,3 wk,4 d,5 h,6 min,7 s,8 deg,9 degC,11 m,12 m/s,13 m3,14 m3,15 m3/h,16 m3/h,17 m3/d,"
    "18 m3/d,19 l,20 kg,21 N,22 Nm,23 Pa,24 bar,25 J,26 J/h,27 W,28 VA,29 var,30 Wh,31 VAh,32 varh,"
    "33 A,34 C,35 V,36 V/m,37 F,38 Ohm,40 Wb,41 T,42 A/m,43 H,44 Hz,45 1/Wh,46 1/varh,47 1/VAh,"
    "48 V2h,49 A2h,50 kg/s,51 S,52 K,53 1/V2h,54 1/A2h,55 1/m3,56 %,57 Ah,60 Wh/m3,61 J/m3,70 dBm")
NO_DEVIATION = -0x8000


class TimeError(ValueError):
    """Raised for what is no date-time."""


def unit(number):
    return "" if number == 255 else named(_UNITS, number)


def scaled(value, scaler):
    """value times 10 to the scaler, as text: no digit is lost, none is invented. value: integer or float"""
    if isinstance(value, float):
        return "{:g}".format(value * 10.0 ** scaler)
    if scaler >= 0:
        return str(value) + "0" * scaler if value else "0"
    digits = "{:0{}d}".format(abs(value), 1 - scaler)
    return ("-" if value < 0 else "") + digits[:scaler] + "." + digits[scaler:]


def moment(octets):
    """(year, month, day, weekday, hour, minute, second, deviation in minutes), None for what is not told.

    weekday: 1 Monday; deviation: UTC minus local time. Raises TimeError.
    """
    if not isinstance(octets, bytes) or len(octets) != 12:
        raise TimeError("a date-time has 12 octets")
    year, month, day, weekday, hour, minute, second, _, deviation, _ = struct.unpack(">H6BBhB", octets)
    told = ((year, 0xFFFF, 1, 9999), (month, 0xFF, 1, 12), (day, 0xFF, 1, 31), (weekday, 0xFF, 1, 7),
            (hour, 0xFF, 0, 23), (minute, 0xFF, 0, 59), (second, 0xFF, 0, 59), (deviation, NO_DEVIATION, -720, 840))
    return tuple([None if number == silent else within(number, low, high) for number, silent, low, high in told])


def within(number, low, high):
    if not low <= number <= high:
        raise TimeError("a date-time with {} where {} to {} is expected".format(number, low, high))
    return number


def moment_text(octets):
    """`2024-01-02 03:04:05`, `*` for what is not told. Raises TimeError."""
    year, month, day, _, hour, minute, second, _ = moment(octets)
    parts = [("{:02d}".format(part) if part is not None else "*") for part in (month, day, hour, minute, second)]
    return "{}-{}-{} {}:{}:{}".format("*" if year is None else "{:04d}".format(year), *parts)


def show(value):
    """One value as text: a date-time, printable octets as they are, others as hex."""
    if isinstance(value, bytes):
        try:
            return moment_text(value)
        except TimeError:
            pass
        if value and all(32 <= octet < 127 for octet in value):
            return str(value, "ascii")
        return value.hex() if value else '""'
    if isinstance(value, (list, tuple)):
        form = "[{}]" if isinstance(value, list) else "({})"
        return form.format(", ".join([show(each) for each in value]))
    return "-" if value is None else str(value)
