"""Brings a lost network back: joins again, restarts the radio, at last the board; in memory only while it is lost."""
import asyncio

from machine import reset
from micropython import const

import Join
from Debug import console_write, errlog_add
from Network import net
from pure.lazy import publish, unload
from Time import seconds

_PAUSES_S = const((2, 5, 10, 20, 40, 60))   # between two tries; the last one again and again
_GENTLE = const(2)                          # tries before the radio is restarted
_DEAD_S = const(20)                         # without network: whoever was connected has gone
_MOST_S = const(900)                        # a radio that does not come back in a quarter of an hour is stuck


async def run(node):
    """Until the node, a micrOS.Node, is on a known network."""
    begun_s, tries = seconds(), 0
    console_write("[NW] lost")
    publish("network", "")
    while not net().station.isconnected() and not await _joined(tries):
        if seconds() - begun_s > _MOST_S and net().mode != "AP":
            _restart()
        await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
        tries += 1
    was_on_one = net().mode == "STA"
    Join.came_back()
    publish("network", "STA")
    if not was_on_one:
        _ask_time()
    unload("Rejoin", "Join")
    if seconds() - begun_s > _DEAD_S:
        for session in node.sessions:
            session.end()
    node.changed("beacon")               # the ears have another address


async def _joined(tries):
    """True when a known network was joined. Guests of our own network keep it: nothing is tried meanwhile."""
    try:
        guests = net().mode == "AP" and net().access_point.status("stations")
        return not guests and await Join.again(net().station, anew=tries >= _GENTLE)
    except Exception as error:       # outer wall: a radio that refuses is tried again, at last after a restart
        errlog_add("[ERR] network: {}".format(error))
        return False


def _ask_time():
    """Nobody has, since the node boots: there was no network of others."""
    import Ntp
    unload("Ntp")
    Ntp.begin()


def _restart():
    import Boot
    errlog_add("[ERR] no network for {} minutes: restarting".format(_MOST_S // 60))
    Boot.lasted()                    # wanted: no step towards safe mode
    reset()
