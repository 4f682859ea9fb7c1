"""validate -- try every door of the agent against a cloud."""
from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from toolkit.cloud_operator import Operator
from toolkit.cloud_walk import Walk
from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.table import table

HELP = "try every API of the agent against a cloud"
EPILOG = """The thing is that of <app>-connect.cfg and device_id in --dir; flags count more. Actions take an operator,
too: --address, --username and HDCPASSWORD, or HDCADDRESS, HDCUSERNAME and HDCPASSWORD; without one they are skipped.
It writes samples, an attribute, an alarm, an event, a file and the description of the thing.

exit codes: 0 all is well, 1 a row has failed, 2 wrong use

examples:
  devToolKit.py --cloud validate --app lamp
  HDCTOKEN=... devToolKit.py --cloud validate --thing my-thing --host localhost --port 1883 --json
"""
PASSWORD, TOKEN = "HDCPASSWORD", "HDCTOKEN"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", help="name of the program, default device_manager")
    parser.add_argument("--dir", type=Path, default=Path(), help="folder of its files, default the current one")
    parser.add_argument("--thing", metavar="KEY", help="key of the thing, instead of device_id and program")
    parser.add_argument("--host", help="name of the cloud")
    parser.add_argument("--port", type=int, help="its port")
    parser.add_argument("--ca", metavar="FILE", help="authority that signed its certificate")
    parser.add_argument("--no-check", action="store_true", help="believe any certificate, in a laboratory")
    parser.add_argument("--address", default=os.environ.get("HDCADDRESS"), help="of the operator's API")
    parser.add_argument("--username", default=os.environ.get("HDCUSERNAME"), help="of the operator")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    app, ident, config = _thing(args)
    with tempfile.TemporaryDirectory(prefix="micros-cloud-") as folder:
        walk = Walk(app, config, ident, Path(folder), _operator(args, config))
        rows = list(walk.rows())
    if args.json:
        out(to_json([row.to_dict() for row in rows]))
    else:
        out("\n".join(table(("check", "result", "ms", "detail"),
                            [(row.check, row.result, str(row.ms), row.detail) for row in rows])))
    return 1 if any(row.result == "failed" for row in rows) else 0


def _thing(args: argparse.Namespace) -> tuple[str, str, dict[str, Any]]:
    """(program, device id, configuration) of the files, with the flags over them."""
    app = args.app or "device_manager"
    path, ident = args.dir / f"{app}-connect.cfg", args.thing or ""
    try:
        config = json.loads(path.read_text()) if path.exists() else {}
        if not ident:
            ident = (args.dir / "device_id").read_text().strip()
    except ValueError:
        raise UsageError(f"{path} is no JSON") from None
    except OSError:
        raise UsageError(f"no device_id in {args.dir}: --cloud config writes it, or take --thing") from None
    cloud = config.setdefault("cloud", {})
    given = {"host": args.host, "port": args.port, "token": os.environ.get(TOKEN)}
    cloud.update({name: value for name, value in given.items() if value})
    if not cloud.get("host") and args.address:
        cloud["host"] = args.address.split("://")[-1].split(":")[0].split("/")[0]
    cloud.setdefault("port", 8883)
    missing = [name for name in ("host", "token") if not cloud.get(name)]
    if missing:
        raise UsageError(f"{path} does not tell {' and '.join(missing)}; --host tells the one, {TOKEN} the other")
    for name in ("log_file", "use_syslog"):
        config.pop(name, None)
    if args.ca or config.get("ca_bundle_file"):
        # a path of the file is meant from its folder on, ours is another
        config["ca_bundle_file"] = str(Path(args.ca or config["ca_bundle_file"]).absolute())
    if args.no_check:
        config["validate_cloud_cert"] = False
    return "" if args.thing else app, ident, config


def _operator(args: argparse.Namespace, config: dict[str, Any]) -> Operator | None:
    if not args.address and not args.username:
        return None
    if not args.username:
        raise UsageError("HDCUSERNAME or --username is missing")
    password = os.environ.get(PASSWORD)
    if password is None and sys.stdin.isatty():
        password = getpass.getpass(f"password of {args.username}: ")
    if not password:
        raise UsageError(f"the password is missing: set the variable {PASSWORD}")
    return Operator(args.address or config["cloud"]["host"], args.username, password, config.get("ca_bundle_file"),
                    config.get("validate_cloud_cert") is not False)
