"""The hardware watchdog: resets a board whose loop is held up, and writes down by whom before it bites."""
from machine import WDT, Timer
from micropython import const

from Debug import errlog_add
from pure.lazy import unload

_LIMITS_MS = const((30000, 8000))        # the longest that the port takes; RP2040: 8388 (datasheet 4.7.2)
_LOOKS = const(4)                        # in one limit
_HELD_LOOKS = const(3)                   # without a beat between them: somebody holds the loop
_BEATS = const(120)                      # of 500 ms: a boot that lives so long is a good one


class Watchdog:
    """who(): name of the call that is running, for the log."""

    def __init__(self, who):
        self._who = who
        self._looks = 0                  # since the last beat
        self._beats = 0
        self._released = False
        self._limit_ms, self._wdt = _armed()
        self._timer = _timer()
        self._timer.init(period=self._limit_ms // _LOOKS, callback=self._look)

    def beat(self):
        """The loop is alive: called by the idle task."""
        self._wdt.feed()
        self._looks = 0
        self._beats += 1
        if self._beats == _BEATS:
            import Boot
            Boot.lasted()
            unload("Boot")

    def release(self):
        """The loop has ended for good, a person is at the REPL: the timer feeds from now on."""
        self._released = True

    def _look(self, timer):
        self._looks += 1
        if self._released:
            self._wdt.feed()
        elif self._looks == _HELD_LOOKS:
            errlog_add("[ERR] {} holds up the node; the watchdog resets it after {} s".format(
                self._who(), self._limit_ms // 1000))


def _armed():
    """(limit_ms, WDT)."""
    for limit_ms in _LIMITS_MS:
        try:
            return limit_ms, WDT(timeout=limit_ms)
        except ValueError:
            pass
    raise OSError("no watchdog takes {} ms".format(_LIMITS_MS[-1]))


def _timer():
    """A software timer, where the port has them, else the last hardware timer."""
    try:
        return Timer(-1)
    except ValueError:
        return Timer(3)
