"""compile -- compile micrOS into a folder."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.commands import Out, add_device, add_json, password, to_json
from toolkit.commands.deploy import warn

if TYPE_CHECKING:
    from toolkit.compile import Build

HELP = "compile micrOS [py -> mpy] into a folder"
FLAGS = ("-cc", "--cross_compile_micros")
FOLDER = "precompiled"
EPILOG = """The folder mirrors the tree of a board: copy it there as it is. main.py and pin maps stay source; which load
modules are compiled says LM_to_compile.dat, one name or pattern a line; yours in the data folder counts before ours.
With --dev the set is made for the MicroPython of a node, in a folder of its own below (mpy6.3-xtensawin/), with a
manifest of hashes beside it: sets for several boards lie side by side.

exit codes: 0 done, 2 the folder holds something else, 12 a file does not compile

examples:
  devToolKit.py --cross_compile_micros
  devToolKit.py -cc --dev node01
  devToolKit.py -cc --out build/esp32 --source my/micrOS/source
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_device(parser)
    parser.add_argument("--out", type=Path, default=Path(FOLDER), metavar="DIR",
                        help=f"empty, or of an earlier build (default: {FOLDER})")
    parser.add_argument("--source", type=Path, metavar="DIR", help="a source tree of your own")
    parser.add_argument("--architecture", default="", metavar="ARCH",
                        help="of native code, if a module of yours has some, e.g. xtensawin for an ESP32")
    parser.add_argument("--dummy", action="store_true", help="print what would be compiled, and write nothing there")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    built, folder = for_node(args) if args.dev else plain(args)
    for warning in built.warnings:
        warn(warning)
    if args.json:
        out(to_json([entry._asdict() for entry in built.manifest]))
        return None
    for entry in built.manifest:
        out(f"{entry.size:>8}  {entry.path}")
    out(f"{len(built.manifest)} files, {built.size} bytes {'would be' if args.dummy else 'are'} in {folder}")
    return None


def plain(args: argparse.Namespace) -> tuple[Build, Path]:
    from toolkit.compile import build

    return build(None if args.dummy else args.out, source=args.source, architecture=args.architecture), args.out


def for_node(args: argparse.Namespace) -> tuple[Build, Path]:
    """The set for the MicroPython of a node of ours, which tells it at its file port."""
    from toolkit.compile import build
    from toolkit.fileport import FileDoor, locate
    from toolkit.inventory import Inventory
    from toolkit.session import person
    from toolkit.sets import build_for, firmware

    with FileDoor(locate(args.dev, Inventory()), password(), ask=person()).open() as link:
        kind = firmware(link.held().mpy)
    if args.dummy:
        return build(None, source=args.source, architecture=kind.architecture), args.out / kind.name
    return build_for(kind, args.out, args.source), args.out / kind.name
