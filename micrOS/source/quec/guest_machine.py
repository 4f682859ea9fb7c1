"""What QuecPython calls `machine`: its Pin, ExtInt, Timer and UART over ours; all else is the port's own."""
from quec.door import machine
from micropython import const

import blocking
from LogicalPins import physical_pin
from sys_bus import Box

_MOST_GPIO = const(49)
_WAITING = const(16)             # edges that may wait for their callback


def __getattr__(name):
    if name in ("Timer", "WDT", "UART"):
        import guest_more
        return getattr(guest_more, name)
    return getattr(machine, name)


class Pin:
    """GPIO<n> is the number n; a pin that a module has booked is refused."""

    IN, OUT = 0, 1
    PULL_DISABLE, PULL_PU, PULL_PD = 0, 1, 2
    IRQ_RISING, IRQ_FALLING = machine.Pin.IRQ_RISING, machine.Pin.IRQ_FALLING

    def __init__(self, gpio, direction=IN, pull=PULL_DISABLE, level=0):
        self._direction = direction
        modes = {"value": level} if direction == self.OUT else {}
        self._pin = machine.Pin(physical_pin(gpio), (machine.Pin.IN, machine.Pin.OUT)[direction], _pull(pull), **modes)

    def write(self, level):
        """Returns 0."""
        blocking.breathe()
        self._pin.value(1 if level else 0)
        return 0

    def read(self):
        blocking.breathe()
        return self._pin.value()

    def set_dir(self, direction):
        self._direction = direction
        self._pin.init((machine.Pin.IN, machine.Pin.OUT)[direction])
        return 0

    def get_dir(self):
        return self._direction

    def __getattr__(self, name):
        return getattr(self._pin, name)


for _number in range(_MOST_GPIO):
    setattr(Pin, "GPIO{}".format(_number), _number)


class ExtInt:
    """Calls callback([gpio, edge]) after each edge, in the task of the bus. edge: 0 rising, 1 falling"""

    IRQ_RISING, IRQ_FALLING, IRQ_RISING_FALLING = 0, 1, 2
    PULL_DISABLE, PULL_PU, PULL_PD = 0, 1, 2

    def __init__(self, gpio, mode, pull, callback):
        self._gpio = gpio
        self._mode = mode
        self._callback = callback
        self._counts = [0, 0]
        self._box = Box(self._told, _WAITING)
        self._pin = machine.Pin(physical_pin(gpio), machine.Pin.IN, _pull(pull))

    def enable(self):
        trigger = (machine.Pin.IRQ_RISING, machine.Pin.IRQ_FALLING, machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING)
        self._pin.irq(self._on_edge, trigger[self._mode])
        return 0

    def disable(self):
        self._pin.irq(None)
        return 0

    def line(self):
        return self._gpio

    def read_count(self, is_reset=0):
        """[rising, falling] edges so far."""
        counts = self._counts
        if is_reset:
            self.clear_count()
        return counts

    def clear_count(self):
        self._counts = [0, 0]
        return 0

    def close(self):
        self.disable()
        self._box.close()

    def _on_edge(self, pin):
        """The interrupt: allocates nothing."""
        edge = self._mode if self._mode < 2 else 1 - pin.value()
        self._counts[edge] += 1
        self._box.post(self._gpio, edge)

    def _told(self, gpio, edge):
        return self._callback([gpio, edge])


def _pull(pull):
    return (None, machine.Pin.PULL_UP, machine.Pin.PULL_DOWN)[pull]
