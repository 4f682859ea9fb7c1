"""The log files of the node: written whole, so that no line is ever torn; in memory only while one is touched."""
import time

from micropython import const

from Files import read, remove, write_whole
from pure.lazy import publish
from pure.log import added, counted, errors, tidy

_ERRORS = const("err.log")
_ERROR_LINES = const(12)          # the file is rewritten at each new line: short, for the flash's sake
_MOST_LINES = const(30)           # of any other log, as 1.20


def keep_error(text, times):
    """Write down that an error came so many times more. Raises OSError."""
    lines, text = counted(_lines(_ERRORS), tidy(text), times)
    _write(_ERRORS, added(lines, time.localtime(), text, _ERROR_LINES))
    if "[ERR]" in text:
        publish("alarm", text)


def errlog_get(msgobj=None):
    """Number of alarms in err.log. msgobj: takes its lines, oldest first"""
    return log_get(_ERRORS, msgobj or str)      # str: nobody hears them


def clean(msgobj):
    """True when there was an err.log to delete. msgobj: takes a line, or None"""
    is_gone = remove(_ERRORS)
    if is_gone and msgobj:
        msgobj(" Delete: {}".format(_ERRORS))
    return is_gone


def logger(data, f_name, limit=12):
    """Add a line with a time stamp to a log of at most limit lines, 1-30. False when the flash did not take it."""
    limit = max(1, min(limit, _MOST_LINES))
    try:
        _write(f_name, added(_lines(f_name), time.localtime(), tidy(data), limit))
    except OSError:
        return False
    return True


def log_get(f_name, msgobj):
    """Tell the lines of a log; returns how many are alarms. msgobj: takes a line"""
    lines = _lines(f_name)
    for line in lines:
        msgobj(line)
    return errors(lines)


def _lines(f_name):
    """All that are whole: what 1.20 wrote may end in the middle of one."""
    return (read(f_name) or "").split("\n")[:-1]


def _write(f_name, lines):
    write_whole(f_name, [line + "\n" for line in lines])
