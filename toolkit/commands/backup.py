"""backup -- keep the configuration of a node on this machine, and compare the two."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit import archive, ports
from toolkit.commands import Out, add_device, add_json, add_port, password, to_json
from toolkit.fileport import FileDoor, locate
from toolkit.inventory import Inventory
from toolkit.session import person
from toolkit.settings import FILE, Row, differences
from toolkit.settings import config_of as config_of  # --update takes it from here, too
from toolkit.table import table

if TYPE_CHECKING:
    from toolkit.link.serial import SerialLink
    from toolkit.link.webrepl import FileLink

HELP = "keep the settings of a node in the archive here, or compare the two"
FLAGS = ("-b", "--backup_node_config")
EPILOG = """node_config.json is read from the board on USB, or with --dev over the air, and kept as
<devfid>-node_config.json in place of an older one of that name; values in files of their own are in it. It holds
passwords, so that only you may read it; what is printed here shows none. What runs on a board on USB is stopped for a
moment, and started again. --diff keeps nothing, it shows what differs. --restore gives a configuration back.

exit codes: 0 done, with --diff: the same, 1 with --diff: they differ, 2 no such archive, 3-8 see devToolKit.py -h

examples:
  devToolKit.py --backup_node_config --dev node01
  devToolKit.py -b --port /dev/ttyUSB1
  devToolKit.py -b --diff --dev node01
  devToolKit.py -b --list
"""
HEADS = ("KEY", "ARCHIVE", "NODE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_device(parser)
    add_port(parser)
    parser.add_argument("--diff", action="store_true", help="compare the archived configuration with that of the node")
    parser.add_argument("--list", action="store_true", help="show what is in the archive")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if args.list:
        names = {name: str(path) for name, path in archive.archived().items()}
        out(to_json(names) if args.json else "\n".join([*names, f"{len(names)} in {archive.folder()}"]))
        return None
    if args.dummy:
        out(f"would read {FILE} of {args.dev or ports.choose(args.port)}, and keep it in {archive.folder()}")
        return None
    with opened(args) as node:
        config = config_of(node)
    if args.diff:
        return compare(config, args.json, out)
    out(to_json({"kept": str(archive.archive(config))}) if args.json else f"kept as {archive.archive(config)}")
    return None


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[SerialLink | FileLink]:
    """A file session with the node that was named, else with the board on USB."""
    if args.dev:
        with FileDoor(locate(args.dev, Inventory()), password(), ask=person()).open() as link:
            yield link
        return
    from toolkit.link.serial import SerialLink

    with SerialLink(ports.choose(args.port)) as board:
        yield board


def compare(config: bytes, as_json: bool, out: Out) -> int:
    current = archive.parsed(config, f"{FILE} of the node")
    name = archive.checked_name(current.get("devfid"))
    rows = differences(archive.load(name), current)
    tell(rows, as_json, out, f"{name} is as in the archive")
    return 1 if rows else 0


def tell(rows: list[Row], as_json: bool, out: Out, same: str) -> None:
    """Print what differs; secrets are masked in the rows."""
    if as_json:
        out(to_json([dict(zip(("key", "archive", "node"), row, strict=True)) for row in rows]))
        return
    for line in table(HEADS, rows) if rows else [same]:
        out(line)
