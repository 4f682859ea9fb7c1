"""QuecPython's pm: who needs the node awake, and how it saves when nobody does.

With the radio off it sleeps lightly from task to task. With the radio on light sleep would lose the network, so there
only the CPU clock goes down.
"""
import asyncio
import os
import time

from quec.door import machine
from micropython import const

from Network import net
from TaskManager import manager

_MOST_LOCKS = const(10)
_LOOK_MS = const(100)            # between two looks whether it may sleep; what came in meanwhile is served
_LONGEST_MS = const(1000)        # of one sleep: the watchdog wants to be fed
_SHORTEST_MS = const(20)
_SAVING_HZ = const(80000000)     # the lowest at which an ESP32 keeps its radio
_locks = []                      # [name, is held]; [None, False]: free again


class _Sleep:
    is_allowed = 0
    asleep_ms = 0
    usual_hz = 0                 # the CPU clock before it went down; 0: it is not down


def create_wakelock(name, length=None):
    """Its number, -1 when there are ten."""
    if [None, False] in _locks:
        number = _locks.index([None, False])
        _locks[number] = [name, False]
        return number
    if len(_locks) >= _MOST_LOCKS:
        return -1
    _locks.append([name, False])
    return len(_locks) - 1


def delete_wakelock(number):
    if not _is_lock(number):
        return -1
    _locks[number] = [None, False]
    return 0


def wakelock_lock(number):
    """0, -1 when there is no such lock."""
    return _hold(number, True)


def wakelock_unlock(number):
    return _hold(number, False)


def get_wakelock_num():
    return len([name for name, _ in _locks if name is not None])


def autosleep(is_allowed):
    """Let the node save power while no lock is held. Returns 0."""
    _Sleep.is_allowed = is_allowed
    if is_allowed:
        manager().start("pm", _save(), protected=True)
    return 0


def asleep_s():
    """Whole seconds that the node has slept lightly."""
    return _Sleep.asleep_ms // 1000


def is_awake():
    """Somebody holds a lock, or sleep is not allowed."""
    return not _Sleep.is_allowed or any(is_held for _, is_held in _locks)


def _is_lock(number):
    return 0 <= number < len(_locks) and _locks[number][0] is not None


def _hold(number, is_held):
    if not _is_lock(number):
        return -1
    _locks[number][1] = is_held
    return 0


async def _save():
    try:
        while _Sleep.is_allowed:
            await asyncio.sleep_ms(_LOOK_MS)
            _go(not is_awake())
            if not is_awake() and not net().station.active() and not net().access_point.active():
                _sleep(_free_ms())
    finally:
        _go(False)


def _go(slowly):
    """Change the CPU clock of the ESP32 family, which has the choice."""
    if slowly == bool(_Sleep.usual_hz) or "esp32" not in os.uname()[0]:
        return
    if slowly:
        _Sleep.usual_hz = machine.freq()
        machine.freq(_SAVING_HZ)
    else:
        machine.freq(_Sleep.usual_hz)
        _Sleep.usual_hz = 0


def _free_ms():
    """How long no task wants to run."""
    from asyncio import core
    first = core._task_queue.peek()
    return _LONGEST_MS if first is None else min(_LONGEST_MS, time.ticks_diff(first.ph_key, time.ticks_ms()))


def _sleep(ms):
    if ms >= _SHORTEST_MS:
        begun_ms = time.ticks_ms()
        machine.lightsleep(ms)
        # a board's ticks stand still meanwhile, or they do not: the port decides
        _Sleep.asleep_ms += max(ms, time.ticks_diff(time.ticks_ms(), begun_ms))
