"""Sunrise and sunset of a place and date, computed here: no cloud is asked.

The sun is where Meeus, Astronomical Algorithms, 2nd edition, chapter 25 puts it (0.01 deg); hour angle and horizon are
of chapter 15. The equation of time (chapter 28) is not written out: mean sun and true sun are turned by the same angle.
Rise and set as the U.S. Naval Observatory defines them: the sun's centre 50' below a level horizon, 34' for refraction
and 16' for its radius. Within 20 s of an ephemeris from 65 S to 65 N, 2000 to 2060; nutation (0.2 s) is left out.

A board's floats have 24 bits, some 22: whole days and seconds stay ints, and an angle is small before it is a float.
"""
from math import atan2, cos, pi, radians, sin

POLAR_DAY = "the sun does not set"
POLAR_NIGHT = "the sun does not rise"
_HALF_DAY_S = 43200
_HORIZON = -0.014544      # sine of -50'


def day(latitude_deg, longitude_deg, days):
    """(rise_s, set_s) around the noon of a date; POLAR_DAY or POLAR_NIGHT when one of the two is missing.

    latitude_deg: north positive, -90..90; longitude_deg: east positive, -180..180.
    days: whole days from 2000-01-01 to the date; the date is that of local mean time, UTC + longitude / 15 h.
    rise_s, set_s: ints, seconds since 2000-01-01 00:00 UTC; they may lie in a neighbouring UTC date.
    Raises ValueError when latitude or longitude is out of range.
    """
    _check("latitude", latitude_deg, 90)
    _check("longitude", longitude_deg, 180)
    middle_s = _HALF_DAY_S - round(longitude_deg * 240)       # local mean noon; the earth turns 1 deg in 240 s
    across, pole = cos(radians(latitude_deg)), sin(radians(latitude_deg))

    def is_up(s):
        x, _, z = _sun(days, s, s - middle_s)
        return across * x + pole * z > _HORIZON

    x, y, _ = _sun(days, middle_s, 0)
    noon_s = middle_s - round(atan2(y, x) * _HALF_DAY_S / pi)
    if not is_up(noon_s):
        return POLAR_NIGHT
    before_s, after_s = noon_s - _HALF_DAY_S, noon_s + _HALF_DAY_S
    if is_up(before_s) or is_up(after_s):
        return POLAR_DAY
    return days * 86400 + _edge(is_up, before_s, noon_s), days * 86400 + _edge(is_up, after_s, noon_s)


def _check(name, value_deg, limit_deg):
    if not -limit_deg <= value_deg <= limit_deg:
        raise ValueError("{} is -{}..{} degrees, got {}".format(name, limit_deg, limit_deg, value_deg))


def _edge(is_up, dark_s, light_s):
    """First or last second with the sun up, between one without and one with it; each halving asks where it is then."""
    while abs(light_s - dark_s) > 1:
        s = (dark_s + light_s) // 2
        if is_up(s):
            light_s = s
        else:
            dark_s = s
    return light_s


def _sun(days, s, turned_s):
    """(x, y, z) of the direction to the sun: to where equator and meridian meet, west, to the north pole.

    s: seconds since 00:00 UTC of the day; turned_s: seconds since mean noon of the meridian.
    Meeus counts from 2000-01-01 12:00: `part` is the time since 12:00 in days, `passed` all of it.
    The mean sun moves 1 - 0.01435264 deg a day: the whole degrees lose their turns as ints, the rest stays small.
    """
    part = (s - _HALF_DAY_S) / 86400
    passed = days + part
    mean = radians(280.4607 + days % 360 + part - 0.01435264 * passed)      # aberration is in it
    anomaly = mean + radians(77.0684 - 0.000047078 * passed)
    true = mean + radians(1.9132 * sin(anomaly) + 0.02 * sin(2 * anomaly))  # 1.9132: of 2030, 1.9146 in 2000
    tilt = radians(23.4393 - 0.000000356 * passed + 0.00256 * cos(radians(125.04 - 0.0529538 * passed)))
    hour = mean + radians(turned_s / 240)                                   # sidereal time of the meridian
    x, y = cos(true), sin(true) * cos(tilt)
    return x * cos(hour) + y * sin(hour), x * sin(hour) - y * cos(hour), sin(true) * sin(tilt)
