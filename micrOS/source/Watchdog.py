"""The hardware watchdog: resets a board whose loop is held up, and writes down by whom before it bites."""
from micropython import const

from Debug import errlog_add

_HELD_LOOKS = const(3)                   # without a beat between them: somebody holds the loop


class Watchdog:
    """feed(): of the WDT; limit_s: its own; who(): name of the call that is running, for the log."""

    def __init__(self, feed, limit_s, who):
        self._feed = feed
        self._limit_s = limit_s
        self._who = who
        self._looks = 0                  # since the last beat
        self.is_released = False         # the loop has ended for good, a person is at the REPL: the timer feeds

    def beat(self):
        """The loop is alive: called by the idle task."""
        self._feed()
        self._looks = 0

    def look(self, timer):
        """Called four times within the limit, by a timer."""
        self._looks += 1
        if self.is_released:
            self._feed()
        elif self._looks == _HELD_LOOKS:
            errlog_add("[ERR] {} holds up the node; the watchdog resets it after {} s".format(
                self._who(), self._limit_s))
