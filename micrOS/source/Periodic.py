"""Runs the commands `timirqcbf` every `timirqseq` ms; loaded when `timirq` is on."""
import asyncio
import time

from ConfigHandler import cfgget
from pure.lazy import publish


async def run(execute):
    """The time that the commands take is part of the period. execute(commands): coroutine function."""
    took_ms = turn = 0
    while True:
        await asyncio.sleep_ms(max(0, cfgget("timirqseq") - took_ms))
        begun_ms = time.ticks_ms()
        turn += 1
        publish("timirq", turn)
        await execute(cfgget("timirqcbf"))
        took_ms = time.ticks_diff(time.ticks_ms(), begun_ms)
