"""A guest without manners."""
import time

import uasyncio
from Common import micro_task
from machine import Pin

HELD = []


async def _forever():
    while True:
        await uasyncio.sleep_ms(1000)


async def _raise():
    await uasyncio.sleep_ms(1)
    raise ValueError("the soup is cold")


async def _hold():
    await uasyncio.sleep_ms(1)
    while True:
        pass


def leak(count=100, dot="."):
    """How many of so many tasks the node took."""
    return len([i for i in range(count) if micro_task(f"rogue{dot}{i}", _forever())])


def fail_in_a_task():
    return micro_task("rogue.soup", _raise())


def fail_in_a_stray():
    uasyncio.create_task(_raise())
    return "begun"


def hold():
    while True:
        time.sleep_ms(1)


def hold_in_a_task():
    return micro_task("rogue.hold", _hold())


def _eat(pin):
    while True:
        HELD.append(bytearray(1024))


def _trip(pin):
    raise ValueError("tripped")


def eat_in_an_interrupt(pin=4):
    Pin(pin, Pin.IN, Pin.PULL_UP).irq(trigger=Pin.IRQ_FALLING, handler=_eat)


def trip_in_an_interrupt(pin=5):
    Pin(pin, Pin.IN, Pin.PULL_UP).irq(trigger=Pin.IRQ_FALLING, handler=_trip)


def allocate_in_a_hard_interrupt(pin=18):
    Pin(pin, Pin.IN, Pin.PULL_UP).irq(trigger=Pin.IRQ_FALLING, handler=_note, hard=True)


def _note(pin):
    HELD.append([pin] * 9)


def held():
    count = len(HELD)
    HELD.clear()
    return count > 0


def leave():
    raise SystemExit(3)
