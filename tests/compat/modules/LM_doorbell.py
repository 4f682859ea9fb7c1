"""Interrupts of a pin: counted in the handler, the work scheduled."""
import micropython
import utime
from machine import Pin


class Bell:
    PIN = None
    RINGS = 0
    SERVED = 0
    LAST = 0


def _serve(_):
    Bell.SERVED += 1


def _ring(pin):
    Bell.RINGS += 1
    Bell.LAST = utime.ticks_ms()
    micropython.schedule(_serve, pin)


def load_n_init(pin=4):
    Bell.PIN = Pin(pin, Pin.IN, Pin.PULL_UP)
    Bell.PIN.irq(trigger=Pin.IRQ_FALLING, handler=_ring)


def rings():
    return Bell.RINGS, Bell.SERVED
