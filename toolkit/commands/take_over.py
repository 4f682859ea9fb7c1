"""take_over -- bring devices and configurations of a micrOS 1.20 installation here."""
from __future__ import annotations

import argparse
from pathlib import Path

from toolkit import old_data
from toolkit.commands import Out
from toolkit.paths import data_dir

HELP = "take over the devices and configurations that micrOS 1.20 knew"
FLAGS = ("--take_over",)
EPILOG = """1.20 kept the device cache and the archive of configurations inside its package (toolkit/user_data). Without
a folder they are looked for where Python looks for packages. What is known here already stays as it is.

examples:
  devToolKit.py --take_over
  devToolKit.py --take_over ~/micrOS-1.20.7
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="a checkout of 1.20, a site-packages, or "
                        "a user_data folder")


def run(args: argparse.Namespace, out: Out) -> int | None:
    folders = [old_data.folder_of(args.folder)] if args.folder else list(old_data.found())
    for folder in folders:
        taken = old_data.take(folder)
        out(f"{taken.devices} devices and {taken.configs} configurations from {folder} are in {data_dir()}")
    if not folders:
        out("no user data of micrOS 1.20 where Python looks for packages: name its folder")
    return None
