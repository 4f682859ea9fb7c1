"""Chooses what is lit while the node talks: the LED or the pixel of this board; in memory only for that."""
from LogicalPins import pinmap_dump, pins
from pure.lazy import unload


def leds():
    """List of what takes 1 before a console line, 0 behind it, and None to be dark for good; empty without an LED."""
    import PinMap
    found = []
    try:
        kind = pinmap_dump("builtin_kind")["builtin_kind"]
        found.append(_KINDS[kind](PinMap.lend(pins(), found)))
    except (ImportError, KeyError, OSError, TypeError, ValueError):        # ValueError: no such pin, or it is taken
        pass
    unload("PinMap")
    return found


def _led(number):
    from machine import Pin, Signal
    if isinstance(number, int) and number < 0:
        return Signal(Pin(-number, Pin.OUT, value=1), invert=True)
    return Pin(number, Pin.OUT, value=0)


def _ws2812(number):
    from machine import Pin
    from neopixel import NeoPixel
    from TinyPLed import Pixel
    return Pixel(NeoPixel(Pin(number), 1))


def _apa102(number):
    from TinyPLed import dotstar
    return dotstar()


_KINDS = {None: _led, "WS2812": _ws2812, "APA102": _apa102}
