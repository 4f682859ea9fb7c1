"""A white lamp of a cold and a warm channel on pins `cwhite`, `wwhite` (PWM)."""
from Lamp import Lamp, more

_lamp = Lamp("cct", 1000, ("cwhite", "wwhite"), ("CW", "WW"), (500, 500))
load_n_init, toggle, subscribe_presence, status, pinmap, help, brightness, random = _lamp.doors()


def white(cw=None, ww=None, smooth=True, force=True):
    """Set the cold and the warm channel, 0-1000 each; None keeps one. force: also switch on. Returns the state."""
    return _lamp.set((cw, ww), smooth, force or None)


def transition(cw=None, ww=None, sec=1.0, wake=False):
    """Fade to a white within sec seconds, in the background. wake: also switch on."""
    return more("transition", _lamp, (cw, ww), sec, wake or None)


def hue_transition(percent, sec=1.0, wake=False):
    """Fade from warm (0) to cold (100) or back within sec seconds, at the brightness there is."""
    return more("hue", _lamp, percent, sec, wake)
