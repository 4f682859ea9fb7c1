"""One dimmable lamp on pin `dim_1` (PWM)."""
from Lamp import Lamp, more
from LogicalPins import pinmap_dump

_lamp = Lamp("dimmer", 1000, ("dim_1",), "X", (500,))


def load_n_init(cache=None):
    """Make the lamp and show its last state. cache=False: it is no longer saved. Returns `CACHE: True|False`."""
    return more("load", _lamp, cache)


def set_value(value=None, smooth=True, force=True):
    """Set the brightness, 1-1000; 0 switches off. force: also switch on. Returns the state."""
    return more("dim", _lamp, value, smooth, force or None)


def toggle(state=None, smooth=True):
    """Switch on or off; without state the other way round. Returns the state."""
    return _lamp.toggle(state, smooth)


def transition(value, sec=1.0, wake=False):
    """Fade to a brightness within sec seconds, in the background. wake: also switch on."""
    return more("dim_slowly", _lamp, value, sec, wake or None)


def subscribe_presence():
    """On and off as LM_presence says."""
    from LM_presence import _attach
    _attach(_lamp.toggle)


def status(lmf=None):
    """The state: {"X": 5-1000, "S": 0 or 1}."""
    return _lamp.status()


def pinmap():
    return pinmap_dump(_lamp.pins)


def help():
    return more("help", _lamp)
