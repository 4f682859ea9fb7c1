"""The update mode: network and file service, nothing else; also where a core that cannot start ends."""
import asyncio

from micropython import const

from Network import net
from Settings import PURGE
from Update import FileServer

_POLL_S = const(2)
_TRIES = const(8)         # polls without an update before it gives up


def main(is_over):
    """Ends when no update has begun in time; restarts the board when one is done. is_over(): micrOS may boot again."""
    asyncio.new_event_loop()             # tasks of a failed micrOS must not go on
    asyncio.run(_serve(is_over))


async def _serve(is_over):
    await net().up()
    asyncio.create_task(FileServer().run())
    updating, tries = not is_over(), _TRIES
    while tries:
        await asyncio.sleep(_POLL_S)
        if not is_over():
            updating = True
        elif updating:
            _finish()
        else:
            tries -= 1


def _finish():
    from machine import reset
    open(PURGE, "w").close()
    reset()
