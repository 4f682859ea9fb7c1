"""machine.RTC: the date the whole board follows, and memory that outlives all but a power cut."""
# ruff: noqa: RET503 - getter and setter in one, as the port has them
from _vboard import ask
from time import gmtime, time_ns


class RTC:
    def __init__(self, id=0):
        pass

    def datetime(self, fields=None):
        """fields: year, month, day, weekday, hour, minute, second, microsecond"""
        if fields is None:
            now = gmtime()
            return now[:3] + (now[6],) + now[3:6] + (time_ns() // 1000 % 1000000,)
        ask("rtc %d %d %d %d %d %d %d\n" % tuple(fields[i] for i in (0, 1, 2, 4, 5, 6, 7)))

    def init(self, fields):
        self.datetime(fields)

    def memory(self, data=None):
        if data is None:
            return bytes(ask("get memory\n"))
        if len(data) > 2048:
            raise ValueError("buffer too long")
        ask("memory %s\n" % (data.encode() if isinstance(data, str) else bytes(data)).hex())
