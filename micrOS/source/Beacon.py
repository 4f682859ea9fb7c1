"""Hears what the network asks, and remembers who answered us; what answers is in memory only for that."""
import asyncio
from micropython import const

from ConfigHandler import cfgget
from Debug import trace
from pure.lazy import unload

_MOST_BYTES = const(512)       # of a datagram that are looked at
_BURST = const(64)
_PAUSE_MS = const(10)          # before a burst, and up to 31 more: twenty nodes that are asked at once take turns,
_SPREAD_MS = const(31)         # and nobody is flooded by us
_REST_MS = const(200)          # after an answer: to load what answers takes a small board that long

ears = ()                      # a task that runs hear(), the socket it hears, the next task ...
known = ()                     # what Peers.py has learned of others


async def hear(link, service):
    """Have a module answer what may be meant for us, until cancelled."""
    while True:
        yield asyncio.core._io_queue.queue_read(link)
        await asyncio.sleep_ms(_PAUSE_MS + (asyncio.core.ticks() & _SPREAD_MS))
        await asyncio.sleep_ms(_answer(link, service))


def _answer(link, service):
    """How many ms to rest then."""
    rest_ms = 0
    try:
        for _ in range(_BURST):
            data, peer = link.recvfrom(_MOST_BYTES)
            low = data.lower()
            if b"micros" in low or b"_services" in low or cfgget("devfid").lower().encode() in low:
                rest_ms = _REST_MS
                __import__(service).answer(link, data, peer)
    except OSError:                  # no more has come, or an answer finds no way out
        pass
    except Exception as error:       # outer wall: no datagram may end the hearing
        trace(error)
    if rest_ms:
        unload(service)
    return rest_ms
