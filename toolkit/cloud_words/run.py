"""run -- have a thing of a gateway's cloud do something."""
from __future__ import annotations

import argparse
import json
from typing import Any

from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.gateway.cloud.client import outcome, thing_path
from toolkit.gateway.remote import HINT, Remote

HELP = "have a thing run an action"
EPILOG = f"""{HINT}
A value is JSON where it can be (n=3, on=true), else a text. An action waits for a thing that is away.

exit codes: 0 done with status 0 (or only posted: --wait 0), 1 any other status, or no outcome in time

examples:
  devToolKit.py --cloud run 0f0e-lamp blink n=3
  devToolKit.py --cloud run 0f0e-lamp ping --wait 60 --json
"""
MOST_WAIT_S = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", help="thing")
    parser.add_argument("action", help="its name")
    parser.add_argument("params", nargs="*", metavar="NAME=VALUE", help="what it is given")
    parser.add_argument("--wait", type=float, default=30.0, metavar="S", help="for the outcome, 0-120, default 30")
    parser.add_argument("--ttl", type=float, default=86_400.0, metavar="S", help="for it to be fetched, default a day")
    parser.add_argument("--gateway", metavar="URL", help="default http://127.0.0.1:5000")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if not 0 <= args.wait <= MOST_WAIT_S or args.ttl <= 0:
        raise UsageError(f"--wait is 0 to {MOST_WAIT_S:g} s, --ttl more than 0 s, got {args.wait:g} and {args.ttl:g}")
    params = dict(map(_param, args.params)) or None
    action = Remote(args.gateway).ask("POST", thing_path(args.key, "actions"), {
        "method": args.action, "params": params, "wait_s": args.wait, "ttl_s": args.ttl})
    out(to_json(action) if args.json else outcome(action))
    return 0 if action["code"] == 0 or not args.wait else 1


def _param(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise UsageError(f"what an action is given is NAME=VALUE, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
