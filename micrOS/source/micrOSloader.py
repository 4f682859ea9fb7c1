"""Decides at boot what runs: micrOS, the update mode, or nothing but the REPL.

`.if_mode` holds `micros` (or is missing), `off`, or `webrepl`: then files can be sent, and the node
boots micrOS when the sender writes `micros` into the file.
"""
import sys

from micropython import const
from Files import IF_MODE, read

_MICROS = const("micros")
_OFF = const("off")


def mode():
    """What `.if_mode` asks for; `micros` when it is missing."""
    return (read(IF_MODE) or _MICROS).strip().lower()


def main():
    asked = mode()
    if asked == _OFF:
        return           # to the REPL; sys.exit would boot again and again
    if asked == _MICROS:
        run_micros()
    import Recovery
    Recovery.main(lambda: mode() == _MICROS)


def run_micros():
    """Run micrOS. Comes back only when it failed; the reason is in err.log."""
    try:
        import micrOS
        micrOS.main()
    except Exception as error:       # outer wall: whatever broke, the node stays reachable for a repair
        from Debug import errlog_add
        sys.print_exception(error, sys.stdout)
        errlog_add("[ERR][micrOSloader] micrOS start failed: {}".format(error))
