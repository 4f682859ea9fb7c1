"""The update mode: network and file service, nothing else; also where a core that cannot start waits for a repair."""
import asyncio

from machine import reset
from micropython import const

import Join
from Debug import errlog_add
from Network import net
from Settings import PURGE
from Update import FileServer

_POLL_S = const(2)
_LOOK_S = const(10)       # between two looks at the network
_TRIES = const(8)         # polls without an update before it gives up


def main(is_over, stays):
    """Restarts the board when an update is done, or none has begun in time.

    is_over(): micrOS may boot again. stays: wait for an update as long as it takes, for even a safe boot has failed.
    """
    asyncio.new_event_loop()             # tasks of a failed micrOS must not go on
    asyncio.run(_serve(is_over, stays))


async def _serve(is_over, stays):
    await Join.up()
    asyncio.create_task(FileServer().run())
    asyncio.create_task(_stay_on_network())
    updating, tries = not is_over(), _TRIES
    while tries:
        await asyncio.sleep(_POLL_S)
        if not is_over():
            updating = True
        elif updating:
            open(PURGE, "w").close()
            break
        elif not stays:
            tries -= 1
    reset()                              # after three boots that failed comes a safe one


async def _stay_on_network():
    """Who sends the update may be on a network that comes later than we."""
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            if net().is_lost() and await Join.again(net().station, anew=False):
                Join.came_back()
        except Exception as error:       # outer wall: a radio that refuses is tried again
            errlog_add("[ERR] network: {}".format(error))
