"""The chip's pins and resets. Everything else is a `_machine_<name>.py` and loads when it is asked for.

A real board has these in its firmware, where they cost no heap.
"""
# ruff: noqa: RET503, F401 - getter and setter in one, as the port has them
import sys
from umachine import PinBase, soft_reset
from _vboard import ask, tell, listen, handlers, dead

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


def __getattr__(name):
    if name == "__all__":
        from _machine_more import ALL
        return ALL
    if name == "disable_irq":
        import _flag           # noqa: F401 - who masks interrupts waits for flags: without descriptors poll() can crash
    file = "_machine_" + name.lower()
    try:
        found = getattr(__import__(file), name)
        if name in ("RTC", "freq"):         # asked for seldom
            del sys.modules[file]
        return found
    except ImportError:
        import _machine_more
        return getattr(_machine_more, name)


def reset():
    tell("reset\n")
    dead()


def reset_cause():
    return ask("get cause\n")


def unique_id():
    return bytes(ask("get mac\n"))


class Pin(PinBase):
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if isinstance(id, Pin):
            id = id.id
        elif id == "LED":
            id = ask("get led\n")
        elif not isinstance(id, int):
            raise ValueError("invalid pin")
        self.id = id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        ask("pin %d %d %d %d\n" % (self.id, mode, pull or 0, -1 if value is None else bool(value)))

    def value(self, level=None):
        if level is None:
            return ask("in %d\n" % self.id)
        tell("out %d 1\n" % self.id if level else "out %d 0\n" % self.id)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self.value())

    def irq(self, handler=None, trigger=3, hard=False, **_):
        if handler is None:
            trigger = 0
            handlers.pop(512 + self.id, None)
        else:
            if hard:
                from _hard import locked
                handler = locked(self, handler)
            listen(512 + self.id, handler, self)
        tell("irq %d %d\n" % (self.id, trigger))

    def deinit(self):
        self.irq(None)

    def __repr__(self):
        return "Pin(%d)" % self.id
