"""What the node says of itself: console lines with the progress LED, the error log. Its files are in Logs.py."""
import gc
import sys
from micropython import const

from ConfigHandler import cfgget
from pure.lazy import once, unload

_KNOWN = const(12)                # errors whose number is known: as many as err.log has lines
_repeats = {}                     # {text: how often it came since boot}


def console_write(message):
    """One line on the console (dbg on); the board's LED is lit meanwhile."""
    if cfgget("dbg"):
        for led in leds():
            led(1)
        print(message)       # noqa: T201 (this is the console writer)
        for led in leds():
            led(0)


def errlog_add(text):
    """Keep one line in err.log; `[ERR]` in it makes an alarm. False when it could not be written. Never raises.

    The same text again is counted; for the flash's sake the count is written when it is 4, 16, 64 ...
    """
    try:
        text = str(text)
        times = _repeats.get(text, 0) + 1
        if len(_repeats) >= _KNOWN and times == 1:
            _repeats.clear()
        _repeats[text] = times
        if times & (times - 1) or not times & 0x15555555:
            return True
        console_write(text)
        gc.collect()
        _logs("keep_error")(text, times - times // 4)
        return True
    except Exception as error:       # outer wall: a full flash, no memory, a broken Logs.py is not a second failure
        gc.collect()
        console_write("err.log: {}".format(error))
        return False


def errlog_clean(msgobj=None):
    """True when there was a log to delete. msgobj: takes the line that says so"""
    _repeats.clear()
    return _logs("clean")(msgobj)


def trace(error):
    """Traceback of a guest's failure on the console: what the one line in the answer cannot hold."""
    if cfgget("dbg"):
        sys.print_exception(error, sys.stdout)


def _logs(name):
    """A function of Logs.py, which leaves memory as soon as nobody holds it."""
    import Logs
    unload("Logs", "pure.log")
    return getattr(Logs, name)


__getattr__ = _logs               # errlog_get, logger, log_get


@once
def leds():
    """What is lit while a line is written: callables that take 1, 0, and None for good; none or one."""
    try:
        import Progress
        unload("Progress")
        return Progress.leds()
    except Exception as error:       # outer wall: all that the node says passes here, and its way back in
        sys.print_exception(error, sys.stdout)
        return []
