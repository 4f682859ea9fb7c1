"""connect -- talk to a node: commands from the command line, or a shell in which to type them."""
from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from toolkit import console, discover
from toolkit.commands import NO_PASSWORD_HERE, PASSWORD_VARIABLE, Out, add_device, add_json, password, to_json
from toolkit.errors import UnknownDeviceError, UsageError
from toolkit.inventory import Device, Inventory
from toolkit.link.shell import TIMEOUT_S
from toolkit.paths import data_dir
from toolkit.session import Ask, Door, failed, person

HELP = "talk to a node: run commands, or type them one by one"
FLAGS = ("-c", "-connect", "--connect")
EPILOG = f"""Commands follow each other with <a> between, in one session of the node; <a> inside quotes is text.
Without a command you type them: Tab completes modules, functions and arguments, the arrow keys recall,
exit or Ctrl-D leaves; lines that come through a pipe are run one by one. Without --dev a menu asks for the node.
A node is found by its name in the cache, among the boards of this machine, or by its address; no network
is searched (--search_devices does that). Quote a command with - or > in it: "reboot -h".
The password of a locked node: variable {PASSWORD_VARIABLE}, else its config in the archive, else you are asked.

exit codes: 0 done, 1 a command failed on the node (its answer starts with exec_lm_core, SHELL:, Failed or
Invalid key), 2 wrong use, 3 unknown device, 4 node not reached, 5 node refused (password, busy)

examples:
  devToolKit.py --connect
  devToolKit.py --connect --dev node01 system clock
  devToolKit.py --connect --dev node01 --json "rgb color r=10 >json <a> rgb status >json"
  devToolKit.py --connect -p '--dev node01 conf <a> devfid'
"""
SEPARATOR = "<a>"
NEEDS_NO_PASSWORD = ("hello", "exit")
# A quote opens where a value begins, as on the node; a lone one, as in "it's", is text.
_PIECES = re.compile(r"""(?<![^\s=(\[{,:])("[^"]*"|'[^']*')|<a>|.""", re.DOTALL)


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    tag: str | None
    password: str | None
    commands: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="COMMAND", help=f"for the node; several with {SEPARATOR} between")
    add_device(parser)
    parser.add_argument("-p", "--connect_parameters", dest="line", metavar="LINE",
                        help="all in one text: '--dev DEVICE COMMAND <a> COMMAND'")
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT_S, metavar="S", help=f"seconds of silence, default {TIMEOUT_S:g}"
    )
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    request = request_of(args)
    inventory = Inventory()
    if request.commands:
        return batch(args, request, inventory, out)
    return interact(args, request, inventory, out)


def request_of(args: argparse.Namespace) -> Request:
    options, rest = parse_line(args.line or "")
    texts = [*split(rest), *split(" ".join(args.words))]
    return Request(options.get("--dev") or args.dev, password(), texts)


def parse_line(line: str) -> tuple[dict[str, str], str]:
    """Options at the head of a 1.20 line, and the rest of it, blanks as they were. Raises UsageError."""
    options: dict[str, str] = {}
    line = line.strip()
    while line.split(" ", 1)[0] in ("--dev", "--pwd"):
        option, value, *rest = [*line.split(None, 2), "", ""]
        if option == "--pwd":
            raise UsageError(NO_PASSWORD_HERE)
        options[option] = value
        line = rest[0]
    return options, line


def split(text: str) -> list[str]:
    """Commands of a text: parts between <a>, or quoted one by one as newer toolkits want it."""
    if text.startswith('"'):      # no command of a node does
        return _quoted(text)
    commands = [""]
    for piece in _PIECES.finditer(text):
        if piece[0] == SEPARATOR:
            commands.append("")
        else:
            commands[-1] += piece[0]
    return [command.strip() for command in commands if command.strip()]


def _quoted(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text) if word != SEPARATOR]
    except ValueError:
        raise UsageError('a quote is not closed: expected "command" "command"') from None


def batch(args: argparse.Namespace, request: Request, inventory: Inventory, out: Out) -> int:
    if not request.tag:
        raise UsageError("which node? Name it: devToolKit.py --connect --dev node01 COMMAND")
    device = discover.resolve(request.tag, inventory)
    answers: list[str] = []
    try:
        with Door(device, request.password, args.timeout, asked(request.commands)).open() as link:
            for command in request.commands:
                answers.append(link.ask(command))
                if answers[-1] and not args.json:
                    out(answers[-1])
    finally:
        if args.json:
            out(to_json(report(device, request.commands, answers)))
    return 1 if any(failed(answer) for answer in answers) else 0


def report(device: Device, commands: Sequence[str], answers: Sequence[str]) -> dict[str, object]:
    """What --json prints; commands that were not answered are absent."""
    rows = [{"command": command, "answer": answer} for command, answer in zip(commands, answers, strict=False)]
    return {"device": asdict(device), "commands": rows}


def asked(commands: Sequence[str]) -> Ask | None:
    """Who is asked for the password: nobody when no command needs one."""
    return None if all(command in NEEDS_NO_PASSWORD for command in commands) else person()


def interact(args: argparse.Namespace, request: Request, inventory: Inventory, out: Out) -> int | None:
    """Exit code 1 tells a script that one of its lines failed; a person has seen it."""
    words = console.Vocabulary()
    with console.line_editor(data_dir() / console.HISTORY_NAME, words.completions) as read_line:
        try:
            device = pick(request.tag, inventory, read_line, out)
        except EOFError:
            return None
        door = Door(device, request.password, args.timeout, person())
        talk = console.Console(door.open, read_line, out, words)
        talk.run()
    return 1 if talk.failures and not sys.stdin.isatty() else None


def pick(tag: str | None, inventory: Inventory, read_line: console.ReadLine, out: Out) -> Device:
    if tag:
        return discover.resolve(tag, inventory)
    devices = discover.known(inventory)
    if not devices:
        raise UnknownDeviceError("no devices known: start one with --simulate, or look with --search_devices")
    return discover.resolve(console.choose(devices, read_line, out).uid, inventory)
