"""telnet -- a port of this machine that leads to a node."""
from __future__ import annotations

import argparse
import asyncio
import sys

from toolkit import discover
from toolkit.commands import Out
from toolkit.errors import UsageError
from toolkit.forward import HOST, Forward
from toolkit.inventory import Device, Inventory

HELP = "open a port of this machine that leads to a node, for any telnet"
FLAGS = ("--telnet",)
EPILOG = """The node is looked for once, by its name; then a port of loopback leads to it until Ctrl-C. Several clients
may come, each has its own session (a node serves two by default and tells the third that it is busy). Everybody
who works on this machine can reach the port; a locked node asks them for its password.

exit codes: 0 ended by Ctrl-C, 2 the port is taken, 3 unknown device, 4 node not reached

examples:
  devToolKit.py --telnet node01
  devToolKit.py --telnet node01 --port 9008
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", metavar="NAME", help="name, uid, address or address:port of the node")
    parser.add_argument("--port", type=int, default=0, help="port of this machine, default a free one")


def run(args: argparse.Namespace, out: Out) -> int | None:
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port is 0 to 65535, got {args.port}")
    device = discover.resolve(args.device, Inventory())
    try:
        asyncio.run(serve(device, args.port, out))
    except KeyboardInterrupt:
        print(file=sys.stderr)             # the ^C of the terminal stands alone
    return None


async def serve(device: Device, port: int, out: Out) -> None:
    server = await Forward(device).start(port)
    taken = server.sockets[0].getsockname()[1]
    out(f"{device.name} ({device.where}) is at {HOST}:{taken}; type: telnet {HOST} {taken}   (Ctrl-C ends)")
    try:
        await asyncio.Event().wait()
    finally:
        server.close()      # serve_forever() would wait for the last client to leave
