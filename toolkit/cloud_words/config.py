"""config -- write the two files that make a program, or a board, a thing of a Device Cloud."""
from __future__ import annotations

import argparse
import getpass
import json
import os
import re
import sys
import uuid
from pathlib import Path
from typing import Any

from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError

HELP = "write <app>-connect.cfg and device_id, by questions or flags"
EPILOG = """What stands in the files already is kept, unless a flag or an answer says otherwise. The token is asked
for, or taken from the variable HDCTOKEN; a flag would be seen in the process list. For a board copy both
files to its root; its --ca is DER.

examples:
  devToolKit.py --cloud config
  HDCTOKEN=... devToolKit.py --cloud config --app lamp --host cloud.example --port 443 --yes
  devToolKit.py --cloud config --app device_manager --dir /etc/micros-cloud --proxy socks5://10.0.0.1:1080
"""
TOKEN, PROXY_PASSWORD = "HDCTOKEN", "HDCPROXYPASSWORD"
KEY_CHARS = 64
PROXY = re.compile(r"(?P<type>socks4|socks5|http)://((?P<username>[^:@/]+)@)?(?P<host>[\w.-]+):(?P<port>\d+)/?", re.I)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", help="name of the program, default device_manager")
    parser.add_argument("--dir", type=Path, default=Path(), help="folder of the files, default the current one")
    parser.add_argument("--host", help="name of the cloud")
    parser.add_argument("--port", type=int, help="8883 TLS (default), 443 websocket with TLS, any other without TLS")
    parser.add_argument("--token", help=f"others see it in the process list: better {TOKEN}, or the question")
    parser.add_argument("--device-id", metavar="ID", help="default what the file has, else a new one")
    parser.add_argument("--file-host", metavar="HOST[:PORT]", help="of files, default the host and 443")
    parser.add_argument("--proxy", metavar="URL",
                        help=f"socks5://[user@]host:port, socks4, http; its password is in {PROXY_PASSWORD}")
    parser.add_argument("--ca", metavar="FILE", help="authority that signed the cloud's certificate")
    parser.add_argument("--no-check", action="store_true", help="believe any certificate, in a laboratory")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    is_asking = not args.yes and sys.stdin.isatty()
    app = args.app or (_asked("program", "device_manager") if is_asking else "device_manager")
    if not re.fullmatch(r"[\w.-]+", app):
        raise UsageError(f"--app is a name of letters, digits, `_`, `-` and `.`, got {app}")
    path = args.dir / f"{app}-connect.cfg"
    config = _present(path)
    cloud = config.setdefault("cloud", {})
    cloud["host"] = args.host or _wanted("host of the cloud", "--host", cloud.get("host"), is_asking)
    cloud["port"] = args.port or int(_wanted("port", "--port", str(cloud.get("port") or 8883), is_asking))
    cloud["token"] = args.token or os.environ.get(TOKEN) or _token(cloud.get("token"), is_asking)
    if not 0 < cloud["port"] < 65536:
        raise UsageError(f"--port is 1-65535, got {cloud['port']}")
    _add_more(args, config)
    ident = _device_id(args, app)
    args.dir.mkdir(parents=True, exist_ok=True)
    _write(path, to_json(config) + "\n")
    _write(args.dir / "device_id", ident)
    facts = {"config": str(path), "device_id": str(args.dir / "device_id"), "thing": f"{ident}-{app}"}
    out(to_json(facts) if args.json else f"{path}\nthing key: {facts['thing']}")
    return 0


def _present(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UsageError(f"{path} is no JSON; mend it or remove it") from None
    if not isinstance(found, dict) or not isinstance(found.get("cloud", {}), dict):
        raise UsageError(f"{path} is no configuration; mend it or remove it")
    return found


def _wanted(what: str, flag: str, present: str | None, is_asking: bool) -> str:
    value = _asked(what, present) if is_asking else present
    if not value:
        raise UsageError(f"{flag} is missing")
    return value


def _asked(what: str, present: str | None) -> str:
    try:
        return input(f"{what} [{present}]: " if present else f"{what}: ").strip() or present or ""
    except EOFError:
        raise UsageError(f"no answer to: {what}") from None


def _token(present: str | None, is_asking: bool) -> str:
    if is_asking:
        present = getpass.getpass("token (what is there stays): " if present else "token: ") or present
    if not present:
        raise UsageError(f"the token is missing: set the variable {TOKEN}")
    return present


def _add_more(args: argparse.Namespace, config: dict[str, Any]) -> None:
    if args.file_host:
        host, _, port = args.file_host.partition(":")
        config["cloud"]["file_xfer_host"] = host
        if port:
            config["cloud"]["file_xfer_port"] = int(port)
    if args.proxy:
        found = PROXY.fullmatch(args.proxy)
        if found is None:
            raise UsageError(f"--proxy is socks4, socks5 or http://[user@]host:port, got {args.proxy.split('@')[-1]}")
        proxy = {name: value for name, value in found.groupdict().items() if value}
        config["proxy"] = {**proxy, "type": proxy["type"].upper(), "port": int(proxy["port"])}
        if os.environ.get(PROXY_PASSWORD):
            config["proxy"]["password"] = os.environ[PROXY_PASSWORD]
    if args.ca:
        config["ca_bundle_file"] = args.ca
    if args.no_check:
        config["validate_cloud_cert"] = False


def _device_id(args: argparse.Namespace, app: str) -> str:
    path = args.dir / "device_id"
    present = path.read_text().strip() if path.exists() else ""
    ident = args.device_id or present or str(uuid.uuid4())
    if len(ident) + 1 + len(app) > KEY_CHARS:
        raise UsageError(f"device id and program take {KEY_CHARS - 1} characters, got {len(ident) + len(app)}")
    return str(ident)


def _write(path: Path, text: str) -> None:
    """Beside, then renamed; nobody else may read it."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
