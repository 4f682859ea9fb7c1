"""Learns from the web where the node stands, its hours from UTC and, if it is asked to, when the sun rises there.

In memory only that long. Sources: as 1.20 asked them (spec 7.3); both may be switched off with `n/a`.
"""
import json

from ConfigHandler import cfgget, cfgput
from Debug import console_write
from Files import write_whole
from Http import WebError, fetch
from pure.civil import fields, seconds
from pure.lazy import unload
from Sun import CACHE, NAMES
from Zone import zone

_OK = 200


async def refresh():
    """Ask `poshost` and `sunhost`. What does not answer leaves all as it was."""
    unload("Position", "Http", "pure.http", "Sun")
    for host, learn in ((cfgget("poshost"), _learn_place), (cfgget("sunhost"), _learn_sun)):
        try:
            if host != "n/a":
                await learn(host)
        except (WebError, OSError, ValueError, KeyError, TypeError) as error:
            console_write("[time] {}: {}".format(host, error))


async def _learn_place(host):
    told = await _json("http://{}/json/?fields=lat,lon,timezone,offset".format(host))
    if cfgget("position") == "n/a":
        cfgput("position", "{:.2f},{:.2f}".format(told["lat"], told["lon"]))
    if cfgget("tz") == "n/a":
        cfgput("utc", told["offset"] // 60)


async def _learn_sun(host):
    latitude, _, longitude = cfgget("position").partition(",")
    scheme = "http" if ":" in host else "https"
    told = await _json("{}://{}/json?lat={}&lng={}&date=today&formatted=0".format(scheme, host, latitude, longitude))
    local = ["{}:{}-{}-{}".format(name, *_time_of_day(told["results"][name])) for name in NAMES]
    write_whole(CACHE, (";".join(local),))


async def _json(url):
    status, body = await fetch(url)
    if status != _OK:
        raise ValueError("status {}".format(status))
    return json.loads(body)


def _time_of_day(text):
    """(hour, minute, second) local of `2026-11-21T06:01:02+00:00`."""
    date, _, time = text[:19].partition("T")
    utc_s = seconds(*[int(number) for number in date.split("-") + time.split(":")])
    return fields(utc_s + zone().offset(utc_s))[3:]
