"""One dimmable lamp on pin `dim_1` (PWM)."""
from Lamp import Lamp, more

_lamp = Lamp("dimmer", 1000, ("dim_1",), "X", (500,))
load_n_init, toggle, subscribe_presence, status, pinmap, help = _lamp.doors()


def set_value(value=None, smooth=True, force=True):
    """Set the brightness, 1-1000; 0 switches off. force: also switch on. Returns the state."""
    return more("dim", _lamp, value, smooth, force or None)


def transition(value, sec=1.0, wake=False):
    """Fade to a brightness within sec seconds, in the background. wake: also switch on."""
    return more("dim_slowly", _lamp, value, sec, wake or None)
