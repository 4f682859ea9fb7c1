"""macro -- run a file of commands on a node."""
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from toolkit import console, discover
from toolkit import macro as macros
from toolkit.commands import Out, add_device, add_json, password, to_json
from toolkit.inventory import Inventory
from toolkit.session import Door, person

HELP = "run a file of commands on a node, with waits and remarks"
FLAGS = ("-macro", "--macro")
EPILOG = """The first line is `#microscript <device> [debug|safe]`; then one command a line, `wait <seconds>`, and
remarks that begin with #. The whole file is read before the first command is sent. All commands share one session;
when one restarts the node, its return is waited for. Answers are printed as they come. A refused command is told
and the next one runs; with `safe` the macro ends there, with `debug` each command is printed with the time that it
took. --dev takes another node. A password in the first line works, but belongs into MICROS_PASSWORD.

exit codes: 0 done, 1 a command was refused, 2 the file is wrong, 3 unknown device, 4 node not reached

example, evening.macro:             devToolKit.py --macro evening.macro
  #microscript node01 safe
  rgb color r=900 g=300 b=0
  wait 2
  rgb transition r=0 g=0 b=0 sec=5
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the macro")
    add_device(parser)
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    macro = macros.load(args.file)
    if macro.password:
        print(f"{macro.path}:1: a password in a file is read by all who read the file: use MICROS_PASSWORD",
              file=sys.stderr)
    device = discover.resolve(args.dev or macro.device, Inventory())
    door = Door(device, password() or macro.password, ask=person())
    rows: list[macros.Answer] = []
    begin = time.monotonic()
    try:
        for answer in macros.play(macro, door.open, time.sleep, console.reopened):
            rows.append(answer)
            if not args.json:
                show(macro, answer, time.monotonic() - begin, out)
            begin = time.monotonic()
    finally:
        if args.json:
            out(to_json([{"line": row.line.number, "command": row.line.command, "answer": row.text,
                          "failed": row.failed} for row in rows]))
    return 1 if any(row.failed for row in rows) else 0


def show(macro: macros.Macro, answer: macros.Answer, seconds: float, out: Out) -> None:
    if macro.mode == "debug":
        out(f"{answer.line.number}: {answer.line.command}   {seconds:.3f} s")
    if answer.failed:
        end = "; the rest is left out (safe)" if macro.mode == "safe" else ""
        print(f"{macro.path}:{answer.line.number}: refused: {answer.text}{end}", file=sys.stderr)
    elif answer.text:
        out(answer.text)
