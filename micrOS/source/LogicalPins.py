"""Names for pins: `LP_<board>.py` maps them to numbers, `cstmpmap` overrides, a pin has one owner at a time."""
import os
import sys

from ConfigHandler import cfgget
from Files import exists
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
        return _from_map(self.board, name)

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


def _from_map(board, name):
    """One number out of a map. It is read as text: imported, its forty names would stay in memory for ever."""
    path = _map_file(board)
    if path is None or path.endswith(".mpy"):
        return _imported(board, name)
    with open(path) as file:
        for line in file:
            key, _, value = line.partition("=")
            if key.strip() == name:
                return int(value.split("#")[0].replace("const(", "").replace(")", ""))
    return None


def _imported(board, name):
    """The same out of a map that is bytecode or frozen into the firmware."""
    try:
        return getattr(__import__("LP_" + board), name, None) if name[0] != "_" else None
    except ImportError:
        return None
    finally:
        unload("LP_" + board)


def _map_file(board):
    """File that holds a map, None when there is none."""
    for folder in sys.path:
        for ending in (".py", ".mpy"):
            path = "{}/LP_{}{}".format(folder, board, ending)
            if exists(path):
                return path
    return None


def _board_words():
    """Names under which this board's map may be found, best first."""
    machine = os.uname()[4].lower() if hasattr(os, "uname") else ""
    for mark in "-/,":
        machine = machine.replace(mark, " ")
    return machine.split() + [sys.platform]


def _parse_custom(text):
    """(map name or None, {name: number}) of a cstmpmap. Raises PinError."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    board = parts.pop(0) if parts and ":" not in parts[0] else None
    custom = {}
    for part in parts:
        name, _, number = part.partition(":")
        try:
            custom[name.strip()] = int(number)
        except ValueError:
            raise PinError("cstmpmap: {} is not name:number".format(part))
    return board, custom


@once
def _pins():
    text = cfgget("cstmpmap")
    board, custom = (None, {}) if text == "n/a" else _parse_custom(text)
    candidates = ([board] if board else []) + _board_words()
    for name in candidates:
        if _map_file(name):
            return Pins(name, custom)
    return Pins(candidates[-1], custom)


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
