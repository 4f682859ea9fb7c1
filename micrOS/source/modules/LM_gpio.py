"""Pins by number, as QuecPython's PinInterrupter and ExIntProcess have them: write, blink, edges as messages."""
from Common import once


@once
def _pins():
    """{number: PinInterrupter or ExIntProcess}"""
    return {}


def _output(pin):
    import usr               # noqa: F401 - opens the door to QuecPython's world
    from usr.bin.third_party.ql_interrupter import PinInterrupter
    if not isinstance(_pins().get(pin), PinInterrupter):
        _pins()[pin] = PinInterrupter(pin)
    return _pins()[pin]


def write(pin, value):
    """Returns the level. pin: number"""
    _output(pin).write(value)
    return _output(pin).read()


def read(pin):
    """Level of a pin."""
    if pin in _pins() and hasattr(_pins()[pin], "read"):
        return _pins()[pin].read()
    from machine import Pin
    return Pin(pin).value()


def blink(pin, times=-1, seconds=0.5):
    """Pulses of so many seconds and pauses as long; -1: until `gpio stop`."""
    _output(pin).freq_blinker(times, seconds)
    return "blinks"


def stop(pin):
    """End blinking, or watching."""
    found = _pins().get(pin)
    if found is None:
        return "pin {} is not in use here".format(pin)
    if hasattr(found, "stop_blinker"):
        found.stop_blinker()
    else:
        found.stop()
    return "stopped"


def watch(pin, edge="up"):
    """Publish {"gpio", "pressure"} at each edge under GPIO<pin>_EXINT. edge: up, down, both"""
    import usr               # noqa: F401 - as above
    from usr.bin.third_party.ql_interrupter import ExIntProcess
    if edge not in _EDGES:
        raise ValueError("edge is up, down or both, got {}".format(edge))
    if pin in _pins():
        stop(pin)
    _pins()[pin] = ExIntProcess(pin, _EDGES[edge], 2)
    _pins()[pin].start()
    return _pins()[pin].topic


_EDGES = {"up": 0, "down": 1, "both": 2}


def help():
    return "write pin value", "read pin", "blink pin times=-1 seconds=0.5", "stop pin", 'watch pin edge="up"'
