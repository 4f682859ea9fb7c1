"""restore -- give an archived configuration to a node."""
from __future__ import annotations

import argparse
import json
import time

from toolkit import archive
from toolkit.commands import Out, add_device, add_json, add_port, password
from toolkit.commands.backup import opened, tell
from toolkit.errors import LinkError, RefusedError, ToolkitError
from toolkit.fileport import FileDoor, locate
from toolkit.inventory import Device, Inventory
from toolkit.session import Door, person
from toolkit.settings import FILE, config_of, differences, restored

HELP = "give an archived configuration to a node"
FLAGS = ("--restore",)
EPILOG = """The configuration goes to the node --dev over the air, else to the board on USB, which restarts with it.
What the board itself writes (hwuid, version, devip) stays as it is, so that another board can take the place of one
that broke. What changes is shown first, passwords masked; --dummy shows it and changes nothing. devToolKit.py -b --list
tells which there are. A node whose network settings change is not waited for: look for it with --search_devices.

examples:
  devToolKit.py --restore kitchen --dev node01
  devToolKit.py --restore kitchen --port /dev/ttyUSB1
  devToolKit.py --restore kitchen --dev node01 --dummy
"""
NETWORK = ("staessid", "stapwd", "nwmd", "socport")
RETURN_S = 120.0
LOOK_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the archived configuration: the node's devfid")
    add_device(parser)
    add_port(parser)
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    kept = archive.load(args.name)
    if args.dev:      # before the session: its search keeps the node in the cache
        args.dev = locate(args.dev, Inventory()).where
    with opened(args) as node:
        current = archive.parsed(config_of(node), f"{FILE} of the node")
        wanted = restored(kept, current)
        rows = differences(wanted, current)
        tell(rows, args.json, out, f"it is as {args.name} in the archive")
        if args.dummy or not rows:
            return None
        node.put(FILE, json.dumps(wanted).encode())
    is_moving = any(key in NETWORK for key, _, _ in rows)
    if args.dev:
        restart(args, wanted, waits=not is_moving)
    if not args.json:
        out(f"{args.name} is restored" + (", its network settings are others now" if is_moving else ""))
    return None


def restart(args: argparse.Namespace, wanted: archive.Config, waits: bool) -> None:
    """Have the node read its new file, and see what it made of it. Raises RefusedError when that is something else."""
    device = locate(args.dev, Inventory())
    with Door(device, password(), ask=person()).open() as shell:
        shell.ask("reboot -h")
    if not waits:
        return
    end_s = time.monotonic() + RETURN_S
    while True:
        time.sleep(LOOK_S)
        try:
            left = differences(wanted, held(device, wanted))
            break
        except ToolkitError as error:
            if time.monotonic() > end_s:
                raise LinkError(f"the node does not come back with its new settings: {error}") from None
    if left:
        raise RefusedError(f"the node did not take {', '.join(key for key, _, _ in left)}: see its `system alarms`")


def held(device: Device, wanted: archive.Config) -> archive.Config:
    """What a node has that is up again."""
    with Door(device, wanted.get("appwd")).open() as shell:
        shell.hello()
    with FileDoor(device, wanted.get("appwd")).open() as link:
        return archive.parsed(config_of(link), f"{FILE} of the node")
