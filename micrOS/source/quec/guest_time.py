"""`utime` of QuecPython programs: its sleeps are waits of a guest; who looks at it in a loop gives way to others."""
import time

import blocking
from micropython import const

__all__ = list(dir(time))        # for `import *`, which must not ask __getattr__
_IN_A_ROW_MS = const(50)         # between two sleeps in the loop: less, and nobody else had a turn
_slept = [0, 0]                  # ms in a row, when the last one ended


def __getattr__(name):
    return getattr(time, name)


def sleep(seconds):
    sleep_ms(int(1000 * seconds))


def sleep_ms(ms):
    """Raises WouldBlockError where it, or it and those before it, would hold up the node."""
    ms = max(0, ms)
    if blocking.hand_over and blocking.hand_over(blocking.never, ms) is not None:
        return
    if time.ticks_diff(time.ticks_ms(), _slept[1]) > _IN_A_ROW_MS:
        _slept[0] = 0
    _slept[0] += ms
    blocking.sleep_ms(_slept[0] if _slept[0] > blocking.MOMENT_MS else ms,
                      "sleep() outside of a thread, which `qframe start` gives a program,")
    _slept[1] = time.ticks_ms()


def ticks_ms():
    now_ms = time.ticks_ms()
    blocking.breathe()               # behind it: what is measured shall not hold the turns of others
    return now_ms


def ticks_us():
    now_us = time.ticks_us()
    blocking.breathe()
    return now_us
