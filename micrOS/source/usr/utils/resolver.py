"""The time as log lines show it."""
import time

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class TimeResolver:
    def resolver(self, rt=None):
        """`YYYY-MM-DD HH:MM:SS Weekday`. rt: as time.localtime(); None: now"""
        now = rt or time.localtime()
        return "{}-{:02d}-{:02d} {:02d}:{:02d}:{:02d} {}".format(*tuple(now[:6]) + (_DAYS[now[6]],))
