"""version -- of the toolkit, and of a node."""
from __future__ import annotations

import argparse

from toolkit import VERSION, discover
from toolkit.commands import Out, add_device, add_json, password, to_json
from toolkit.inventory import Inventory
from toolkit.session import Door, person

HELP = "print the version of the toolkit, with --dev of a node too"
FLAGS = ("-v", "--version")
EPILOG = """examples:
  devToolKit.py --version
  devToolKit.py --version --dev node01
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    versions = {"toolkit": VERSION}
    if args.dev:
        device = discover.resolve(args.dev, Inventory())
        with Door(device, password(), ask=person()).open() as link:
            versions[device.name] = link.ask("version")
    out(to_json(versions) if args.json else "\n".join(f"{name} {version}" for name, version in versions.items()))
    return None
