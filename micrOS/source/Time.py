"""The node's clock: the RTC shows local time, as 1.20 had it; UTC is behind it by the zone's offset."""
import time

from ConfigHandler import cfgget
from pure.lazy import door, once

EPOCH_S = 946684800 if time.gmtime(0)[0] == 1970 else 0       # 2000-01-01 on the port's own clock


class Clock:
    """offset_s: how far the RTC is ahead of UTC; stepped: function() or None, called when the time jumps."""

    def __init__(self):
        self._booted = time.time()
        self.stepped = None
        self.offset_s = _offset(time.time() - EPOCH_S, True)

    def utc(self):
        """Seconds since 2000-01-01 UTC, whole."""
        return time.time() - EPOCH_S - self.offset_s

    def set_utc(self, utc_s, ms=0):
        """Take the time from someone who knows it, in seconds since 2000-01-01 UTC."""
        self.offset_s = _offset(utc_s, False)
        self._turn(utc_s + self.offset_s, ms)

    def set_local(self, local_s):
        """Take the time that a clock on the wall shows."""
        self.offset_s = _offset(local_s, True)
        self._turn(local_s, 0)

    def seconds(self):
        return int(time.time() - self._booted)

    def _turn(self, local_s, ms):
        """Set the RTC; the uptime goes on."""
        from machine import RTC
        before = time.time()
        now = time.gmtime(local_s + EPOCH_S)
        RTC().datetime(now[:3] + (now[6],) + now[3:6] + (1000 * ms,))
        self._booted += time.time() - before
        if self.stepped:
            self.stepped()


def _offset(moment_s, is_local):
    """Seconds east of UTC at a moment, which is told in UTC or as the clock on the wall shows it."""
    if cfgget("tz") == "n/a":
        return cfgget("utc") * 60
    import Zone
    Zone.leave()
    return Zone.offset(moment_s, is_local)


@once
def clock():
    """The node's one Clock."""
    return Clock()


def seconds():
    """Seconds since boot, whole; setting the clock does not shift them."""
    return clock().seconds()


def uptime():
    """`days h:m:s`, without leading zeros."""
    now = seconds()
    return "{} {}:{}:{}".format(now // 86400, now // 3600 % 24, now // 60 % 60, now % 60)


def set_time(year, month, mday, hour, minute, second):
    """Set the local time. Returns True."""
    clock().set_local(time.mktime((year, month, mday, hour, minute, second, 0, 0)) - EPOCH_S)
    return True


__getattr__ = door               # ntp_time, suntime, Sun
