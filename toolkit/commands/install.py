"""install -- copy micrOS onto a board that runs MicroPython."""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING

from toolkit import ports
from toolkit.commands import Out, add_json, add_port, to_json
from toolkit.commands.deploy import add_parts
from toolkit.progress import bar

if TYPE_CHECKING:
    from toolkit.compile import Build
    from toolkit.link.ampy import AmpyLink
    from toolkit.link.serial import SerialLink
    from toolkit.link.verbs import BoardFiles

HELP = "copy micrOS onto a board on USB that has MicroPython"
FLAGS = ("-i", "--install")
EPILOG = """Only files that differ from those on the board are sent, by SHA-256; each is hashed on the board before it
takes the place of the old one, main.py comes last. Files of yours stay: configuration, modules, data. Other forms
of ours go: x.py where x.mpy is copied. The board starts micrOS at the end. Interrupted anywhere, run it again.

examples:
  devToolKit.py --install
  devToolKit.py --install --dummy
  devToolKit.py -i --port /dev/ttyUSB1 --source --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_port(parser)
    add_parts(parser, "all, on an rp2 those it has")
    parser.add_argument("--source", action="store_true", help="copy .py files, not compiled ones")
    parser.add_argument("--ampy", action="store_true",
                        help="copy through adafruit-ampy: minutes instead of seconds, should the usual way fail")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit.compile import build

    port = ports.choose(args.port)
    every = build(None, mpy=not args.source)
    for warning in every.warnings:
        print(warning, file=sys.stderr)
    if args.dummy:
        built = every if args.parts is None else every.with_parts(args.parts)
        for path, file in built.files.items():
            out(f"{file.stat().st_size:>8}  {path}")
        out(f"would send those of these {len(built.files)} files that differ on the board at {port}, and restart it")
        return None
    begun = time.monotonic()
    with _link(port, args.ampy) as board, bar("copying") as progress:
        built = for_board(every, args.parts, board)
        done = board.sync(built.files, progress)
    took_s = round(time.monotonic() - begun, 2)
    if args.json:
        out(to_json({"port": port, **asdict(done), "seconds": took_s}))
        return None
    out(f"{len(done.sent)} files sent ({done.bytes} bytes), {len(done.same)} were there already, {took_s:.1f} s")
    for path in done.removed:
        out(f"removed {path}, an older form of ours")
    for path in done.hiding:
        out(f"{path} on the board is found before ours of that name; if it is not meant so, remove it")
    return None


def for_board(every: Build, parts: Collection[str] | None, board: BoardFiles) -> Build:
    """The set with the parts that were named, or usual for the board, or on it. Raises UsageError without room."""
    from toolkit import deploy
    from toolkit.boards import parts_for
    from toolkit.parts import on_board

    there = board.listing()
    if parts is None:
        machine = board.execute("print(os.uname().machine)").decode().strip()
        parts = {*parts_for(machine), *on_board(every.files, there)}
    built = every.with_parts(parts)
    deploy.check_room(built, there, board.space()[0])
    return built


def _link(port: str, with_ampy: bool) -> SerialLink | AmpyLink:
    from toolkit.link import ampy, serial

    return ampy.AmpyLink(port) if with_ampy else serial.SerialLink(port)
