"""The node's clock: real time, set by hand, and the time since boot."""
import time

from pure.lazy import once


class Uptime:
    """Seconds since boot; a clock that is set does not shift them."""

    def __init__(self, now):
        self._booted = now

    def seconds(self):
        return int(time.time() - self._booted)

    def shift(self, seconds):
        self._booted += seconds


@once
def _uptime():
    return Uptime(time.time())


def start():
    """Begin to count the uptime."""
    _uptime()


def uptime():
    """`days h:m:s`, without leading zeros."""
    seconds = _uptime().seconds()
    return "{} {}:{}:{}".format(seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)


def set_time(year, month, mday, hour, minute, second):
    """Set the real time clock. Returns the new local time as time.localtime() does."""
    from machine import RTC
    before = time.time()
    weekday = time.localtime(time.mktime((year, month, mday, hour, minute, second, 0, 0)))[6]
    RTC().datetime((year, month, mday, weekday, hour, minute, second, 0))
    _uptime().shift(time.time() - before)
    return time.localtime()
