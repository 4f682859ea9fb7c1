"""Finds the board's pin map, reads numbers out of it and books them; in memory only meanwhile.

A map is a line `name = const(<number>)` for each pin. Its pin `builtin` is the LED that shows life:
`-8` lights when pin 8 is low; a text is what machine.Pin calls it. `builtin_kind` is "WS2812" or "APA102" for a pixel.
"""
import os
import sys

from Files import exists, names
from pure.lazy import unload


LED = "builtin"
_MISSING = ("[io-resolve] error: {} has no pin on {}; name one in cstmpmap",
            "[io-resolve] error: {} have no pin on {}; name them in cstmpmap")


class MapError(ValueError):
    """Raised for pins that cannot be had; names each."""


def begin(text):
    """The board's pins, of which nobody has booked any. text: the setting cstmpmap. Raises ValueError.

    "map": "esp32" when it is LP_esp32; "custom": {name: number}; "booked": {number: name};
    "lent": list with the progress LED, emptied when somebody books its pin, or None
    """
    board, custom = board_and_custom(text)
    return {"map": board, "custom": custom, "booked": {}, "lent": None}


def told(pins):
    """{"map": board, "booked": {number: name}, "custom": {name: number}}."""
    return {key: pins[key] for key in ("map", "booked", "custom")}


def book(pins, keys):
    """Numbers of these names (or numbers as they are), now taken, all or none. Raises MapError."""
    found = numbers(pins, keys)
    missing = [key for key in keys if found[key] is None]
    if missing:
        raise MapError(_MISSING[len(missing) > 1].format(", ".join(missing), pins["map"]))
    places = [_place(key, found[key]) for key in keys]
    owners = {place: name for place, name in pins["booked"].items() if name != LED or pins["lent"] is None}
    taken = [(key, place) for key, place in zip(keys, places) if owners.setdefault(place, key) != key]
    if taken:
        raise MapError("[io] Pin " + ", ".join(["{} is busy: {}:{}".format(key, owners[place], place)
                                                for key, place in taken]))
    for key, place in zip(keys, places):
        if pins["lent"] is not None and pins["booked"].get(place) == LED:
            pins["lent"].clear()
            pins["lent"] = None
        pins["booked"][place] = key
    return places


def lend(pins, user):
    """Book the LED for a user that gives way: a list, which is emptied when somebody else books the pin.

    Returns the number as the map has it. Raises MapError.
    """
    book(pins, (LED,))
    pins["lent"] = user
    return numbers(pins, (LED,))[LED]


def _place(key, number):
    """The pin alone, without what the map says of the LED at it."""
    return -number if isinstance(number, int) and number < 0 and key != number else number


def numbers(pins, keys):
    """{name: number, or None when the board has no such pin}; a number as it is."""
    found = {key: key if isinstance(key, int) else pins["custom"].get(key) for key in keys}
    wanted = [key for key in keys if found[key] is None]
    if wanted:
        found.update(_of_map(pins["map"], wanted))
    return found


def _of_map(board, keys):
    """The same out of a map. It is read as text: imported, its forty names would stay in memory for ever."""
    path = _map_file(board)
    if path is None or path.endswith(".mpy"):
        return _imported(board, keys)
    found = {}
    with open(path) as file:
        for line in file:
            key = line.partition("=")[0].strip()
            if key in keys:
                found[key] = _value(line)
    return found


def _value(line):
    """Number or text of a line of a map. Raises MapError."""
    text = line.partition("=")[2].split("#")[0].replace("const(", "").replace(")", "").strip()
    try:
        return text[1:-1] if text[:1] == '"' else int(text)
    except ValueError:
        raise MapError("a line of a pin map is name = const(number), got {}".format(line.strip()))


def _imported(board, keys):
    """The same out of a map that is bytecode or frozen into the firmware."""
    try:
        table = __import__("LP_" + board)
        return {name: getattr(table, name) for name in keys if name[:1] != "_" and hasattr(table, name)}
    except ImportError:
        return {}
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


def remap(pins, text):
    """Take a changed cstmpmap. Raises MapError when it names a map that is not there; the board's own is used then."""
    pins["map"], pins["custom"] = board_and_custom(text)
    named = _own(text)[0]
    if named not in (None, pins["map"]):
        raise MapError("cstmpmap: there is no map {}; {} is used".format(named, pins["map"]))


def _own(text):
    from Settings import own_pins
    unload("Settings")
    return own_pins(text)


def board_and_custom(text):
    """(name of the pin map, {name: number} of one's own). text: the setting cstmpmap. Raises ValueError."""
    board, custom = _own(text)
    known = [file[3:].split(".")[0] for folder in sys.path for file in names(folder) if file[:3] == "LP_"]
    candidates = ([board] if board else []) + _board_words()
    for name in candidates:
        if name in known:
            return name, custom
    return candidates[-1], custom


def _board_words():
    """Names under which this board's map may be found, best first: LOLIN_S2_MINI with ESP32-S2FN4R2 is an esp32s2."""
    machine = os.uname()[4].lower() if hasattr(os, "uname") else ""
    words = machine.replace("-", "").replace("/", " ").replace(",", " ").split()
    return words + [word[:7] for word in words if word[:5] == "esp32"] + [sys.platform]
