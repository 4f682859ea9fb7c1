"""status -- which of the known nodes are up, their versions, how fast they answer."""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from toolkit import discover
from toolkit.commands import Out, add_json, to_json
from toolkit.errors import LinkError, RefusedError
from toolkit.inventory import Device, Inventory
from toolkit.link.shell import ShellLink
from toolkit.table import table

HELP = "show which of the known nodes are up, and their versions"
FLAGS = ("-stat", "--node_status")
EPILOG = """The nodes of the cache are asked, and the boards of this machine. A node that asks for a password shows
`locked` for its version, since no password is sent to a whole network. A node that has moved within its network
tells so when that network is asked by a beacon.
STATUS is ONLINE, BUSY (up, but all its sessions are in use) or OFFLINE. On a terminal the table fills as they answer.

exit codes: 0 all up, 1 some offline

examples:
  devToolKit.py --node_status
  devToolKit.py --node_status --watch 5
  devToolKit.py --node_status --json
"""
WORKERS = 64
WAITING = "..."
COLOURS = {"ONLINE": "green", "BUSY": "yellow", "OFFLINE": "red", WAITING: "dim"}
HEADS = ("UID", "FUID", "IP", "STATUS", "VERSION", "COMM[s]")


@dataclass(frozen=True)
class Status:
    """What a look at a node told. state: ONLINE, BUSY, OFFLINE. comm_s: connect to answer of hello, None: none."""

    device: Device
    state: str
    version: str = "-"
    comm_s: float | None = None

    def row(self) -> tuple[str, ...]:
        comm = "-" if self.comm_s is None else f"{self.comm_s:.3f}"
        return self.device.uid, self.device.name, self.device.address, self.state, self.version, comm

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self.device), "status": self.state, "version": self.version, "comm_s": self.comm_s}


Seen = Callable[[int, Status], None]      # (place in the table, what is known now)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=float, default=2.0, metavar="S", help="seconds for each step, default 2")
    parser.add_argument("--watch", type=float, metavar="S", help="look again every S seconds, until Ctrl-C")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    inventory = Inventory()
    devices = discover.known(inventory, args.timeout)
    show = live if sys.stdout.isatty() and devices and not args.json else silent
    with show(devices) as seen:
        while True:
            statuses = look_at_all(devices, args.timeout, seen)
            inventory.keep(*(status.device for status in statuses))
            if show is silent:
                out(to_json([status.to_dict() for status in statuses]) if args.json else text(statuses))
            if not args.watch:
                break
            time.sleep(args.watch)
    return 1 if any(status.state == "OFFLINE" for status in statuses) else 0


def look_at_all(devices: Sequence[Device], timeout_s: float, seen: Seen) -> list[Status]:
    """Status of each device, in their order. seen: told of each as soon as it is known"""
    def one(at: int) -> Status:
        status = look(devices[at], timeout_s)
        seen(at, status)
        return status

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, range(len(devices))))


@contextmanager
def live(devices: Sequence[Device]) -> Iterator[Seen]:
    """A table on the terminal whose rows fill as the nodes answer."""
    from rich.live import Live
    from rich.table import Table

    rows = [Status(device, WAITING) for device in devices]

    def drawn() -> Table:
        grid = Table(*HEADS, box=None, pad_edge=False)
        for status in rows:
            grid.add_row(*status.row(), style=COLOURS.get(status.state))
        return grid

    with Live(get_renderable=drawn, refresh_per_second=10) as screen:
        def seen(at: int, status: Status) -> None:
            rows[at] = status
            screen.refresh()

        yield seen


@contextmanager
def silent(devices: Sequence[Device]) -> Iterator[Seen]:
    """Nobody watches: the table comes when it is whole."""
    yield lambda at, status: None


def look(device: Device, timeout_s: float) -> Status:
    start = time.monotonic()
    try:
        with ShellLink(device.address, device.port, timeout_s=timeout_s) as link:
            name, uid = link.hello()
            comm_s = round(time.monotonic() - start, 3)
            version = "locked" if link.locked else link.ask("version")
    except RefusedError:
        return Status(device, "BUSY")
    except LinkError:
        return Status(device, "OFFLINE")
    if uid != device.uid:       # its address is another device's now
        return Status(device, "OFFLINE")
    return Status(Device(uid, device.address, device.port, name), "ONLINE", version, comm_s)


def text(statuses: Sequence[Status]) -> str:
    if not statuses:
        return "no devices known: find them with devToolKit.py --search_devices"
    return "\n".join(table(HEADS, [status.row() for status in statuses]))
