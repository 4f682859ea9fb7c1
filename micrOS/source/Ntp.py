"""Asks a time server until it answers, and sets the clock; in memory only that long."""
import asyncio
import os

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
    except (OSError, OverflowError, ValueError, NoTimeError) as error:      # no port, a port that is none
        raise NoTimeError("{}: {}".format(host, error))
    finally:
        unload("pure.sntp")
    import Clockwork
    unload("Clockwork")
    Clockwork.set_utc(utc_s, ms)


async def _exchange(host, port):
    import Udp
    from pure.sntp import request
    token = os.urandom(8)
    link = Udp.opened()
    try:
        link.sendto(request(token), Udp.place(host, port))
        return await _answer(link, token)
    finally:
        link.close()
        unload("Udp")


async def _answer(link, token):
    """(seconds since 2000-01-01 UTC, ms). What comes and is no answer does not end the wait: anybody can send it."""
    from Udp import heard
    from pure.sntp import SntpError, answer
    refusal = "no answer in {} ms".format(_ANSWER_MS)
    for _ in range(_ANSWER_MS // _POLL_MS):
        told = heard(link)
        try:
            if told:
                return answer(told[0], token)
        except SntpError as error:
            refusal = error
        await asyncio.sleep_ms(_POLL_MS)
    raise NoTimeError(refusal)
