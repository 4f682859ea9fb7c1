"""backup -- keep the configuration of a board on this machine."""
from __future__ import annotations

import argparse
import json

from toolkit import archive, ports
from toolkit.commands import Out, add_port
from toolkit.link.verbs import BoardFiles

HELP = "keep the configuration of a board on USB in the archive here"
FLAGS = ("-b", "--backup_node_config")
EPILOG = """node_config.json is read from the board and kept as <devfid>-node_config.json, in place of an older one of
that name; values in files of their own are in it. It holds passwords, so that only you may read it. What runs on the
board is stopped for a moment, and started again.

examples:
  devToolKit.py --backup_node_config
  devToolKit.py -b --port /dev/ttyUSB1
"""
CONFIG = "node_config.json"
OFFLOADED = "..."              # a value that lives in a file of its own, .<key>.key: micrOS/SPEC.md


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_port(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    port = ports.choose(args.port)
    if args.dummy:
        out(f"would stop what runs on the board at {port}, read {CONFIG}, start it again, and keep the file in "
            f"{archive.folder()}")
        return None
    from toolkit.link.serial import SerialLink

    with SerialLink(port) as board:
        config = config_of(board)
    out(f"kept as {archive.archive(config)}")
    return None


def config_of(board: BoardFiles) -> bytes:
    """The whole configuration of a board, as the file would be with every value in it."""
    config = board.get(CONFIG)
    values = archive.parsed(config, f"{CONFIG} of the board")
    apart = {key: f".{key}.key" for key, value in values.items() if value == OFFLOADED}
    there = board.listing() if apart else {}
    told = {key: board.get(path).decode("utf-8", "replace") for key, path in apart.items() if path in there}
    return json.dumps({**values, **told}).encode() if told else config
