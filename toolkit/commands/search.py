"""search -- find the nodes of a network, and remember them."""
from __future__ import annotations

import argparse
from dataclasses import asdict
from ipaddress import IPv4Network

from toolkit import discover
from toolkit.commands import Out, add_json, to_json
from toolkit.inventory import Device, Introduction, Inventory
from toolkit.link.shell import PORT
from toolkit.progress import bar
from toolkit.table import table

HELP = "find the nodes of a network, and remember them"
FLAGS = ("-s", "--search_devices")
EPILOG = """All nodes of this machine and of the private networks it is in are asked at once, by a beacon (a datagram to
UDP port 9007) and by mDNS (_micros._tcp). Then those of the cache that were silent, and the boards of this machine,
get a `hello` on the shell port. Who answers goes into the cache.
Nodes of 1.20, and nodes behind a router, hear neither: --scan asks every address of the private /24 networks
of this machine, --network those of the networks that you name, and nobody else.

examples:
  devToolKit.py --search_devices
  devToolKit.py --search_devices --scan
  devToolKit.py --search_devices --network 192.168.1.0/24 --network 10.0.5.0/25
  devToolKit.py --search_devices --network 127.0.1.0/27 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network", type=network, action="append", metavar="CIDR", help="ask every address in it; may be given again"
    )
    parser.add_argument("--scan", action="store_true", help="also ask every address of this machine's /24 networks")
    parser.add_argument("--timeout", type=float, default=1.0, metavar="S", help="seconds for each step, default 1")
    parser.add_argument("--port", type=int, default=PORT, help=f"shell port, default {PORT}")
    add_json(parser)


def network(text: str) -> IPv4Network:
    """A network as typed; host bits may be set, so 192.168.1.7/24 is taken as 192.168.1.0/24."""
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a network like 192.168.1.0/24, got {text!r}") from None


def run(args: argparse.Namespace, out: Out) -> int | None:
    inventory = Inventory()
    told = [] if args.network else discover.announced(args.timeout)
    found = [each.device for each in told]
    with bar("asking") as progress:
        found += discover.hello_all(targets(args, inventory, found), args.timeout, progress)
    found = sorted(_unique(found), key=lambda device: (device.name, device.where))
    inventory.keep(*found)
    details = {each.device.uid: each for each in told}
    out(to_json([_to_dict(device, details.get(device.uid)) for device in found]) if args.json else text(found, details))
    return None


def targets(args: argparse.Namespace, inventory: Inventory, found: list[Device]) -> list[discover.Target]:
    """The addresses that get a `hello`: of the networks given, else those that may have a node that did not tell."""
    if args.network:
        return discover.targets_of(args.network, args.port)
    silent = [(device.address, device.port) for device in inventory if device not in found]
    scanned = discover.targets_of(discover.own_networks(), args.port) if args.scan else []
    told = {(device.address, device.port) for device in found}
    return [target for target in (*silent, *discover.LOOPBACK, *scanned) if target not in told]


def _unique(found: list[Device]) -> list[Device]:
    """Each node once, as it was found first."""
    return list({device.uid: device for device in reversed(found)}.values())


def _to_dict(device: Device, told: Introduction | None) -> dict[str, object]:
    more = {name: value for name, value in asdict(told).items() if name != "device"} if told else {}
    return {**asdict(device), **more}


def text(found: list[Device], details: dict[str, Introduction]) -> str:
    heads = ("UID", "FUID", "IP", "PORT", *(("VERSION", "LOCKED", "BOARD") if details else ()))
    rows = [_row(device, details.get(device.uid))[: len(heads)] for device in found]
    count = f"{len(found)} device{'' if len(found) == 1 else 's'} found"
    return "\n".join([*(table(heads, rows) if rows else []), count])


def _row(device: Device, told: Introduction | None) -> tuple[str, ...]:
    more = (told.version or "-", "yes" if told.locked else "no", told.board or "-") if told else ("-", "-", "-")
    return device.uid, device.name, device.address, str(device.port), *more
