"""A strip of WS2812 on pin `neop`: in one colour, or pixel by pixel."""
from Lamp import Lamp, more
from pure.lazy import door

__getattr__ = door               # Data, which effects of 1.20 take from here
_lamp = Lamp("neopixel", 255, ("neop",), "RGB", (100, 100, 100))
toggle, subscribe_presence, status, pinmap, help, brightness, random = _lamp.doors()[1:]


def load_n_init(cache=None, ledcnt=24):
    """Make the strip, ledcnt pixels long, and show its last state. cache=False: it is no longer saved."""
    return more("load_strip", _lamp, cache, ledcnt)


def color(r=None, g=None, b=None, smooth=True, force=True):
    """Set all pixels, channels 0-255; None keeps one. force: also switch on. Returns the state."""
    return _lamp.set((r, g, b), smooth, force or None)


def segment(r=None, g=None, b=None, s=0, cache=False, write=True):
    """Set pixel s; None takes that channel of the state. cache: the state takes the colour; write: show it now."""
    strip, pixel = _lamp.wires, _lamp.mixed((r, g, b))
    if s >= strip.n:
        return "NEOPIXEL index error: {} > {}".format(s, strip.n - (s == strip.n))
    _lamp.stop()
    strip[s] = pixel
    if write:
        strip.write()
    if cache:
        more("keep", _lamp, pixel)
    return _lamp.status()


def transition(r=None, g=None, b=None, sec=1.0, wake=False):
    """Fade to a colour within sec seconds, in the background. wake: also switch on."""
    return more("transition", _lamp, (r, g, b), sec, wake or None)
