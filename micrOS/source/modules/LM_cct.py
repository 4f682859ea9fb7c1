"""A white lamp of a cold and a warm channel on pins `cwhite`, `wwhite` (PWM)."""
from Lamp import Lamp, more
from LogicalPins import pinmap_dump

_lamp = Lamp("cct", 1000, ("cwhite", "wwhite"), ("CW", "WW"), (500, 500))


def load_n_init(cache=None):
    """Make the lamp and show its last state. cache=False: it is no longer saved. Returns `CACHE: True|False`."""
    return more("load", _lamp, cache)


def white(cw=None, ww=None, smooth=True, force=True):
    """Set the cold and the warm channel, 0-1000 each; None keeps one. force: also switch on. Returns the state."""
    return _lamp.set((cw, ww), smooth, force or None)


def brightness(percent=None, smooth=True, wake=True):
    """Brightness in percent of the stronger channel; without percent: tell it. wake: also switch on."""
    return more("brightness", _lamp, percent, smooth, wake)


def toggle(state=None, smooth=True):
    """Switch on or off; without state the other way round. Returns the state."""
    return _lamp.toggle(state, smooth)


def transition(cw=None, ww=None, sec=1.0, wake=False):
    """Fade to a white within sec seconds, in the background. wake: also switch on."""
    return more("transition", _lamp, (cw, ww), sec, wake or None)


def hue_transition(percent, sec=1.0, wake=False):
    """Fade from warm (0) to cold (100) or back within sec seconds, at the brightness there is."""
    return more("hue", _lamp, percent, sec, wake)


def random(smooth=True, max_val=1000):
    """A white by chance, each channel up to max_val. Returns the state."""
    return more("random", _lamp, smooth, max_val)


def subscribe_presence():
    """On and off as LM_presence says."""
    from LM_presence import _attach
    _attach(_lamp.toggle)


def status(lmf=None):
    """The state: {"CW": 0-1000, "WW": ..., "S": 0 or 1}."""
    return _lamp.status()


def pinmap():
    return pinmap_dump(_lamp.pins)


def help():
    return more("help", _lamp)
