"""Fades: the steps of `transition`, and several channels driven by `transition_gen` in a task."""
import uasyncio
from Common import micro_task, transition, transition_gen
from LogicalPins import physical_pin
from machine import PWM, Pin

CHANNELS = []


def _channels():
    if not CHANNELS:
        CHANNELS.extend([PWM(Pin(physical_pin(name)), 20480) for name in ('redgb', 'rgbue')])
    return CHANNELS


def steps(start, end, step_ms, seconds):
    return list(transition(from_val=start, to_val=end, step_ms=step_ms, interval_sec=seconds))


def one(start, end, seconds):
    gen, step_ms = transition_gen(start, end, interval_sec=seconds)
    first = gen.__next__()
    return first, list(gen), step_ms


async def _fade(iterable, ms_period):
    with micro_task(tag='dusk.fade') as my_task:
        gens = iterable
        try:
            while True:
                values = [gen.__next__() for gen in gens]
                for channel, value in zip(_channels(), values):      # noqa: B905 - MicroPython knows no strict=
                    channel.duty(value)
                my_task.out = f"Fading: {values}"
                await uasyncio.sleep_ms(ms_period)
        except StopIteration:
            my_task.out = f"Faded: {values}"


def fade(red, blue, sec=1.0):
    _channels()
    gens, step_ms = transition_gen(0, red, 0, blue, interval_sec=sec)
    return micro_task(tag='dusk.fade', task=_fade(gens, step_ms))
