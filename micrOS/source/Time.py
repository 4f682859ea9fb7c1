"""The node's clock: the RTC shows local time, as 1.20 had it; UTC is behind it by the zone's offset.

Clockwork.py sets it.
"""
import time

from pure.lazy import door, once

EPOCH_S = 946684800 if time.gmtime(0)[0] == 1970 else 0       # 2000-01-01 on the port's own clock


class Clock:
    """offset_s: how far the RTC is ahead of UTC; stepped: function() or None, called when the time jumps."""

    def __init__(self):
        self.booted = time.time()        # moves with the RTC when that is set
        self.stepped = None
        self.offset_s = 0

    def utc(self):
        """Seconds since 2000-01-01 UTC, whole."""
        return time.time() - EPOCH_S - self.offset_s


@once
def clock():
    """The node's one Clock."""
    return Clock()


def seconds():
    """Seconds since boot, whole; setting the clock does not shift them."""
    return int(time.time() - clock().booted)


__getattr__ = door               # uptime, set_time, ntp_time, suntime, Sun
