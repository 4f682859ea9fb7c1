"""Decides at boot what runs: micrOS, the update mode, or nothing but the REPL.

`.if_mode` holds `micros` (or is missing), `off`, or `webrepl`: then files can be sent, and the node
boots micrOS when the sender writes `micros` into the file.
"""
import gc
import sys

from micropython import const
from Files import IF_MODE, read
from pure.lazy import unload

_MICROS = const("micros")
_OFF = const("off")
_WHILE_LOADING = const(16384)     # bytes between two collections: what stays shall not be strewn between garbage


def mode():
    """What `.if_mode` asks for; `micros` when it is missing."""
    return (read(IF_MODE) or _MICROS).strip().lower()


def is_micros_wanted():
    return mode() == _MICROS


def main():
    gc.threshold(_WHILE_LOADING)
    asked = mode()
    if asked == _OFF:
        return           # to the REPL; sys.exit would boot again and again
    try:
        was_safe = asked == _MICROS and _boot()
        import Recovery
        Recovery.main(is_micros_wanted, stays=was_safe)
    except MemoryError:      # what took it keeps it until the next boot, and after three Boot.py begins a safe one
        from machine import reset
        reset()


def _boot():
    """Run micrOS. Comes back only when it failed, the reason is in err.log; True when it was a safe boot."""
    is_safe = False
    try:
        is_safe = __import__("Boot").begin()     # not by name: this frame lasts, and would keep the file
        unload("Boot")
        import micrOS
        micrOS.main(is_safe)
    except Exception as error:       # outer wall: whatever broke, the node stays reachable for a repair
        from Debug import errlog_add
        sys.print_exception(error, sys.stdout)
        errlog_add("[ERR][micrOSloader] micrOS start failed: {}".format(error))
    return is_safe
