"""usb_console -- the serial console of a board."""
from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import Any

from toolkit import ports
from toolkit.commands import Out, add_port
from toolkit.errors import LinkError, UsageError
from toolkit.link.rawrepl import Wire

HELP = "open the serial console of a board on USB"
FLAGS = ("-u", "--connect_via_usb")
EPILOG = """You see what the board prints, and type to it: Ctrl-C stops what runs and gives the prompt of MicroPython,
Ctrl-D there starts it again. Ctrl-] leaves; the board stays as it is then.

examples:
  devToolKit.py --connect_via_usb
  devToolKit.py -u --port /dev/ttyUSB1
"""
LEAVE = b"\x1d"                # Ctrl-]
KEYS_BYTES = 256               # what a paste may bring at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_port(parser)
    parser.add_argument("--baud", type=int, default=ports.BAUD, help=f"default {ports.BAUD}")


def run(args: argparse.Namespace, out: Out) -> int | None:
    port = ports.choose(args.port)
    if args.dummy:
        out(f"would open the console of the board at {port}, {args.baud} baud")
        return None
    if not sys.stdin.isatty():
        raise UsageError("a person types here, and stdin is no terminal; scripts use --connect")
    wire = Wire(ports.open_port(port, args.baud))
    try:
        talk(wire)
    finally:
        wire.close()
    return None


def talk(wire: Wire) -> None:
    """Until Ctrl-]. Raises PortLostError when the board goes first."""
    from serial.tools.miniterm import Console

    terminal, left = Console(), threading.Event()
    terminal.setup()
    print(f"{wire.name}: Ctrl-] leaves, Ctrl-C stops what runs, Ctrl-D then starts it again", file=sys.stderr)
    threading.Thread(target=_type, args=(terminal, wire, left), daemon=True).start()
    try:
        while not left.is_set():
            terminal.write_bytes(wire.read())
    finally:
        terminal.cleanup()


def _type(terminal: Any, wire: Wire, left: threading.Event) -> None:
    """From the keyboard to the board. Left alone in its wait when the board goes: its last key does no harm."""
    try:
        while not left.is_set():
            typed, leave, _ = _keys(terminal).partition(LEAVE)
            wire.send(typed)
            if leave:
                left.set()
    except (LinkError, EOFError):
        left.set()


def _keys(terminal: Any) -> bytes:
    """What was typed, Enter as the board expects it. Raises EOFError when the terminal is gone."""
    if os.name != "posix":
        return str(terminal.getkey()).encode().replace(b"\n", b"\r")
    keys = os.read(sys.stdin.fileno(), KEYS_BYTES)       # not sys.stdin, whose lock would be held at the end of us
    if not keys:
        raise EOFError
    return keys.replace(b"\n", b"\r")
