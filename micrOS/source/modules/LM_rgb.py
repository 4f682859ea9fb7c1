"""An analogue RGB lamp on pins `redgb`, `rgreenb`, `rgbue` (three PWM channels)."""
from Lamp import Lamp, more
from LogicalPins import pinmap_dump

_lamp = Lamp("rgb", 1000, ("redgb", "rgreenb", "rgbue"), "RGB", (197, 35, 10))


def load_n_init(cache=None):
    """Make the lamp and show its last state. cache=False: it is no longer saved. Returns `CACHE: True|False`."""
    return more("load", _lamp, cache)


def color(r=None, g=None, b=None, smooth=True, force=True):
    """Set channels, 0-1000 each; None keeps one. force: also switch on. Returns the state."""
    return _lamp.set((r, g, b), smooth, force or None)


def brightness(percent=None, smooth=True, wake=True):
    """Brightness in percent of the strongest channel; without percent: tell it. wake: also switch on."""
    return more("brightness", _lamp, percent, smooth, wake)


def toggle(state=None, smooth=True):
    """Switch on or off; without state the other way round. Returns the state."""
    return _lamp.toggle(state, smooth)


def transition(r=None, g=None, b=None, sec=1.0, wake=False):
    """Fade to a colour within sec seconds, in the background. wake: also switch on."""
    return more("transition", _lamp, (r, g, b), sec, wake or None)


def random(smooth=True, max_val=1000):
    """A colour by chance, each channel up to max_val. Returns the state."""
    return more("random", _lamp, smooth, max_val)


def subscribe_presence():
    """On and off as LM_presence says."""
    from LM_presence import _attach
    _attach(_lamp.toggle)


def status(lmf=None):
    """The state: {"R": 0-1000, "G": ..., "B": ..., "S": 0 or 1}."""
    return _lamp.status()


def pinmap():
    return pinmap_dump(_lamp.pins)


def help():
    return more("help", _lamp)
