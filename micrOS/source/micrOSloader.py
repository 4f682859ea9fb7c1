"""Decides at boot what runs: micrOS, the update mode, or nothing but the REPL.

`.if_mode` holds `micros` (or is missing), `off`, or `webrepl`: then files can be sent, and the node
boots micrOS when the sender writes `micros` into the file.
"""
import sys
from micropython import const

from Files import IF_MODE, read

MICROS, OFF = "micros", "off"
_POLL_S = const(2)
_TRIES = const(8)                # polls without an update before the update mode gives up


def mode():
    """What `.if_mode` asks for; MICROS when it is missing."""
    return (read(IF_MODE) or MICROS).strip().lower()


def main():
    asked = mode()
    if asked == OFF:
        return           # to the REPL; sys.exit would boot again and again
    if asked == MICROS:
        run_micros()
    recover()


def run_micros():
    """Run micrOS. Comes back only when it failed; the reason is in err.log."""
    try:
        import micrOS
        micrOS.main()
    except Exception as error:       # outer wall: whatever broke, the node stays reachable for a repair
        from Debug import errlog_add
        sys.print_exception(error, sys.stdout)
        errlog_add("[ERR][micrOSloader] micrOS start failed: {}".format(error))


def recover():
    import asyncio
    asyncio.new_event_loop()             # tasks of a failed micrOS must not go on
    asyncio.run(_update_mode())


async def _update_mode():
    """Network and file service, nothing else; ends when no update has begun in time."""
    import asyncio
    from Network import net
    from Update import FileServer
    await net().up()
    asyncio.create_task(FileServer().run())
    updating, tries = mode() != MICROS, _TRIES
    while tries:
        await asyncio.sleep(_POLL_S)
        if mode() != MICROS:
            updating = True
        elif updating:
            _finish()
        else:
            tries -= 1


def _finish():
    from Settings import PURGE
    from machine import reset
    open(PURGE, "w").close()
    reset()
