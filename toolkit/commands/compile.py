"""compile -- compile micrOS into a folder."""
from __future__ import annotations

import argparse
from pathlib import Path

from toolkit.commands import Out, add_json, to_json
from toolkit.commands.deploy import warn

HELP = "compile micrOS [py -> mpy] into a folder"
FLAGS = ("-cc", "--cross_compile_micros")
FOLDER = "precompiled"
EPILOG = """The folder mirrors the tree of a board: copy it there as it is. main.py and pin maps stay source; which load
modules are compiled says LM_to_compile.dat, one name or pattern a line; yours in the data folder counts before ours.

exit codes: 0 done, 2 the folder holds something else, 12 a file does not compile

examples:
  devToolKit.py --cross_compile_micros
  devToolKit.py -cc --out build/esp32 --source my/micrOS/source
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path(FOLDER), metavar="DIR",
                        help=f"empty, or of an earlier build (default: {FOLDER})")
    parser.add_argument("--source", type=Path, metavar="DIR", help="a source tree of your own")
    parser.add_argument("--architecture", default="", metavar="ARCH",
                        help="of native code, if a module of yours has some, e.g. xtensawin for an ESP32")
    parser.add_argument("--dummy", action="store_true", help="print what would be compiled, and write nothing there")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit.compile import build

    built = build(None if args.dummy else args.out, source=args.source, architecture=args.architecture)
    for warning in built.warnings:
        warn(warning)
    if args.json:
        out(to_json([entry._asdict() for entry in built.manifest]))
        return None
    for entry in built.manifest:
        out(f"{entry.size:>8}  {entry.path}")
    out(f"{len(built.manifest)} files, {built.size} bytes {'would be' if args.dummy else 'are'} in {args.out}")
    return None
