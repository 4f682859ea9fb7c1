"""update -- a software package for things of a gateway's cloud: looked into, stored, put in place, watched."""
from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.gateway.cloud import packages
from toolkit.gateway.cloud.client import bring, outcome, thing_path
from toolkit.gateway.remote import HINT, Remote

HELP = "update things with a software package"
EPILOG = f"""{HINT}
A package of hosts is a .zip or .tar.gz with update.json at its root (name, version, install, and as needed pre_install,
post_install, error_action, reboot), or a folder with such a file; a package of boards is a set. It is looked into
first, and a bad one goes nowhere. A name that is no file here is that of a package that is stored already.

exit codes: 0 all are updated, 1 one is not, or had no outcome in time, 2 a bad package

examples:
  devToolKit.py --cloud update pump-2.1.tar.gz 0f0e-pump 1a2b-pump
  devToolKit.py --cloud update ./pump 0f0e-pump --wait 600
"""
LOOK_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", help="file, folder, or name of a package that is stored")
    parser.add_argument("keys", nargs="+", metavar="key", help="thing")
    parser.add_argument("--wait", type=float, default=600.0, metavar="S", help="for outcomes, default 600, 0: do not")
    parser.add_argument("--extra", metavar="TEXT", help="given to the package as HDC_EXTRA_PARAMS")
    parser.add_argument("--gateway", metavar="URL", help="default http://127.0.0.1:5000")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if args.wait < 0:
        raise UsageError(f"--wait is 0 s or more, got {args.wait:g}")
    remote = Remote(args.gateway)
    name = _stored(remote, args.package)
    wish = {"package": name, "timeout_s": int(min(86_400, max(1, args.wait or 600))), "extra_params": args.extra}
    actions = [remote.ask("POST", thing_path(key, "updates"), wish) for key in args.keys]
    deadline = time.monotonic() + args.wait
    ended = [_ended(remote, action, deadline, None if args.json else out) for action in actions]
    if args.json:
        out(to_json(ended))
    return 0 if not args.wait or all(action["code"] == 0 for action in ended) else 1


def _stored(remote: Remote, package: str) -> str:
    """The name under which it lies in the cloud. Raises BadPackageError."""
    path = Path(package)
    if not path.exists():
        return package
    name = f"{path.resolve().name}.tar.gz" if path.is_dir() else path.name
    data = packages.built(path) if path.is_dir() else path.read_bytes()
    packages.checked(name, data)
    bring(remote, "all", name, data)
    return name


def _ended(remote: Remote, action: dict[str, Any], deadline: float, out: Out | None) -> dict[str, Any]:
    """The action when it has ended, or as it is at the deadline; its progress is told on the way."""
    told = 0
    while True:
        left_s = deadline - time.monotonic()
        if left_s > 0:
            path = thing_path(action["thing"], "actions", action["ident"])
            action = remote.ask("GET", path, wait_s=min(LOOK_S, left_s))
        if out:
            for row in action["progress"][told:]:
                out(f"{action['thing']}: {row['text']}")
        told = len(action["progress"])
        if action["ended_at"] or left_s <= 0:
            break
    if out:
        out(f"{action['thing']}: {outcome(action)}")
    return action
