"""The clock of the board: the built-in module with an RTC that the host can turn."""
# ruff: noqa: F401, SIM115 - names that callers import; a file open for good
from utime import sleep, sleep_ms, sleep_us, ticks_ms, ticks_us, ticks_cpu, ticks_add, ticks_diff
from utime import gmtime as _gmtime, mktime as _mktime, time_ns as _host_ns
from ustruct import unpack
from _vboard import ask

_ahead = open(5, "rb")         # microseconds that the RTC is ahead of the host
_record = bytearray(8)
_EPOCH = ask("get epoch\n")    # 2000 on esp32, 1970 on rp2


def time_ns():
    _ahead.seek(0)
    _ahead.readinto(_record)
    return _host_ns() + unpack("<q", _record)[0] * 1000 - _EPOCH * 1000000000


def time():
    return time_ns() // 1000000000


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else int(seconds)) + _EPOCH)[:8]


localtime = gmtime             # a board has no time zone


def mktime(fields):
    return int(_mktime(fields)) - _EPOCH
