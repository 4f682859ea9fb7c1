"""What a thing seldom says in TR50, and how a time is read: names of tr50.py, in memory when they are asked for."""
from . import civil
from .tr50 import Tr50Error, is_number

_PLACE = ("debounce", "streetNumber", "street", "city", "state", "zipCode", "country")
DETAILS = ("name", "desc", "iccid", "esn", "imei", "meid", "imsi")       # of thing.update
_FIELDS = ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))


def location(latitude, longitude, ts, heading=None, altitude=None, speed=None, accuracy=None, fix_type=None):
    item = dict.fromkeys(_PLACE)
    item.update({"lat": latitude, "lng": longitude, "heading": heading, "altitude": altitude, "speed": speed,
                 "fixAcc": accuracy, "fixType": fix_type, "ts": ts, "corrId": None})
    return item


def file_put(thing, name, crc32, is_global=False):
    return "file.put", {"thingKey": thing, "fileName": name, "public": False, "crc32": crc32, "global": is_global}


def file_get(thing, name, is_global=False):
    return "file.get", {"thingKey": thing, "fileName": name, "global": is_global}


def current(kind, thing, key):
    """Asks for the last value. kind: property attribute"""
    return kind + ".current", {"thingKey": thing, "key": key}


def diag_ping():
    return ("diag.ping",)


def diag_time():
    return "diag.time", None


def thing_update(thing, details, unset=()):
    """details: {name of DETAILS: text}; unset: names to be forgotten"""
    params = {name: value for name, value in details.items() if value is not None}
    params["key"] = thing
    if unset:
        params["unset"] = list(unset)
    return "thing.update", params


def moment(text):
    """(seconds, microseconds) of such a text; a shorter or missing fraction will do. Raises Tr50Error."""
    try:
        if text[4] + text[7] + text[10] + text[13] + text[16] + text[-1] != "--T::Z":
            raise ValueError
        whole = civil.seconds(*[_digits(text[at:end]) for at, end in _FIELDS])
        us = _digits((text[20:-1] + "000000")[:6]) if text[19] == "." else 0
        if civil.fields(whole)[1:] != tuple([int(text[at:end]) for at, end in _FIELDS[1:]]):
            raise ValueError
        return whole, us
    except (ValueError, TypeError, IndexError):
        raise Tr50Error("a time is YYYY-MM-DDTHH:MM:SS.ffffffZ, got {!r}".format(str(text)[:40]))


def _digits(text):
    if not is_number(text):
        raise ValueError
    return int(text)
