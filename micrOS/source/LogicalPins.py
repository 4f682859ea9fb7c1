"""Names for pins: `LP_<board>.py` maps them to numbers, `cstmpmap` overrides, a pin has one owner at a time.

All that reads a map is in PinMap.py.
"""
from ConfigHandler import cfgget
from pure.lazy import once, unload


class PinError(ValueError):
    """Raised when a name has no pin here, or its pin is taken."""


@once
def pins():
    """The board's pin map and who has booked what: see PinMap.begin()."""
    return _map("begin", cfgget("cstmpmap"))


def _map(name, *args):
    """Have a function of PinMap done. Raises PinError."""
    import PinMap
    try:
        return getattr(PinMap, name)(*args)
    except PinMap.MapError as error:
        raise PinError(str(error))
    finally:
        unload("PinMap")


def physical_pin(key):
    """Book a pin: number of a logical name, or the number itself. Raises PinError when unknown or taken."""
    return _map("book", pins(), (key,))[0]


def physical_pins(keys):
    """Book several pins, all or none. Returns their numbers; raises PinError naming each that is unknown or taken."""
    return _map("book", pins(), keys)


def pinmap_dump(keys):
    """{name: number or None} of one name or a list of them; books nothing."""
    return _map("numbers", pins(), (keys,) if isinstance(keys, str) else keys)


def get_pinmap():
    """{"map": board, "booked": {number: name}, "custom": {name: number}}."""
    return _map("told", pins())


def detect_platform():
    """Name of the board's pin map."""
    return pins()["map"]
