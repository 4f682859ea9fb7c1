"""Opens the world of QuecPython programs: the folder of their firmware modules, their `machine`, their updates."""
import sys

from micropython import const

import machine               # noqa: F401 - the port's own: our modules take it from here, for it is hidden in run()
import sys_bus               # noqa: F401 - their firmware has it, and what the kernel tells is on it from now on
from Files import exists

_FOLDER = const("/quec")
_STAGED = const("/usr/.updater")


class _Timers:
    """`import osTimer` gives what is called: a module cannot be."""

    def __call__(self):
        from os_timer import Timer
        return Timer()

    osTimer = property(lambda self: self)


def enter():
    """Called by the package `usr`, so before any file of it."""
    if _FOLDER not in sys.path:
        sys.path.append(_FOLDER)
        sys.modules["osTimer"] = _Timers()
        if exists(_STAGED + "/flag"):
            import app_fota
            app_fota.apply()
