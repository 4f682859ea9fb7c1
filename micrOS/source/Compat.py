"""The names by which load modules of micrOS 1.20 know the kernel; in memory once one of them is asked for.

`pure.lazy.door` brings them here from Network, TaskManager, Time and LM_neopixel.
"""
import time
from binascii import hexlify

from micropython import const

from Debug import console_write
from Modules import CallError
from Network import net
from pure.lazy import unload
from TaskManager import manager

_SET_YEAR = const(2024)           # no port's clock begins so late: esp32 in 2000, rp2 in 2021


def door(*asked):
    """What a name stands for: of a module (name,), of a Task (task, name). Raises AttributeError."""
    names = _OF_A_TASK if len(asked) > 1 else _OF_MODULES
    if asked[-1] not in names:
        raise AttributeError(asked[-1])
    made = names[asked[-1]]
    return made(asked[0]) if len(asked) > 1 else made


# of a Task
class _Done:
    """True when the work has ended; upstream an asyncio.Event."""

    def __init__(self, task):
        self._task = task

    def is_set(self):
        return not self._task.active

    __bool__ = is_set

    async def wait(self):
        """Return when the work has ended, whichever way. Raises CancelledError when it was killed."""
        if self._task.active:
            await self._task.wait()


def _enter(task):
    return lambda: task


def _exit(task):
    return lambda kind, error, trace: None


# of TaskManager
class Manager:
    """The tasks, as `task show` and `task kill` have them."""

    @staticmethod
    def show(tag):
        """Text of a task, or that there is none."""
        return _on_tasks("show", tag)

    @staticmethod
    def kill(tag):
        """(True when all that the tag stands for were running, text)."""
        text = _on_tasks("kill", tag)
        return "|" in text and text.count("|") == text.count("|True"), text


def _on_tasks(verb, tag):
    import TaskCommands
    unload("TaskCommands")
    return TaskCommands.run(manager(), [verb, tag], False)


def exec_lm_core(arg_list, msgobj=None):
    """Run ["module", "function", ...]; what it prints goes to msgobj(text), else to the console. False when it failed.

    An async function runs on as the task `module.function`; True then, and its text comes when it has ended.
    """
    def say(text):
        (msgobj or console_write)(str(text))

    try:
        answer = manager().execute(" ".join(arg_list), say)
    except CallError as error:
        say(error)
        return False
    if not isinstance(answer, str):
        return _follow(".".join(arg_list[:2]), answer, say)
    say(answer)
    return True


def _follow(tag, answer, say):
    if manager().start(tag, _told(answer, say)):
        return True
    answer.close()
    say("{} is Busy".format(tag))
    return False


async def _told(answer, say):
    try:
        say(await answer)
    except CallError as error:
        say(error)


# of Network
def ifconfig():
    """(mode, (address, mask, gateway, dns))."""
    return net().mode, net().ifconfig()


def get_mac():
    """MAC address as text, `24:0a:c4:...`."""
    return str(hexlify(net().station.config("mac"), ":"), "utf-8")


def sta_high_avail():
    """`STA mode, OK`; NOK while a known network is lost. 1.20 rebooted then; the node brings it back by itself."""
    return "{} mode, {}OK".format(net().mode, "N" if net().is_lost() else "")


# of Time
def uptime():
    """`days h:m:s`, without leading zeros."""
    return _clockwork().uptime()


def set_time(year, month, mday, hour, minute, second):
    """Set the local time. Returns True."""
    _clockwork().set_local(year, month, mday, hour, minute, second)
    return True


def _clockwork():
    import Clockwork
    unload("Clockwork")
    return Clockwork


def ntp_time():
    """Have the time server asked in the background. True when the clock has been set, be it before.

    1.20 held up the node until the server answered, which a guest need not know: it gets True with the right time
    on the clock, or False and may ask again.
    """
    import Ntp
    unload("Ntp")
    Ntp.begin()
    return time.localtime()[0] >= _SET_YEAR


def suntime():
    """Today's {"sunrise": (h, m, s), "sunset": (h, m, s)} local; empty tuples where there is none."""
    import Sun
    unload("Sun")
    today = Sun.today()
    return dict.fromkeys(Sun.NAMES, ()) if isinstance(today, str) else today


class _Sun:
    @property
    def TIME(self):      # noqa: N802 - its name in 1.20
        return suntime()


# of LM_neopixel
class _Strip:
    """What effects of 1.20 take from the strip."""

    @property
    def DCACHE(self):      # noqa: N802 - its name in 1.20
        """[red, green, blue, 0 or 1: on]."""
        from LM_neopixel import _lamp
        return list(_lamp.color) + [_lamp.on]

    @property
    def NEOPIXEL_OBJ(self):      # noqa: N802 - its name in 1.20
        from LM_neopixel import _lamp
        return _lamp.wires


_OF_A_TASK = {"done": _Done, "__enter__": _enter, "__exit__": _exit}
_OF_MODULES = {
    "Manager": Manager, "exec_lm_core": exec_lm_core, "sta_high_avail": sta_high_avail,
    "ifconfig": ifconfig, "get_mac": get_mac, "uptime": uptime, "set_time": set_time, "ntp_time": ntp_time,
    "suntime": suntime, "Sun": _Sun(),
    "Data": _Strip(),
}
