"""Sets the clock, and tells how long it has run; in memory only for that."""
import time

from ConfigHandler import cfgget
from pure.lazy import publish
from Time import EPOCH_S, clock, seconds


def begin():
    """At boot: the RTC shows local time, in the hour that comes twice the first of the two."""
    clock().offset_s = _offset(time.time() - EPOCH_S, True)


def set_utc(utc_s, ms=0):
    """Take the time from someone who knows it, in seconds since 2000-01-01 UTC."""
    clock().offset_s = _offset(utc_s, False)
    _turn(utc_s + clock().offset_s, ms)


def set_local(*fields):
    """Take the time that a clock on the wall shows: year, month, day, hour, minute, second."""
    local_s = time.mktime(fields + (0, 0)) - EPOCH_S
    clock().offset_s = _offset(local_s, True)
    _turn(local_s, 0)


def uptime():
    """`days h:m:s`, without leading zeros."""
    now = seconds()
    return "{} {}:{}:{}".format(now // 86400, now // 3600 % 24, now // 60 % 60, now % 60)


def _turn(local_s, ms):
    """Set the RTC; the uptime goes on."""
    from machine import RTC
    before = time.time()
    now = time.gmtime(local_s + EPOCH_S)
    RTC().datetime(now[:3] + (now[6],) + now[3:6] + (1000 * ms,))
    clock().booted += time.time() - before
    if clock().stepped:
        clock().stepped()
    publish("time", clock().utc())


def _offset(moment_s, is_local):
    """Seconds east of UTC at a moment, which is told in UTC or as the clock on the wall shows it."""
    if cfgget("tz") == "n/a":
        return cfgget("utc") * 60
    import Zone
    Zone.leave()
    return Zone.offset(moment_s, is_local)
