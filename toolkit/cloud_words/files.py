"""files -- files of a thing, and files for all things, in a gateway's cloud."""
from __future__ import annotations

import argparse
import time
from pathlib import Path

from toolkit.archive import write_whole
from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.gateway.cloud.client import bring, fetch, safe_name, thing_path
from toolkit.gateway.remote import HINT, Remote
from toolkit.table import table

HELP = "list, bring, fetch and remove files of a thing, or of all"
EPILOG = f"""{HINT}

examples:
  devToolKit.py --cloud files all
  devToolKit.py --cloud files 0f0e-lamp --put setup.json
  devToolKit.py --cloud files 0f0e-lamp --get ota_install.log --to log.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("owner", help="thing, or all: the files for all things")
    parser.add_argument("--put", type=Path, metavar="FILE", help="bring this file")
    parser.add_argument("--name", help="what it is called there, default its own name")
    parser.add_argument("--get", metavar="NAME", help="fetch this file")
    parser.add_argument("--to", type=Path, metavar="FILE", help="where to, default its own name in this folder")
    parser.add_argument("--remove", metavar="NAME", help="remove this file")
    parser.add_argument("--gateway", metavar="URL", help="default http://127.0.0.1:5000")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    remote = Remote(args.gateway)
    if args.put:
        try:
            data = args.put.read_bytes()
        except OSError as error:
            raise UsageError(f"{args.put} cannot be read: {error.strerror}") from None
        bring(remote, args.owner, args.name or args.put.name, data)
    elif args.get:
        path = args.to or Path(safe_name(args.get))
        write_whole(path, fetch(remote, args.owner, args.get))
        out(str(path))
    elif args.remove:
        remote.ask("DELETE", thing_path(args.owner, "files", args.remove))
    else:
        rows = remote.ask("GET", thing_path(args.owner, "files"))
        shown = [(row["name"], str(row["size"]), time.strftime("%Y-%m-%d %H:%M", time.localtime(row["at"])), row["by"])
                 for row in rows]
        out(to_json(rows) if args.json else "\n".join(table(("NAME", "BYTES", "TIME", "BY"), shown)) or "no file")
    return None
