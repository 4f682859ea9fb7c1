"""clean -- forget all devices."""
from __future__ import annotations

import argparse

from toolkit.commands import Out
from toolkit.inventory import Inventory

HELP = "forget all devices: delete the device cache"
FLAGS = ("-cl", "--clean")
EPILOG = "The nodes themselves are not touched; devToolKit.py --search_devices finds them again."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(args: argparse.Namespace, out: Out) -> int | None:
    inventory = Inventory()
    count = inventory.clean()
    out(f"{count} device{'' if count == 1 else 's'} forgotten ({inventory.path})")
    return None
