"""How the last boots went: after three in a row that did not last, this one is a safe one.

`.boot` holds `<boots that failed in a row>;<1 when the last one lasted>;<causes of the last boots, newest first>`.
"""
import machine
from micropython import const

from Debug import errlog_add
from Files import read, write_whole

_FILE = const(".boot")
_MOST_FAILED = const(3)
_REMEMBERED = const(5)
# What ended the boot before. A wall switch, a nap and a developer's soft reset say nothing about it.
_CAUSES = const((("PWRON_RESET", "power"), ("DEEPSLEEP_RESET", "sleep"), ("SOFT_RESET", "soft"),
                 ("WDT_RESET", "watchdog"), ("HARD_RESET", "hard")))
_INNOCENT = const(("power", "sleep", "soft"))


def begin():
    """Note this boot. Returns True when it shall be a safe one."""
    cause = _cause()
    if cause == "sleep":             # a node that naps boots every few minutes: spare its flash
        return False
    failed, lasted, causes = _state()
    if not lasted and cause not in _INNOCENT:
        failed += 1
    is_safe = failed >= _MOST_FAILED
    if is_safe:
        errlog_add("[ERR] safe mode: {} boots in a row did not last; boothook, cron, timirq and irq are off until "
                   "the next boot. Mend what the lines above name, then reboot".format(failed))
    _keep(0 if is_safe else failed, False, [cause] + causes[:_REMEMBERED - 1])
    return is_safe


def lasted():
    """This boot is a good one: it has served for a while, or ends because somebody wants it to."""
    failed, known, causes = _state()
    if failed or not known:
        _keep(0, True, causes)


def history():
    """Causes of the last boots, newest first."""
    return _state()[2]


def _cause():
    cause = machine.reset_cause()
    for constant, word in _CAUSES:
        if getattr(machine, constant, None) == cause:
            return word
    return "unknown"


def _state():
    """(failed, lasted, causes)."""
    failed, _, rest = (read(_FILE) or "").partition(";")
    lasted, _, causes = rest.partition(";")
    if not failed.isdigit():
        return 0, True, []
    return int(failed), lasted == "1", [cause for cause in causes.split(",") if cause]


def _keep(failed, lasted, causes):
    try:
        write_whole(_FILE, ("{};{};{}".format(failed, int(lasted), ",".join(causes)),))
    except OSError as error:
        errlog_add("[ERR] {}: the flash says {}".format(_FILE, error))
