"""gateway -- many nodes behind one door: REST, metrics, roles."""
from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.commands import Out, add_json, to_json
from toolkit.errors import UsageError
from toolkit.gateway import mqtt_options

if TYPE_CHECKING:
    from toolkit.gateway.access import Access
    from toolkit.gateway.cloud.settings import CloudSettings
    from toolkit.gateway.dashboard.door import Door
    from toolkit.gateway.settings import Settings

HELP = "serve many nodes over HTTP: REST, metrics, roles"
FLAGS = ("-gw", "--gateway")
EPILOG = """Everything takes a token. The first start makes one for role admin and shows it once, on a
terminal; its hash is kept. Roles: view < operate < admin. /docs has a page of all paths, /metrics is
for Prometheus. What the gateway needs beyond the toolkit is installed at the first start, into the
virtual environment that runs, or that of the checkout, env/venv, which is made then.
It listens on loopback. With --host others reach it, in clear text: put a TLS proxy before it then.

exit codes: 0 stopped, 1 its files cannot be kept, 2 wrong use, the port is taken

examples:
  devToolKit.py --gateway
  devToolKit.py --gateway --token view --label prometheus
  devToolKit.py --gateway --mqtt 0.0.0.0:1883 --mqtt-users users.txt
  devToolKit.py --gateway --cloud 0.0.0.0 --certificate c.pem --key c.key --public-name c.example
  devToolKit.py --gateway --host 0.0.0.0 --port 5005 --device 10.0.5.7 --device 10.0.5.8:9008
"""
ROLES = ("view", "operate", "admin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [OPTIONS]"          # they would fill a third of the screen
    parser.add_argument("--port", type=int, default=5000, help="default 5000")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at, default 127.0.0.1")
    parser.add_argument("--device", action="append", default=[], metavar="ADDRESS[:PORT]",
                        help="a node that no search finds, as one of 1.20 or behind a router; may be given again")
    parser.add_argument("--no-search", action="store_true",
                        help="only nodes that are remembered or named by --device")
    parser.add_argument("--engine", metavar="URLS",
                        help="off, or nats://a,nats://b,nats://c; default: a NATS server of its own on loopback")
    mqtt_options.add_arguments(parser)
    parser.add_argument("--cloud", metavar="ADDRESS", help="be a Device Cloud at this address: things come by MQTT")
    parser.add_argument("--cloud-ports", default="1883,8883,443", metavar="MQTT,MQTTS,HTTPS",
                        help="default 1883,8883,443; those with TLS take --certificate")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="of the cloud, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="of that certificate, PEM")
    parser.add_argument("--public-name", default="", metavar="NAME", help="by which things reach the cloud's HTTPS")
    parser.add_argument("--token", choices=ROLES, metavar="ROLE",
                        help="make a token for view, operate or admin, and end")
    parser.add_argument("--label", default="", help="what that token is for")
    parser.add_argument("--tokens", action="store_true", help="list the tokens, without their secrets, and end")
    parser.add_argument("--revoke", metavar="IDENT", help="a token that counts no more, and end")
    parser.add_argument("--open", action="store_true", help="open the dashboard in this machine's browser")
    parser.add_argument("--verbose", action="store_true", help="log what happens")
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    if not 0 < args.port <= 65535:
        raise UsageError(f"--port is 1 to 65535, got {args.port}")
    _set_up(args)
    from toolkit.gateway.access import Access
    from toolkit.gateway.settings import Settings

    settings = Settings()
    access = Access(settings.folder)
    if args.token:
        made = access.make(args.token, args.label)
        out(to_json({"role": args.token, "token": made}) if args.json else made)
    elif args.revoke:
        if not access.revoke(args.revoke):
            raise UsageError(f"there is no token {args.revoke}: --gateway --tokens lists them")
    elif args.tokens:
        out(_rows(access, args.json))
    else:
        _serve(args, replace(settings, host=args.host, port=args.port, device_hosts=tuple(args.device),
                             discover=not args.no_search, engine=args.engine, cloud=_cloud(args),
                             **mqtt_options.chosen(args)), access, out)
    return None


def _cloud(args: argparse.Namespace) -> CloudSettings | None:
    from toolkit.gateway.cloud.settings import CloudSettings

    ports = args.cloud_ports.split(",")
    if len(ports) != 3 or not all(port.isdecimal() and int(port) < 65536 for port in ports):
        raise UsageError(f"--cloud-ports is three numbers like 1883,8883,443, got {args.cloud_ports!r}")
    if args.certificate and not args.key:
        raise UsageError("--certificate takes --key, too")
    if not args.cloud:
        return None
    mqtt, mqtts, https = map(int, ports)
    return CloudSettings(args.cloud, mqtt, mqtts, https, args.certificate, args.key, args.public_name)


def _set_up(args: argparse.Namespace) -> None:
    """What the gateway needs, where it is missing; that may end in this command line begun anew by another Python."""
    from toolkit.gateway import extra

    missing = extra.missing(extra.PAGES if args.open else ())
    if not missing:
        return
    if extra.is_system_python():
        python = extra.own_python()
        print(f"this Python is the system's own: going on in that of {python.parents[1]}", file=sys.stderr)
        extra.go_on_in(python)
    print(f"the gateway needs {', '.join(missing)} and more: installing it, once ...", file=sys.stderr)
    extra.install()


def _rows(access: Access, as_json: bool) -> str:
    from toolkit.table import table

    if as_json:
        return to_json([{"ident": each.ident, "role": each.role, "label": each.label, "made_at": each.made_at}
                        for each in access.tokens()])
    rows = [(each.ident, each.role, each.label) for each in access.tokens()]
    return "\n".join(table(("IDENT", "ROLE", "LABEL"), rows)) if rows else "no token yet"


def _serve(args: argparse.Namespace, settings: Settings, access: Access, out: Out) -> None:
    from toolkit.gateway.app import build
    from toolkit.gateway.server import serve, taken

    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING,
                        format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    door = taken(settings)
    app = build(settings)
    gateway = app.state.gateway
    if access.is_new():
        _welcome(gateway.access, out)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    out(f"gateway at http://{host}:{settings.port}/   paths: /docs   metrics: /metrics   (Ctrl-C ends)")
    for part, why in gateway.left_out.items():
        print(f"without {part}: {why}", file=sys.stderr)
    if args.open and "dashboard" in gateway.parts:
        _open(app.state.door, f"http://{host}:{settings.port}")
    serve(app, settings, door)


def _open(entrance: Door, url: str) -> None:
    try:
        entrance.open_browser(url)
    except OSError as error:
        print(f"the browser is not opened, its way in cannot be written: {error.strerror}", file=sys.stderr)


def _welcome(access: Access, out: Out) -> None:
    """A service's output goes into a log, where no secret belongs: there somebody makes the first token by hand."""
    if sys.stdout.isatty():
        out(f"token for role admin, shown this once: {access.make('admin', 'first start')}")
    else:
        out("nobody can enter yet: make a token with devToolKit.py --gateway --token admin")
