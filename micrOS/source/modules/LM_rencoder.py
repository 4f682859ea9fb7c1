"""A rotary encoder on pins `rot_clk`, `rot_dt`: counts detents, clockwise up."""
from machine import Pin

from Common import once, socket_stream
from Inputs import Input
from LogicalPins import physical_pins, pinmap_dump

PINS = ("rot_clk", "rot_dt")
# Quarters turned, by levels before << 2 | levels now (clk is bit 1). Clockwise clk goes first: 3, 1, 0, 2, 3.
# 2: both changed, an edge came too late to be seen
_TURNED = (0, -1, 1, 2, 1, 0, 2, -1, -1, 2, 0, 1, 2, 1, -1, 0)
_MOST_ALONE = 16          # edges of one wire without any of the other: more than a worn contact bounces


class Encoder:
    """Four quarters a detent. The interrupt changes _levels, _way, _edges and quarters, and nothing else does."""

    def __init__(self, clk, dt):
        self._clk = clk
        self._dt = dt
        self._levels = clk.value() << 1 | dt.value()
        self._way = 0             # the last turn, doubled: 2, -2
        self._edges = [0, 0]      # of clk and dt, since both had some
        self.quarters = 0
        self._zero = 0            # detents at the last reset
        self._told = 0
        for pin in (clk, dt):
            pin.irq(self._on_edge, Pin.IRQ_RISING | Pin.IRQ_FALLING)

    def position(self):
        """Detents since the last reset."""
        return (self.quarters + 2 >> 2) - self._zero

    def reset(self):
        """Count from here. Returns the position before."""
        before = self.position()
        self._zero += before
        self._told = 0
        return before

    def news(self):
        """The position, None when it is still the one last told."""
        position = self.position()
        if position == self._told:
            return None
        self._told = position
        return position

    def still(self):
        """The wire, 0 clk or 1 dt, that stands still while the other one moves; None when both move, or none."""
        if min(self._edges):
            self._edges = [0, 0]
        return self._edges.index(0) if max(self._edges) >= _MOST_ALONE else None

    def _on_edge(self, _):
        # an interrupt: small integers only, nothing is allocated
        levels = self._clk.value() << 1 | self._dt.value()
        changed = self._levels ^ levels
        self._edges[0] += changed >> 1
        self._edges[1] += changed & 1
        turned = _TURNED[self._levels << 2 | levels]
        self._levels = levels
        if turned == 2:
            turned = self._way    # it goes on as it went
        elif turned:
            self._way = turned * 2
        self.quarters += turned


@once
def _encoder():
    # pull-downs, as the wiring of 1.20 expects; most boards with an encoder pull up, and stronger
    return Encoder(*[Pin(number, Pin.IN, Pin.PULL_DOWN) for number in physical_pins(PINS)])


@once
def _wires():
    return [Input(name) for name in PINS]


def load_n_init():
    _encoder()
    return "Init RotaryEncoder with IRQs."


@socket_stream
def read_state(msgobj=None):
    """Stream the position when it is another than the one last read. Returns "". Raises InputError for a dead wire."""
    still = _encoder().still()
    for at, wire in enumerate(_wires()):
        if at == still:
            raise wire.failure("stands still while the other one moves; is it plugged in?")
        wire.works()
    position = _encoder().news()
    if position is not None:
        msgobj("[stream] RotaryState: {}".format(position))
    return ""


def reset_state():
    """Count from here."""
    return "Reset state {} -> 0".format(_encoder().reset())


def pinmap():
    return pinmap_dump(PINS)


def help():
    return "load_n_init", "read_state", "reset_state", "pinmap"
