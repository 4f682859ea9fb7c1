"""things -- who is connected to a gateway's cloud, and the tokens they come in with."""
from __future__ import annotations

import argparse
import time
from typing import Any

from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.gateway.cloud.client import thing_path
from toolkit.gateway.remote import HINT, Remote
from toolkit.table import table

HELP = "list the things of a gateway, make and revoke their tokens"
EPILOG = f"""{HINT}
A thing comes in with its key (<device_id>-<app>) and a token. --new makes one, shown this once; a key with * lets in
up to --most things that fit it. Roles: tell (samples only), act (actions and files, too), share (writes files for all).

examples:
  devToolKit.py --cloud things
  devToolKit.py --cloud things 0f0e-lamp --samples property
  devToolKit.py --cloud things --new '*-lamp' --most 50 --role act --limit rate_hz=5
"""
KINDS = ("property", "attribute", "alarm", "location", "log")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", nargs="?", help="thing: show what it told last")
    parser.add_argument("--samples", choices=KINDS, metavar="KIND", help=f"what it told: {', '.join(KINDS)}")
    parser.add_argument("--since", type=float, default=24.0, metavar="HOURS", help="of samples, default 24")
    parser.add_argument("--new", metavar="KEY", help="make a token for a thing, or for a pattern with *")
    parser.add_argument("--role", choices=("tell", "act", "share"), default="act", help="of --new, default act")
    parser.add_argument("--most", type=int, metavar="N", help="things that --new lets in, default 1, of a pattern 1000")
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=N",
                        help="of --new: rate_hz, burst, keys, mails, files, bytes; may be given again")
    parser.add_argument("--tokens", action="store_true", help="list the tokens, without their secrets")
    parser.add_argument("--revoke", metavar="IDENT", help="a token that counts no more")
    parser.add_argument("--forget", metavar="KEY", help="a thing, and all it told")
    parser.add_argument("--gateway", metavar="URL", help="default http://127.0.0.1:5000")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    remote = Remote(args.gateway)
    if args.new:
        made = remote.ask("POST", "/api/v1/thing-tokens", {"things": args.new, "role": args.role, "most": args.most,
                                                           "limits": dict(map(_limit, args.limit))})
        out(to_json(made) if args.json else made["token"])
    elif args.revoke:
        remote.ask("DELETE", f"/api/v1/thing-tokens/{args.revoke}")
    elif args.forget:
        remote.ask("DELETE", thing_path(args.forget))
    else:
        rows = _rows(remote, args)
        out(to_json(rows) if args.json else _shown(rows, args))
    return None


def _rows(remote: Remote, args: argparse.Namespace) -> Any:
    if args.tokens:
        return remote.ask("GET", "/api/v1/thing-tokens")
    if args.key is None:
        return remote.ask("GET", "/api/v1/things")
    if args.samples:
        return remote.ask("GET", thing_path(args.key, "samples"), kind=args.samples, since=-3600 * args.since)
    return remote.ask("GET", thing_path(args.key))["last"]


def _shown(rows: Any, args: argparse.Namespace) -> str:
    if args.tokens:
        return _table(("IDENT", "THINGS", "ROLE", "MOST", "LABEL"),
                      [(row["ident"], row["things"], row["role"], str(row["most"]), row["label"]) for row in rows])
    if args.key is None:
        return _table(("KEY", "STATE", "ROLE", "SEEN", "NAME"), [
            (row["key"], "blocked" if row["blocked"] else "up" if row["connected"] else "down", row["role"],
             time.strftime("%Y-%m-%d %H:%M", time.localtime(row["seen_at"])), row["name"]) for row in rows])
    if args.samples:
        return _table(("TIME", "NAME", "VALUE"), [(row["ts"], row.get("key", ""), _value(row)) for row in rows])
    return _table(("KIND", "NAME", "VALUE", "TIME"), [(kind, name, _value(item), item["ts"])
                                                     for kind, items in rows.items() for name, item in items.items()])


def _value(item: dict[str, Any]) -> str:
    for name in ("value", "state", "msg"):
        if name in item:
            return f"{item[name]} {item.get('msg', '')}".strip() if name == "state" else str(item[name])
    return f"{item.get('lat')}, {item.get('lng')}"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(table(heads, rows)) if rows else "none yet"


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise UsageError(f"--limit is like rate_hz=5, got {text!r}") from None
