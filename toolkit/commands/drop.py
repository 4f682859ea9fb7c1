"""drop -- send files and folders to a node, over the air or over USB."""
from __future__ import annotations

import argparse
import hashlib
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from toolkit.commands import Out, add_device, add_json, password, to_json
from toolkit.errors import UsageError
from toolkit.fileport import FileDoor, is_ours, locate, version_of
from toolkit.inventory import Inventory
from toolkit.link import webrepl
from toolkit.link.verbs import clean
from toolkit.progress import bar
from toolkit.session import Door, person

HELP = "send files and folders to a node, load modules (LM_*.py) above all"
FLAGS = ("--drop",)
EPILOG = """A file goes under its own name, a load module to modules/; a folder goes with all in it, under its own name
(usr/, code/). What is there already, by SHA-256, is not sent again. Python files are compiled here first, so that a
typing error is found before anything is sent. Over the air a module is live at once; over USB the board restarts.
A node of 1.20 takes files only. Password: variable MICROS_PASSWORD, the archive, else you are asked.

exit codes: 0 done, 2 a file is not fit to be sent, 3 unknown device, 4 node not reached, 5 node refused

examples:
  devToolKit.py --drop LM_lamp.py --dev node01
  devToolKit.py --drop my_program.py --to usr --dev node01
  MICROS_PASSWORD=secret devToolKit.py --drop LM_lamp.py usr/ --dev 192.168.1.7
  devToolKit.py --drop code/ --usb
"""
MODULES = "modules/"
SKIPPED = ("__pycache__",)


@dataclass(frozen=True)
class Sent:
    """A file that has arrived. seconds: None, it was there already."""

    name: str
    bytes: int
    seconds: float | None

    def __str__(self) -> str:
        took = "already there" if self.seconds is None else f"{self.seconds:.2f} s"
        return f"{self.name}  {self.bytes} bytes  {took}"


class Target(Protocol):
    """Where files go: a node's file port, or a board at a serial port."""

    def put(self, name: str, source: bytes | Path, progress: webrepl.Progress | None = None) -> int: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE|DIR", help="what to send, under its own name")
    add_device(parser)
    parser.add_argument("--to", type=clean, metavar="FOLDER", help="into this folder of the node, e.g. usr")
    parser.add_argument("--usb", nargs="?", const="", metavar="PORT",
                        help="to the board on USB; default: the only one there is")
    parser.add_argument("--port", type=int, default=webrepl.PORT, help=f"file port, default {webrepl.PORT}")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if not args.dev and args.usb is None:
        raise UsageError("which node? Name it: devToolKit.py --drop FILE --dev node01, or plug it in: --usb")
    folder = f"{args.to}/" if args.to else ""
    wanted = {folder + name: path for given in args.files for name, path in named(given)}
    for name, path in wanted.items():
        check(name, path)
    sent: list[Sent] = []
    where = args.dev or args.usb or "USB"
    try:
        with opened(args, wanted) as (target, there, where):
            for name, path in wanted.items():
                sent.append(send(target, name, path, there))
                if not args.json:
                    out(str(sent[-1]))
    finally:
        if args.json:
            out(to_json({"device": where, "files": [asdict(file) for file in sent]}))
    return None


def named(given: Path) -> Iterator[tuple[str, Path]]:
    """(name on the node, file) of a file, or of all in a folder."""
    if not given.is_dir():
        yield given.name, given
        return
    top = given.resolve()
    for path in sorted(top.rglob("*")):
        parts = path.relative_to(top).parts
        if path.is_file() and not any(part in SKIPPED or part.startswith(".") for part in parts):
            yield "/".join((top.name, *parts)), path


def check(name: str, path: Path) -> None:
    """Raises UsageError when a file cannot be sent or, being Python, does not compile."""
    if not path.is_file():
        raise UsageError(f"{path} is {'no file' if path.exists() else 'not there'}: name a file to send")
    if len(name.encode()) > webrepl.NAME_BYTES:
        raise UsageError(f"{name} is too long a name: a node takes up to {webrepl.NAME_BYTES} bytes")
    if path.suffix == ".py":
        compiles(path)


def compiles(path: Path) -> None:
    """Raises UsageError that names file, line and column of a syntax error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno}:{error.offset}: {error.msg}; nothing was sent") from None
    except ValueError as error:
        raise UsageError(f"{path} is no Python text: {error}; nothing was sent") from None


Open = tuple[Target, Mapping[str, tuple[int, str]], str]       # where to, what is there, what it is called


@contextmanager
def opened(args: argparse.Namespace, wanted: Mapping[str, Path]) -> Iterator[Open]:
    with over_usb(args.usb) if args.usb is not None else over_the_air(args, wanted) as session:
        yield session


@contextmanager
def over_usb(port: str) -> Iterator[Open]:
    from toolkit import ports
    from toolkit.link.serial import SerialLink

    with SerialLink(ports.choose(port or None)) as board:
        yield board, board.hashes(), board.name


@contextmanager
def over_the_air(args: argparse.Namespace, wanted: Mapping[str, Path]) -> Iterator[Open]:
    device = locate(args.dev, Inventory())
    files = FileDoor(device, password(), args.port, person())
    folders = sorted({name.rpartition("/")[0] for name in wanted if "/" in name})
    is_able = is_ours(version_of(Door(device, password(), ask=person())), files)
    if folders and not is_able:
        raise UsageError(f"{device.name} takes no folders over the air, it is of 1.20: send the files one by one, "
                         "or plug it in and use --usb")
    with files.open() as link:
        there = link.held().files if is_able else {}
        for folder in folders:
            link.make_folder(folder)
        yield link, there, device.name


def send(target: Target, name: str, path: Path, there: Mapping[str, tuple[int, str]]) -> Sent:
    data, place = path.read_bytes(), placed(name)
    if there.get(place) == (len(data), hashlib.sha256(data).hexdigest()):
        return Sent(name, len(data), None)
    start = time.monotonic()
    with bar(name) as progress:
        target.put(name if isinstance(target, webrepl.FileLink) else place, data, progress)
    hider = hiding(place, there)
    if hider and not (place.startswith(MODULES) and isinstance(target, webrepl.FileLink)):      # which removes it
        print(f"{hider} on the node is found before {place}: remove it if that is not meant", file=sys.stderr)
    return Sent(name, len(data), round(time.monotonic() - start, 3))


def placed(name: str) -> str:
    """Where a file comes to lie: the node itself puts a load module into its folder."""
    return MODULES + name if "/" not in name and name.startswith("LM_") and name.endswith((".py", ".mpy")) else name


def hiding(place: str, there: Mapping[str, tuple[int, str]]) -> str | None:
    """A file that an import finds first: x.py before x.mpy."""
    twin = place[:-len("mpy")] + "py"
    return twin if place.endswith(".mpy") and twin in there else None
