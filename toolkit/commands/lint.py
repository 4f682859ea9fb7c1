"""lint -- look through load modules before a board does."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from toolkit import lint
from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.simulator.boards import BOARDS

HELP = "look through load modules (LM_*.py) for what fails or blocks a board"
FLAGS = ("-lint", "--lint")
EPILOG = """Told are, each with its line: what the board's compiler refuses, pins that no board has, modules that the
board has not, calls that hold up the whole node (sleep, input, loops without end), a missing help(), rows of help()
that no function answers to, state files that a power cut would tear. --board asks for one board only.
A line that ends with `# lint: ok` is left alone.

exit codes: 0 nothing found, 1 something found, 2 no load module

examples:
  devToolKit.py --lint LM_lamp.py
  devToolKit.py --lint modules/ --board rp2 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a load module, or a folder of them")
    parser.add_argument("--board", help=f"one of {', '.join(sorted(BOARDS))}; default: any of them")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    paths = [path for given in args.files for path in modules_in(given)]
    findings = [finding for path in paths for finding in lint.check(path, args.board)]
    if args.json:
        out(to_json([finding.to_dict() for finding in findings]))
    else:
        out("\n".join([*map(str, findings), f"{_count(len(paths), 'module')}, {_count(len(findings), 'finding')}"]))
    return 1 if findings else 0


def modules_in(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(path.glob(f"{lint.PREFIX}*.py"))
    if not found:
        raise UsageError(f"{path} holds no load module: expected files {lint.PREFIX}<name>.py")
    yield from found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
