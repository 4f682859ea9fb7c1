"""Opens the world of QuecPython programs: the folder of their firmware modules, their `machine`, their updates."""
import gc
import sys

from micropython import const

import machine               # noqa: F401 - the port's own: our modules take it from here, for it is hidden in run()
import sys_bus               # noqa: F401 - their firmware has it, and what the kernel tells is on it from now on
from Files import exists

_FOLDER = const("/quec")
_WHILE_LOADING = const(16384)     # bytes between two collections: what stays shall not be strewn between garbage
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


def run(program):
    """Import `usr.<program>`: that is how a program starts; enter() comes before. Raises what it raises.

    Meanwhile `machine` is that of QuecPython, which has Pin.GPIO1 and ExtInt; a built-in type takes no more names.
    """
    gc.collect()
    gc.threshold(_WHILE_LOADING)
    import guest_machine
    before = sys.modules.get("machine")
    sys.modules["machine"] = guest_machine
    try:
        __import__("usr." + program)
    finally:
        gc.threshold(-1)
        if before:
            sys.modules["machine"] = before
        else:
            del sys.modules["machine"]
