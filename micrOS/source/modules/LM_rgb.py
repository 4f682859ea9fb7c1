"""An analogue RGB lamp on pins `redgb`, `rgreenb`, `rgbue` (three PWM channels)."""
from micropython import const
from machine import PWM, Pin

from Common import Saved, fade, micro_task, once
from LogicalPins import physical_pin, pinmap_dump

PINS = ("redgb", "rgreenb", "rgbue")
_FULL = const(1000)               # a channel counts 0-1000
_FREQ_HZ = const(20480)           # above hearing
_SMOOTH_MS = const(300)
TASK = "rgb._tran"


class Lamp:
    """Three channels and what they remember: R, G, B 0-1000, S 0 off, 1 on."""

    def __init__(self, channels, saved):
        self._channels = channels
        self._saved = saved
        self._shown = (0, 0, 0)
        self.paint(self.lit())

    def state(self):
        return self._saved.data.copy()

    def lit(self):
        """What the channels show when the lamp is as its state says."""
        data = self._saved.data
        return (data["R"], data["G"], data["B"]) if data["S"] else (0, 0, 0)

    def color(self):
        data = self._saved.data
        return data["R"], data["G"], data["B"]

    def set(self, color, on, smooth_ms):
        """Take a colour (three 0-1000) and on (0, 1); go there within smooth_ms. Returns the state."""
        for value in color:
            if not isinstance(value, int) or not 0 <= value <= _FULL:
                raise ValueError("a channel is 0-{}, got {}".format(_FULL, value))
        self._saved.keep(R=color[0], G=color[1], B=color[2], S=on)
        if smooth_ms:
            fade(TASK, self._shown, self.lit(), self.paint, smooth_ms)
        else:
            self._stop()
            self.paint(self.lit())
        return self.state()

    def paint(self, values):
        self._shown = values
        for channel, value in zip(self._channels, values):
            channel.duty(value)

    def is_changing(self):
        task = micro_task(TASK)
        return bool(task and task.active)

    def _stop(self):
        if self.is_changing():
            micro_task(TASK).cancel()


@once
def _lamp():
    channels = [PWM(Pin(physical_pin(name)), freq=_FREQ_HZ, duty=0) for name in PINS]
    return Lamp(channels, Saved("rgb", ("R", 197), ("G", 35), ("B", 10), ("S", 0)))


def _mixed(r, g, b):
    """The present colour with the given channels replaced."""
    return tuple([old if new is None else new for old, new in zip(_lamp().color(), (r, g, b))])


def load_n_init(cache=None):
    """Make the lamp and show its last state. Returns `CACHE: True`: the state is always kept."""
    _lamp()
    return "CACHE: True"


def color(r=None, g=None, b=None, smooth=True, force=True):
    """Set channels, 0-1000 each; None keeps one. force: also switch on. Returns the state."""
    on = 1 if force else _lamp().state()["S"]
    return _lamp().set(_mixed(r, g, b), on, _SMOOTH_MS if smooth else 0)


def brightness(percent=None, smooth=True, wake=True):
    """Brightness in percent of the brightest channel; without percent: tell it. wake: also switch on."""
    state, now = _lamp().state(), _lamp().color()
    if percent is None:
        return "{} %".format(max(now) * 100 / _FULL) if state["S"] else "0 %"
    if not 0 <= percent <= 100:
        return "Percent is out of range: 0-100"
    most = max(now) or 1
    scaled = [round((value if max(now) else 1) * percent * _FULL / 100 / most) for value in now]
    return _lamp().set(tuple(scaled), 1 if wake else state["S"], _SMOOTH_MS if smooth else 0)


def toggle(state=None, smooth=True):
    """Switch on or off; without state the other way round. Returns the state."""
    on = not _lamp().state()["S"] if state is None else state
    return _lamp().set(_lamp().color(), 1 if on else 0, _SMOOTH_MS if smooth else 0)


def transition(r=None, g=None, b=None, sec=1.0, wake=False):
    """Fade to a colour within sec seconds, in the background."""
    if _lamp().is_changing():
        return "Transition already running"
    _lamp().set(_mixed(r, g, b), 1 if wake else _lamp().state()["S"], int(sec * 1000))
    return "Starting transition"


def random(smooth=True, max_val=_FULL):
    """A colour by chance, each channel up to max_val. Returns the state."""
    from random import randint
    return color(randint(0, max_val), randint(0, max_val), randint(0, max_val), smooth)


def status(lmf=None):
    """The state: {"R": 0-1000, "G": ..., "B": ..., "S": 0 or 1}."""
    return _lamp().state()


def pinmap():
    return pinmap_dump(PINS)


def help():
    return ("color r=<0-1000> g b smooth=True force=True", "brightness percent=<0-100> smooth=True wake=True",
            "toggle state=None smooth=True", "transition r=<0-1000> g b sec=1.0 wake=False",
            "random smooth=True max_val=1000", "status", "load_n_init", "pinmap")
