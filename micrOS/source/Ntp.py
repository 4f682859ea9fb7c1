"""Asks a time server until it answers, and sets the clock; in memory only that long."""
import asyncio
import os
import socket

from micropython import const

from ConfigHandler import cfgget
from Debug import console_write, errlog_add
from Network import net
from pure.lazy import unload
from TaskManager import manager

_PORT = const(123)
_ANSWER_MS = const(2000)
_POLL_MS = const(10)
_PAUSES_S = const((1, 5, 15, 60))   # between two questions
_LONG_PAUSE_S = const(300)        # after these


class NoTimeError(Exception):
    """Raised when the server did not tell the time; says why."""


def begin():
    """Have the clock set, and with `cron` the place learned: in the background, where there is a network."""
    if net().mode == "STA" and cfgget("ntphost") != "n/a":
        manager().start("ntp", _learn(), protected=True)


async def _learn():
    """Ask until the clock is set."""
    pauses_s = iter(_PAUSES_S)
    while True:
        try:
            await ask()
            break
        except NoTimeError as error:
            console_write("[time] {}".format(error))
            pause_s = next(pauses_s, 0)
            if not pause_s and cfgget("cron"):
                errlog_add("[ERR] time: {}; cron goes by a clock that may be wrong".format(error))
            await asyncio.sleep(pause_s or _LONG_PAUSE_S)
    unload("Ntp")
    if cfgget("cron"):
        import Position
        await Position.refresh()


async def ask():
    """Set the clock by the server `ntphost`. Raises NoTimeError."""
    host, _, port = cfgget("ntphost").partition(":")
    if host == "n/a":
        raise NoTimeError("no time server; set the key ntphost")
    try:
        utc_s, ms = await _exchange(host, int(port or _PORT))
    except (OSError, ValueError, NoTimeError) as error:      # ValueError: no port, or an SntpError
        raise NoTimeError("{}: {}".format(host, error))
    finally:
        unload("pure.sntp")
    import Clockwork
    unload("Clockwork")
    Clockwork.set_utc(utc_s, ms)


async def _exchange(host, port):
    from pure.sntp import answer, request
    to = socket.getaddrinfo(host, port)[0][-1]       # blocks as long as the name server does: MicroPython has no other
    token = os.urandom(8)
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        link.setblocking(False)
        link.sendto(request(token), to)
        return answer(await _received(link), token)
    finally:
        link.close()


async def _received(link):
    for _ in range(_ANSWER_MS // _POLL_MS):
        try:
            return link.recv(512)
        except OSError:                      # nothing yet
            await asyncio.sleep_ms(_POLL_MS)
    raise NoTimeError("no answer in {} ms".format(_ANSWER_MS))
