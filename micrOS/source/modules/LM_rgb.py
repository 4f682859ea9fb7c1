"""An analogue RGB lamp on pins `redgb`, `rgreenb`, `rgbue` (three PWM channels)."""
from Lamp import Lamp, more

_lamp = Lamp("rgb", 1000, ("redgb", "rgreenb", "rgbue"), "RGB", (197, 35, 10))
load_n_init, toggle, subscribe_presence, status, pinmap, help, brightness, random = _lamp.doors()


def color(r=None, g=None, b=None, smooth=True, force=True):
    """Set channels, 0-1000 each; None keeps one. force: also switch on. Returns the state."""
    return _lamp.set((r, g, b), smooth, force or None)


def transition(r=None, g=None, b=None, sec=1.0, wake=False):
    """Fade to a colour within sec seconds, in the background. wake: also switch on."""
    return more("transition", _lamp, (r, g, b), sec, wake or None)
