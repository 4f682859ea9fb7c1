"""pip_update -- bring this toolkit to its newest version."""
from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from toolkit.commands import Out
from toolkit.errors import ToolkitError

HELP = "bring this toolkit to its newest version, with git or pip"
FLAGS = ("-pupdate", "--pip_update")
ROOT = Path(__file__).parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dummy", action="store_true", help="print what would be done, and touch nothing")


def run(args: argparse.Namespace, out: Out) -> int | None:
    steps = _steps()
    for step in steps:
        if args.dummy:
            out(" ".join(step))
        elif subprocess.run(step).returncode:
            raise ToolkitError(f"{step[0]} could not do it: its own words are above")
    return None


def _steps() -> list[tuple[str, ...]]:
    """Command lines. In a checkout pip would put another copy beside it."""
    pip = (sys.executable, "-m", "pip", "install")
    if (ROOT / ".git").exists():
        return [("git", "-C", str(ROOT), "pull", "--ff-only"), (*pip, "--editable", str(ROOT))]
    return [(*pip, "--upgrade", "micrOSDevToolKit")]
