"""When the sun rises and sets here: computed, or as the service of 1.20 told; in memory only while it is asked."""
import time

from ConfigHandler import cfgget
from Files import read
from pure.civil import DAY_S, days, fields, seconds
from pure.lazy import unload
from Zone import zone

CACHE = "sun.pds"                # `sunrise:H-M-S;sunset:H-M-S` local time, as 1.20 wrote it
NAMES = ("sunrise", "sunset")


def moments(day):
    """(rise_s, set_s) in seconds since 2000-01-01 UTC of a local day, or a text that says why there are none.

    day: days since 2000-01-01.
    """
    if cfgget("sunhost") != "n/a":
        return _told(day) or "no answer from {} yet".format(cfgget("sunhost"))
    place = cfgget("position")
    if place == "n/a":
        return "the position is not known; set the key position to latitude,longitude"
    from pure import sun
    latitude, longitude = [float(part) for part in place.split(",")]
    # the date that the sun has here at our noon: some islands keep the date of the other side of the date line
    noon_s = zone().to_utc(day * DAY_S + DAY_S // 2)
    try:
        return sun.day(latitude, longitude, (noon_s + round(longitude * 240)) // DAY_S)
    finally:
        unload("pure.sun")


def today():
    """{"sunrise": (h, m, s), "sunset": (h, m, s)} local, or a text that says why there are none."""
    found, here = moments(days(*time.localtime()[:3])), zone()
    if isinstance(found, str):
        return found
    return {name: fields(at + here.offset(at))[3:] for name, at in zip(NAMES, found)}


def _told(day):
    """What the service said last, None before; its times of one day serve for all."""
    try:
        local = [part.split(":")[1].split("-") for part in (read(CACHE) or "").split(";")]
        rise, set_ = [seconds(2000, 1, 1, *[int(number) for number in clock]) for clock in local]
    except (ValueError, IndexError, TypeError):
        return None
    here = zone()
    return here.to_utc(day * DAY_S + rise), here.to_utc(day * DAY_S + set_)
