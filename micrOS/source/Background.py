"""Calls that run as tasks: `module function &`, and again and again `&&`. Stays once one was asked for."""
import asyncio

from ConfigHandler import cfgget
from Debug import errlog_add
from Modules import CallError
from pure.suffixes import MIN_DELAY_MS


def begin(tasks, words, as_json, loops, delay_ms):
    """Text that says what came of it. delay_ms: before each call, None: the shortest"""
    tag = "{}.{}".format(words[0], words[1])
    running = tasks.get(tag)
    if running and running.active:
        return "{} is Busy".format(tag)
    if tasks.free() < 1:
        text = "[aio] Task queue full: {}".format(cfgget("aioqueue"))
        errlog_add(text)
        return text
    task = tasks.renewed(tag)
    task.begin(_repeat(task, lambda: tasks.modules.call(words, as_json, task.say), loops, delay_ms or MIN_DELAY_MS))
    return "Start {}".format(tag)


async def _repeat(task, call, loops, delay_ms):
    await asyncio.sleep_ms(delay_ms)
    while True:
        try:
            answer = call()
            task.say(answer if isinstance(answer, str) else await answer)
        except CallError as error:       # a loop goes on: the sensor may answer next time
            task.say(error)
        if not loops:
            return
        await asyncio.sleep_ms(delay_ms)
