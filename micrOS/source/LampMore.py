"""What a lamp does seldom; loaded by Lamp.more() for one call. The lamp is the first argument of each function.

Nothing made here may outlive the call: a function that stayed behind would keep this whole file in memory.
"""
import sys
from asyncio import sleep_ms

from micropython import const

from LogicalPins import physical_pins
from Modules import modules
from pure.lazy import unload
from TaskManager import manager

_FREQ_HZ = const(20480)           # above hearing
_LEDS = const(24)                 # of a strip that nobody told its length
_FAINTEST = const(5)              # what a dimmer remembers of less, so that toggle gives light
_BUSY = "Transition already running"


def open(lamp):
    """Book the pins, read the state file, show the state. Raises PinError that names all pins the board lacks."""
    wires = physical_pins(lamp.pins)
    state = _file(lamp)
    lamp.color = tuple([min(lamp.full, max(0, state[key])) for key in lamp.keys])
    lamp.on = 1 if state["S"] else 0
    lamp.wires = _strip(wires[0], _LEDS) if lamp.full == 255 else tuple([_pwm(number) for number in wires])
    lamp.show(lamp.goal())


def keep(lamp, color, on=None):
    """Take a state, and write it down when it is another. color: tuple; on: True, False, None as it is."""
    lamp.color = color
    if on is not None:
        lamp.on = 1 if on else 0
    if lamp.saves:
        _file(lamp, lamp.status())


def _file(lamp, state=None):
    """What the state file holds, after it took the given state. Saved leaves with us, if nobody else works with it."""
    is_ours = "Saved" not in sys.modules
    from Saved import Saved
    fields = list(zip(lamp.keys, lamp.first))
    fields.insert(0 if lamp.name == "dimmer" else len(fields), ("S", 0))       # in the order of 1.20
    saved = Saved("cwww" if lamp.name == "cct" else lamp.name, *fields)
    if state:
        saved.keep(**state)
    if is_ours:
        unload("Saved")
    return saved.data


def _pwm(number):
    from machine import PWM, Pin
    return PWM(Pin(number), freq=_FREQ_HZ, duty_u16=0)


def _strip(pin, leds):
    from machine import Pin
    from neopixel import NeoPixel
    return NeoPixel(Pin(pin), leds)


def load(lamp, cache):
    """Open the lamp. cache: False, and from now on its state is no longer written. Returns `CACHE: True|False`."""
    lamp.goal()
    lamp.saves = cache is not False
    return "CACHE: {}".format(lamp.saves)


def load_strip(lamp, cache, leds):
    """load() for a strip of so many pixels."""
    resize(lamp, leds)
    return "{}, LED CNT: {}".format(load(lamp, cache), leds)


def resize(lamp, count):
    """Give a strip another length; what is no longer part of it goes dark."""
    if not isinstance(count, int) or count < 1:
        raise ValueError("a strip has 1 pixel or more, got {}".format(count))
    old = lamp.wires
    if old.n != count:
        lamp.stop()
        old.fill((0, 0, 0))
        old.write()
        lamp.wires = _strip(old.pin, count)
        lamp.show(lamp.goal())


def dim(lamp, value, smooth, on):
    """Set the one channel of a dimmer; 0 switches off. on, smooth: as Lamp.set()."""
    if value is None:
        return lamp.set((), smooth, on)
    if not 0 <= value <= lamp.full:
        return "DIMMER ERROR, VALUE 0-1000 ONLY, GIVEN: {}".format(value)
    return lamp.set((max(_FAINTEST, value),), smooth, on if value else False)


def dim_slowly(lamp, value, sec, on):
    """transition() of a dimmer."""
    return transition(lamp, (max(_FAINTEST, value),), sec, on if value else False)


def brightness(lamp, percent, smooth, wake):
    """Text `<percent> %` of the strongest channel; given percent 0-100: go there. 0 switches off, the colour stays."""
    if percent is None:
        return "{} %".format(max(lamp.color) * 100 / lamp.full if lamp.on else 0)
    if not 0 <= percent <= 100:
        return "Percent is out of range: 0-100"
    if not percent:
        return lamp.set((), smooth, False)
    from pure.color import scaled
    color = scaled(lamp.color, percent, lamp.full)
    if _is_busy(lamp) and lamp.job.tag == "cct._hue":      # it goes on, and takes the brightness from the state
        keep(lamp, color)
        return lamp.status()
    return lamp.set(color, smooth, wake or None)


def transition(lamp, values, sec, on):
    """Fade there within sec seconds, in the background. on: as Lamp.set()."""
    if _is_busy(lamp):
        return _BUSY
    lamp.set(values, int(sec * 1000), on)
    return "Starting transition"


def hue(lamp, percent, sec, wake):
    """Go from one white to another within sec seconds, in the background. percent: 0 warm, 100 cold."""
    if not 0 <= percent <= 100:
        return "Invalid range, percent=<0-100>"
    if _is_busy(lamp):
        return _BUSY
    from pure.color import cold_pct, white, whites
    begin, goal = round(cold_pct(*lamp.color) * 10), round(percent * 10)
    keep(lamp, white(percent, max(lamp.color)), wake or None)
    from pure.fade import walk
    lamp.job = manager().start("cct._hue", walk((begin,), (goal,), whites(lamp, goal), int(sec * 1000), sleep_ms))
    return "Starting transition"


def random(lamp, smooth, max_val):
    """A colour by chance, each channel up to max_val, None: full; the lamp goes on."""
    from random import randint
    if max_val is None:
        max_val = lamp.full
    if not isinstance(max_val, int) or not 0 <= max_val <= lamp.full:
        raise ValueError("max_val is 0-{}, got {}".format(lamp.full, max_val))
    return lamp.set([randint(0, max_val) for _ in lamp.keys], smooth, True)


def subscribe(lamp):
    """Have LM_presence switch it."""
    modules().load("presence")._attach(lamp.toggle)


def _is_busy(lamp):
    return bool(lamp.job and lamp.job.active)


_SETTERS = {"rgb": "color r=<0-1000> g b", "neopixel": "color r=<0-255> g b", "cct": "white cw=<0-1000> ww",
            "dimmer": "set_value value=<0-1000>"}
_EXTRAS = {"neopixel": "segment r=<0-255> g b s=0 cache=False write=True",
           "cct": "hue_transition percent=<0 warm - 100 cold> sec=1.0 wake=False"}


def help(lamp):
    """The usage lines of a module, without opening its lamp."""
    name, is_mixture = lamp.name, len(lamp.keys) > 1
    setter, _, channels = _SETTERS[name].partition(" ")
    return tuple([row for row in (
        "{} {} smooth=True force=True".format(setter, channels),
        is_mixture and "brightness percent=<0-100> smooth=True wake=True",
        _EXTRAS.get(name),
        "toggle state=None smooth=True",
        "transition {} sec=1.0 wake=False".format(channels),
        is_mixture and "random smooth=True max_val={}".format(lamp.full),
        "status",
        "load_n_init ledcnt=24" if name == "neopixel" else "load_n_init",
        "subscribe_presence", "pinmap") if row])
