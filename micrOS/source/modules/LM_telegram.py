"""Messages of a Telegram bot, to and fro. Config key `telegram` is its token; Notify.py speaks with the service."""
import asyncio
from micropython import const

from Common import micro_task
from Network import net

_TASK = const("telegram._loop")
_POLL_S = const(4)
_LONGEST_S = const(64)            # between two tries while the service cannot be reached
_TWO_AT_ONCE = const(409)         # another node of the same bot is asking
_NO_TOKEN = const("Missing telegram bot token")


def _bot():
    from Notify import Telegram
    return Telegram()


async def _told(asking):
    """What a conversation gives, or why there is none."""
    if net().mode != "STA":
        return "Network unavailable."
    try:
        told = await asking()
        return _NO_TOKEN if told is None else told
    except OSError as error:
        return str(error)


async def load_n_init():
    """Show the commands in the chats. Returns `Custom commands was set`, or why they are not."""
    return await _told(_bot().offer)


async def send(text):
    """Tell all chats. Returns `Sent`, or why it is not."""
    return await _told(lambda: _bot().tell(text))


async def receive():
    """The last message: {"sender", "text", "m_id", "c_id"}, or {"sender": None}."""
    return await _told(_bot().last)


def receiver_loop():
    """Do what is asked for in the chats: /ping, /cmd, /cmd_select. Returns `Starting` or `Already running`."""
    return "Starting" if micro_task(_TASK, _listen()) else "Already running"


async def _listen():
    offered, pause_s = False, _POLL_S
    while True:
        try:
            if not offered:
                offered = await _bot().offer() is not None
            told = await _bot().serve()
            pause_s = _POLL_S
            if told != "":
                _show(_NO_TOKEN if told is None else told)
        except OSError as error:
            if getattr(error, "status", 0) != _TWO_AT_ONCE:
                pause_s = min(2 * pause_s, _LONGEST_S)
                _show("{}; next try in {} s".format(error, pause_s))
        await asyncio.sleep(pause_s)


def _show(text):
    """What `task show` tells."""
    micro_task(_TASK).say(text)


def help():
    return "load_n_init", 'send "text"', "receive", "receiver_loop"
