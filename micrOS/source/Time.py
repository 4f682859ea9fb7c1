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


def seconds():
    """Seconds since boot, whole; setting the clock does not shift them."""
    return _uptime().seconds()


def uptime():
    """`days h:m:s`, without leading zeros."""
    now = seconds()
    return "{} {}:{}:{}".format(now // 86400, now // 3600 % 24, now // 60 % 60, now % 60)


def set_time(year, month, mday, hour, minute, second):
    """Set the real time clock. Returns the new local time as time.localtime() does."""
    from machine import RTC
    before = time.time()
    weekday = time.localtime(time.mktime((year, month, mday, hour, minute, second, 0, 0)))[6]
    RTC().datetime((year, month, mday, weekday, hour, minute, second, 0))
    _uptime().shift(time.time() - before)
    return time.localtime()
