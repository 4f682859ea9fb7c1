"""Finds the board's pin map and reads numbers out of it; in memory only while a pin is looked up."""
import os
import sys

from Files import exists
from pure.lazy import unload


def number(board, name):
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


def board_and_custom(text):
    """(name of the pin map, {name: number} of one's own). text: the setting cstmpmap. Raises ValueError."""
    from Settings import own_pins
    board, custom = own_pins(text)
    unload("Settings")
    candidates = ([board] if board else []) + _board_words()
    for name in candidates:
        if _map_file(name):
            return name, custom
    return candidates[-1], custom
