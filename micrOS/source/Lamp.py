"""What lamps share: channels that are remembered, faded and switched as one.

What is seldom asked for, and all that touches a file, is in LampMore.py: in memory only while it works.
"""
from collections import OrderedDict
from micropython import const

from LogicalPins import pinmap_dump
from pure.lazy import unload
from TaskManager import manager

_SMOOTH_MS = const(300)


def more(what, *args):
    """Call a function of LampMore."""
    import LampMore
    try:
        return getattr(LampMore, what)(*args)
    finally:
        unload("LampMore", "pure.color")


class Lamp:
    """A lamp; making it does nothing yet: its pins and its state file are opened when it is first asked for something.

    name    of the load module
    full    value of a channel at 100 %
    pins    logical names
    keys    names of the channels in the state: a tuple, or a text when they have one letter
    first   their values when there is no state file; the lamp is off then

    From then on (LampMore.open):
    color   tuple of the channels, lit or not
    on      0, 1
    wires   tuple of PWM, or a NeoPixel
    shown   what the channels show now
    """

    job = None             # the Task that changes what is shown, or the last that did
    saves = True           # the state goes to the file

    def __init__(self, name, full, pins, keys, first):
        self.name = name
        self.full = full
        self.pins = pins
        self.keys = keys
        self.first = first

    def __getattr__(self, name):
        more("open", self)
        return self.__dict__[name]

    def doors(self):
        """What its module offers: load_n_init, toggle, subscribe_presence, status, pinmap, help.

        Two more of a lamp with several channels: brightness, random.
        """
        doors = self.load, self.toggle, self.subscribe, self.status, self.pinmap, self.help
        return doors + (self.brightness, self.random) if len(self.keys) > 1 else doors

    def load(self, cache=None):
        """Make the lamp and show its last state. cache=False: it is no longer saved. Returns `CACHE: True|False`."""
        return more("load", self, cache)

    def toggle(self, state=None, smooth=True):
        """Switch on or off; without state the other way round. Returns the state."""
        return self.set((), smooth, not self.on if state is None else state)

    def subscribe(self):
        """On and off as LM_presence says."""
        more("subscribe", self)

    def status(self, lmf=None):
        """The state: {channel: 0-full, "S": 0 or 1}."""
        return OrderedDict(zip(tuple(self.keys) + ("S",), self.color + (self.on,)))

    def pinmap(self):
        return pinmap_dump(self.pins)

    def help(self):
        return more("help", self)

    def brightness(self, percent=None, smooth=True, wake=True):
        """Brightness in percent of the strongest channel; without percent: tell it. wake: also switch on."""
        return more("brightness", self, percent, smooth, wake)

    def random(self, smooth=True, max_val=None):
        """A colour by chance, each channel up to max_val, by default as far as it goes. Returns the state."""
        return more("random", self, smooth, max_val)

    def goal(self):
        """What the channels show when all is as the state says."""
        return self.color if self.on else (0,) * len(self.color)

    def show(self, values):
        """Put values on the wires, for now."""
        self.shown = values
        if isinstance(self.wires, tuple):
            for channel, value in zip(self.wires, values):
                channel.duty_u16(value << 6)       # what duty() counts on an ESP32; rp2 has no duty()
        else:
            self.wires.fill(values)
            self.wires.write()

    def stop(self):
        """End a change that goes on; the channels stay where they are."""
        if self.job:
            self.job.cancel()

    def go(self, smooth):
        """Show the state. smooth: True, False, or within how many ms. Returns the state."""
        self.stop()
        if smooth:
            from asyncio import sleep_ms
            from pure.fade import walk
            ms = _SMOOTH_MS if smooth is True else smooth
            self.job = manager().start(self.name + "._tran", walk(self.shown, self.goal(), self.show, ms, sleep_ms))
        else:
            self.show(self.goal())
        return self.status()

    def mixed(self, values):
        """The colour with these channels, None keeps one. Raises ValueError for what a channel cannot be."""
        color = list(self.color)
        for at, value in enumerate(values):
            if value is not None:
                if not isinstance(value, int) or not 0 <= value <= self.full:
                    raise ValueError("a channel is 0-{}, got {}".format(self.full, value))
                color[at] = value
        return tuple(color)

    def set(self, values, smooth, on):
        """Remember a colour and go there. values: as mixed(); on: True, False, None keeps it; smooth: as go()."""
        more("keep", self, self.mixed(values), on)
        return self.go(smooth)
