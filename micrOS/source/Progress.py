"""Chooses what is lit while the node talks: the LED or the pixel of this board; in memory only for that."""
from LogicalPins import pinmap_dump, pins
from pure.lazy import unload


def leds():
    """List of what takes 1 before a console line, 0 behind it, and None to be dark for good; empty without an LED."""
    import PinMap
    found = []
    try:
        kind = pinmap_dump("builtin_kind")["builtin_kind"]
        number = PinMap.lend(pins(), found)
        found.append(_pixel(kind, number) if kind else _led(number))
    except (ImportError, KeyError, OSError, TypeError, ValueError):        # ValueError: no such pin, or it is taken
        pass
    unload("PinMap")
    return found


def _led(number):
    from machine import Pin
    if isinstance(number, int) and number < 0:
        from machine import Signal
        return Signal(Pin(-number, Pin.OUT, value=1), invert=True)
    return Pin(number, Pin.OUT, value=0)


def _pixel(kind, number):
    import TinyPLed
    return TinyPLed.pixel(kind, number)
