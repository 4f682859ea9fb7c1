"""applications -- small programs that show, watch and test a node."""
from __future__ import annotations

import argparse
import time

from toolkit import apps
from toolkit.commands import Out, add_device, password
from toolkit.table import table

HELP = "run an app on a node, a demonstration or a test; `list` names them"
FLAGS = ("-a", "--applications")
EPILOG = """Without --dev an app runs on the board of --simulate. An app of your own is a Python file with a function
app(devfid=None); begin with a copy of toolkit/dashboard_apps/Template_app.py.

exit codes: 0 done, 1 the node refused a command or a check failed, 3 unknown device, 4 node not reached

examples:
  devToolKit.py --applications list
  devToolKit.py --applications SystemTest --dev node01
  devToolKit.py -a ./my_app.py --dev node01 --pace 0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="list", metavar="NAME", help="an app, a file of yours, or list")
    add_device(parser)
    parser.add_argument("--pace", type=float, default=1.0, metavar="X", help="2: pauses twice as long, 0: none")


def run(args: argparse.Namespace, out: Out) -> int | None:
    if args.name == "list":
        out("\n".join(table(("APP", "WHAT IT DOES"), [(name, apps.about(name)) for name in apps.names()])))
        return None
    app = apps.load(args.name)
    with apps.opened(args.dev or apps.DEFAULT_NODE, password()) as node:
        return show(app(devfid=node), args.pace, out)


def show(steps: apps.Steps | None, pace: float, out: Out) -> int | None:
    """Print the texts, wait the seconds; an app that prints by itself gives nothing. Returns the exit code."""
    while steps is not None:
        try:
            step = next(steps)
        except StopIteration as end:
            code: int | None = end.value
            return code
        if isinstance(step, str):
            out(step)
        else:
            time.sleep(step * pace)
    return None
