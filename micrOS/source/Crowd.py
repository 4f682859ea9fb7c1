"""Finds a place for a client when all sessions of the shell are taken; in memory only for that."""
import asyncio
import time

from micropython import const
from ConfigHandler import cfgget

_CLOSE_MS = const(50)


async def free(sessions, newcomer):
    """True when there is a place now; else the newcomer has been told so."""
    if _is_one_silent(sessions):
        return True
    await asyncio.sleep_ms(_CLOSE_MS)    # a client that reconnects may be here before its old session is gone
    if len(sessions) < cfgget("socmax") or _is_one_silent(sessions):
        return True
    await newcomer.send("Connection is busy. Bye!\nBye!\n\n")
    await asyncio.sleep_ms(_CLOSE_MS)    # lets the words out before the FIN
    return False


def _is_one_silent(sessions):
    """The session that has been silent for longest gives way, if it has been so for `soctout` s."""
    now = time.ticks_ms()
    oldest = max(sessions, key=lambda session: time.ticks_diff(now, session.heard))
    if time.ticks_diff(now, oldest.heard) // 1000 < cfgget("soctout"):
        return False
    sessions.remove(oldest)
    oldest.end()
    return True
