"""Names for pins: `LP_<board>.py` maps them to numbers, `cstmpmap` overrides, a pin has one owner at a time."""
from ConfigHandler import cfgget
from pure.lazy import once, unload


class PinError(ValueError):
    """Raised when a name has no pin here, or its pin is taken."""


class Pins:
    """The board's pin map and who has booked what."""

    def __init__(self, board, custom):
        self.board = board          # "esp32": the map is LP_esp32
        self.custom = custom        # {name: number}
        self.booked = {}            # {number: name}

    def number(self, name):
        """Pin number of a logical name, None when the board has no such pin."""
        if name in self.custom:
            return self.custom[name]
        import PinMap
        found = PinMap.number(self.board, name)
        unload("PinMap")
        return found

    def book(self, name):
        """Pin number of a name (or a number as it is), now taken. Raises PinError."""
        number = name if isinstance(name, int) else self.number(name)
        if number is None:
            raise PinError("[io-resolve] error: {} has no pin on {}; name one in cstmpmap".format(name, self.board))
        owner = self.booked.get(number, name)
        if owner != name:
            raise PinError("[io] Pin {} is busy: {}:{}".format(name, owner, number))
        self.booked[number] = name
        return number


@once
def _pins():
    return Pins(*_read_map())


def _read_map():
    import PinMap
    found = PinMap.board_and_custom(cfgget("cstmpmap"))
    unload("PinMap")
    return found


def remap():
    """Take a changed cstmpmap; what is booked stays booked."""
    _pins().board, _pins().custom = _read_map()


def physical_pin(key):
    """Book a pin: number of a logical name, or the number itself. Raises PinError when unknown or taken."""
    return _pins().book(key)


def pinmap_dump(keys):
    """{name: number or None} of one name or a list of them; books nothing."""
    if isinstance(keys, str):
        keys = (keys,)
    return {key: _pins().number(key) for key in keys}


def get_pinmap():
    """{"map": board, "booked": {number: name}, "custom": {name: number}}."""
    pins = _pins()
    return {"map": pins.board, "booked": pins.booked, "custom": pins.custom}


def detect_platform():
    """Name of the board's pin map."""
    return _pins().board
