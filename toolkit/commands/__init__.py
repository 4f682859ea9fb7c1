"""The command line: one file a command, found by looking into this folder.

A command is a module with
    HELP                     one line for the overview
    FLAGS                    tuple of spellings, the long one last
    EPILOG                   may be absent: paragraphs, examples, exit codes, shown below the options; lines that
                             begin with a blank stand as they are, the others are filled to the screen
    add_arguments(parser)    its own options
    run(args, out)           does it; out(text) prints a line; returns an exit code, None is 0
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from toolkit.errors import ToolkitError, UsageError

USAGE = "devToolKit.py COMMAND [OPTIONS]   (devToolKit.py COMMAND --help tells more)"
EXIT_CODES = """exit codes: 0 done, 1 failed, 2 wrong use, 3 unknown device, 4 node not reached, 5 node refused,
6 no serial port, 7 port not permitted, 8 port busy, 9 wrong chip, 10 wrong hash, 11 cable out,
12 does not compile, 13 not flashed, 14 no image"""
ALONE = "no command: starting the gateway with its dashboard (--help lists the commands, Ctrl-C ends)"
PASSWORD_VARIABLE = "MICROS_PASSWORD"
NO_PASSWORD_HERE = f"no password on the command line, others see it: set {PASSWORD_VARIABLE}, or be asked"
Out = Callable[[str], None]


class Command(Protocol):
    """What a module in this folder offers."""

    HELP: str
    FLAGS: tuple[str, ...]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, out: Out) -> int | None: ...


def commands() -> Iterator[Command]:
    """Every command of this folder, in the order of their names."""
    for module in pkgutil.iter_modules(__path__):
        yield importlib.import_module(f"{__name__}.{module.name}")


def find(word: str) -> Command | None:
    """The command that answers to a flag, None if there is none."""
    return next((command for command in commands() if word in command.FLAGS), None)


class _Filled(argparse.HelpFormatter):
    """Fills paragraphs to the screen, and leaves alone what is indented."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = [list(lines) for _, lines in groupby(text.splitlines(), lambda line: line[:1].strip() == "")]
        return "\n".join("\n".join(lines) if not lines[0].strip() or lines[0].startswith(" ")
                         else textwrap.fill(" ".join(lines), width) for lines in blocks)


def parser_of(command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"devToolKit.py {command.FLAGS[-1]}",
        description=command.HELP,
        epilog=getattr(command, "EPILOG", None),
        formatter_class=_Filled,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    return parser


def add_device(parser: argparse.ArgumentParser) -> None:
    """Options of a command that talks to one node."""
    parser.add_argument("--dev", metavar="DEVICE", help="name, uid, address or address:port of the node")
    parser.add_argument("--pwd", action=_Refused, help=argparse.SUPPRESS)


class _Refused(argparse.Action):
    """A password on the command line."""

    def __call__(self, *_: object) -> None:
        raise UsageError(NO_PASSWORD_HERE)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_port(parser: argparse.ArgumentParser) -> None:
    """Options of a command that works on a board at a serial port."""
    parser.add_argument("--port", help="serial port, default: the variable MICROS_SERIAL, else the only board there is")
    parser.add_argument("--dummy", action="store_true", help="print what would be done, and touch nothing")


def password() -> str | None:
    """The password of the environment, None when there is none: the archive and the person come after it."""
    return os.environ.get(PASSWORD_VARIABLE) or None


def to_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def overview() -> str:
    rows = [f"  {', '.join(command.FLAGS):<30}{command.HELP}" for command in commands()]
    return "\n".join([f"usage: {USAGE}", "", "commands:", *rows, "", EXIT_CODES])


def say(text: str) -> None:
    print(text, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line. Returns the exit code: 0 done, 1 failed, 2 wrong use, more in toolkit.errors."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words and _is_at_a_terminal():
        print(ALONE, file=sys.stderr)
        words = sys.argv[1:] = ["--gateway", "--open"]       # it may go on in another Python, by sys.argv
    if not words or words[0] in ("-h", "--help"):
        say(overview())
        return 0
    for at, word in enumerate(words):        # 1.20 took options before the command, too: --dummy --install
        command = find(word)
        if command:
            return execute(command, words[:at] + words[at + 1:])
    print(f"no such command: {words[0]}; devToolKit.py --help lists them", file=sys.stderr)
    return 2


def _is_at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def execute(command: Command, words: Sequence[str]) -> int:
    try:
        return command.run(parser_of(command).parse_args(words), say) or 0
    except ToolkitError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
