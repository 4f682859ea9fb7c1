"""node_ls -- the files of a board on a serial port."""
from __future__ import annotations

import argparse

from toolkit import ports
from toolkit.commands import Out, add_json, add_port, to_json
from toolkit.table import table

HELP = "list the files of a board on USB"
FLAGS = ("-ls", "--node_ls")
EPILOG = """What runs on the board is stopped for a moment, and started again. Sizes are bytes.

examples:
  devToolKit.py --node_ls
  devToolKit.py -ls --port /dev/ttyUSB1 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_port(parser)
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    port = ports.choose(args.port)
    if args.dummy:
        out(f"would stop what runs on the board at {port}, list its files, and start it again")
        return None
    from toolkit.link.serial import SerialLink

    with SerialLink(port) as board:
        files, (free, size) = board.listing(), board.space()
    if args.json:
        out(to_json({"port": port, "files": files, "free": free, "size": size}))
        return None
    for line in table(("BYTES", "FILE"), [(str(files[path]), path) for path in sorted(files)]):
        out(line)
    out(f"{len(files)} files, {free // 1024} of {size // 1024} KB free")
    return None
