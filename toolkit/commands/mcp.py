"""mcp -- let an assistant use the fleet, over stdio."""
from __future__ import annotations

import argparse
import sys

from toolkit.commands import Out
from toolkit.errors import UsageError

HELP = "tools for an assistant: the Model Context Protocol over stdio"
FLAGS = ("--mcp",)
EPILOG = """Its tools list nodes, tell what they offer, run commands and jobs, under the role of its token. A
gateway has the same tools at http://host:port/mcp. Token: variable MICROS_GATEWAY_TOKEN, or a file
that MICROS_GATEWAY_TOKEN_FILE names.

example, in the configuration of an assistant:
  {"command": "devToolKit.py", "args": ["--mcp"],
   "env": {"MICROS_GATEWAY_TOKEN_FILE": "~/micros-view.token"}}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gateway-at", metavar="URL",
                        help="the gateway, default: variable MICROS_GATEWAY, else http://127.0.0.1:5000")


def run(args: argparse.Namespace, out: Out) -> None:
    from toolkit.gateway import extra
    from toolkit.gateway.remote import Remote

    remote = Remote(args.gateway_at)
    try:
        from toolkit.gateway.mcp_server import built, over_http
    except ModuleNotFoundError as error:
        raise UsageError(f"--mcp needs the package {error.name}: {extra.BY_HAND}") from None
    print(f"micrOS tools of {remote.address} over stdio", file=sys.stderr)       # stdout is the protocol's
    built(over_http(remote.address, remote.token)).run("stdio")
