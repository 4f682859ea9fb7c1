"""`utime` of QuecPython programs: its sleeps are waits of a guest, all else is the port's own."""
import time

import blocking

__all__ = list(dir(time))        # for `import *`, which must not ask __getattr__


def __getattr__(name):
    return getattr(time, name)


def sleep(seconds):
    sleep_ms(int(1000 * seconds))


def sleep_ms(ms):
    if blocking.hand_over is None or blocking.hand_over(blocking.never, max(0, ms)) is None:
        time.sleep_ms(ms)
