"""erase -- erase the whole flash of a board."""
from __future__ import annotations

import argparse

from toolkit.commands import Out
from toolkit.commands.deploy import add_target, found_target, steps, supposed

HELP = "erase the whole flash of a board on USB"
FLAGS = ("-e", "--erase")
EPILOG = """Firmware, settings and files are gone then; -b keeps the settings. The chip is asked what it is; another
one than that of --board is refused.

examples:
  devToolKit.py --erase
  devToolKit.py -e --board esp32c3 --port /dev/ttyACM0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    from toolkit import deploy

    if args.dummy:
        for line in deploy.erase_line(*supposed(args, out)):
            out(line)
        return None
    deploy.erase(found_target(args, out), steps(out))
    return None
