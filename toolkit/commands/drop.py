"""drop -- send files to a node."""
from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit import discover
from toolkit.commands import Out, add_device, add_json, password_of, to_json
from toolkit.errors import LinkError, UsageError
from toolkit.inventory import Device, Inventory
from toolkit.link import webrepl
from toolkit.progress import bar

HELP = "send files to a node, load modules (LM_*.py) first of all"
FLAGS = ("--drop",)
EPILOG = """Files go over the node's file port (WebREPL). Python files are compiled here first, so that a typing
error is found before anything is sent. The password of a node that was never given one is the default.

exit codes: 0 done, 2 a file is not fit to be sent, 3 unknown device, 4 node not reached, 5 node refused

examples:
  devToolKit.py --drop LM_lamp.py --dev node01
  MICROS_PASSWORD=secret devToolKit.py --drop LM_lamp.py LP_myboard.py --dev 192.168.1.7
"""
DEFAULT_PASSWORD = "ADmin123"      # what every node has until it is provisioned, as in 1.20


@dataclass(frozen=True)
class Sent:
    """A file that has arrived."""

    name: str
    bytes: int
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="file to send, under its own name")
    add_device(parser)
    parser.add_argument("--port", type=int, default=webrepl.PORT, help=f"file port, default {webrepl.PORT}")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if not args.dev:
        raise UsageError("which node? Name it: devToolKit.py --drop FILE --dev node01")
    for path in args.files:
        check(path)
    device = locate(args.dev, Inventory())
    sent: list[Sent] = []
    try:
        with webrepl.FileLink(device.address, password_of(args) or DEFAULT_PASSWORD, args.port, device.name) as link:
            for path in args.files:
                sent.append(send(link, path))
                if not args.json:
                    out(f"{path.name}  {sent[-1].bytes} bytes  {sent[-1].seconds:.2f} s")
    finally:
        if args.json:
            out(to_json({"device": device.name, "files": [asdict(file) for file in sent]}))
    return None


def check(path: Path) -> None:
    """Raises UsageError when a file cannot be sent or, being Python, does not compile."""
    if not path.is_file():
        raise UsageError(f"{path} is {'no file' if path.exists() else 'not there'}: name a file to send")
    if len(path.name.encode()) > webrepl.NAME_BYTES:
        raise UsageError(f"{path.name} is too long a name: a node takes up to {webrepl.NAME_BYTES} bytes")
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


def locate(tag: str, inventory: Inventory) -> Device:
    """The node. By its address, even one in recovery, whose file port is up and the shell down."""
    try:
        return discover.resolve(tag, inventory)
    except LinkError:
        typed = discover.address_of(tag, inventory.find(tag))
        if typed is None:      # a name could lead to another node that has got the address since
            raise
        return Device("", *typed, name=tag)


def send(link: webrepl.FileLink, path: Path) -> Sent:
    start = time.monotonic()
    with bar(path.name) as progress:
        size = link.put(path.name, path, progress)
    return Sent(path.name, size, round(time.monotonic() - start, 3))
