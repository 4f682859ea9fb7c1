"""search -- find the nodes of a network, and remember them."""
from __future__ import annotations

import argparse
from dataclasses import asdict
from ipaddress import IPv4Network

from toolkit import discover
from toolkit.commands import Out, add_json, to_json
from toolkit.inventory import Device, Inventory
from toolkit.link.shell import PORT
from toolkit.progress import bar
from toolkit.table import table

HELP = "find the nodes of a network, and remember them"
FLAGS = ("-s", "--search_devices")
EPILOG = """Every host address of the networks is asked `hello` on the shell port, and who answers goes into the cache.
Without --network: the boards of this machine (127.0.0.1, 127.0.1.1 to .20) and the private /24 networks
in which this machine has an address.

examples:
  devToolKit.py --search_devices
  devToolKit.py --search_devices --network 192.168.1.0/24 --network 10.0.5.0/25
  devToolKit.py --search_devices --network 127.0.1.0/27 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network", type=network, action="append", metavar="CIDR", help="network to ask, may be given several times"
    )
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
    with bar("asking") as progress:
        found = discover.hello_all(targets(args), args.timeout, progress)
    Inventory().keep(*found)
    found.sort(key=lambda device: (device.name, device.where))
    out(to_json([asdict(device) for device in found]) if args.json else text(found))
    return None


def targets(args: argparse.Namespace) -> list[discover.Target]:
    if args.network:
        return discover.targets_of(args.network, args.port)
    return [*discover.LOOPBACK, *discover.targets_of(discover.own_networks(), args.port)]


def text(found: list[Device]) -> str:
    rows = [(device.uid, device.name, device.address, str(device.port)) for device in found]
    count = f"{len(found)} device{'' if len(found) == 1 else 's'} found"
    return "\n".join([*(table(("UID", "FUID", "IP", "PORT"), rows) if rows else []), count])
