"""What the node says of itself: console lines, the error log, the progress LED."""
import sys
import time
from micropython import const

from ConfigHandler import cfgget
from Files import read, remove, write_whole
from pure.lazy import once

_LOG = const("err.log")
_LOG_LINES = const(12)            # the file is rewritten at each new line: short, for the flash's sake
_LINE_CHARS = const(200)


def console_write(message):
    """One line on the console (dbg on), and a blink of the board's LED."""
    if cfgget("dbg"):
        print(message)       # noqa: T201 (this is the console writer)
        _led()()


def errlog_add(text):
    """Keep one line in err.log; `[ERR]` in it makes an alarm. A repeated text is kept once."""
    text = text.replace("\n", " ")[:_LINE_CHARS]
    lines = errlog_get()
    if lines and lines[-1].split(" ", 1)[-1] == text:
        return
    console_write(text)
    now = time.localtime()
    lines.append("{}.{}.{}-{}:{}:{} {}".format(now[0], now[1], now[2], now[3], now[4], now[5], text))
    try:
        write_whole(_LOG, [line + "\n" for line in lines[-_LOG_LINES:]])
    except OSError as error:
        console_write("err.log: {}".format(error))


def errlog_get():
    """Lines of err.log, oldest first."""
    return (read(_LOG) or "").split("\n")[:-1]


def errlog_clean():
    """True when there was a log to delete."""
    return remove(_LOG)


def alarms():
    """Number of errors in err.log."""
    return len([line for line in errlog_get() if "[ERR]" in line])


def trace(error):
    """Traceback of a guest's failure on the console: what the one line in the answer cannot hold."""
    if cfgget("dbg"):
        sys.print_exception(error, sys.stdout)


@once
def _led():
    """A function that toggles the LED; does nothing on a board without one."""
    from LogicalPins import PinError, physical_pin
    try:
        from machine import Pin
        pin = Pin(physical_pin("builtin"), Pin.OUT)
    except (ImportError, PinError, ValueError):
        return lambda: None
    return lambda: pin.value(1 - pin.value())
