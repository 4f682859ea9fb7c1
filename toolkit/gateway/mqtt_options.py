"""--mqtt and --mqtt-users of the gateway: where boards come by MQTT, and who may."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError

PORTS = range(1, 65536)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mqtt", metavar="[ADDRESS:]PORT",
                        help="where boards come by MQTT, in clear text; without ADDRESS on loopback")
    parser.add_argument("--mqtt-users", type=Path, metavar="FILE",
                        help="who may: lines `name:password`, in a file that only you can read")


def chosen(args: argparse.Namespace) -> dict[str, Any]:
    """Of gateway.Settings: mqtt, mqtt_users. Raises UsageError."""
    if not args.mqtt:
        if args.mqtt_users:
            raise UsageError("--mqtt-users takes --mqtt, too: where do they come")
        return {}
    if args.engine is not None:
        raise UsageError("--mqtt is a door of the gateway's own engine: leave --engine out, or give its servers one")
    if not args.mqtt_users:
        raise UsageError("--mqtt takes --mqtt-users FILE: without a user nobody gets in")
    return {"mqtt": _place(args.mqtt), "mqtt_users": users(args.mqtt_users)}


def _place(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or int(port) not in PORTS:
        raise UsageError(f"--mqtt is [ADDRESS:]PORT like 1883 or 0.0.0.0:1883, got {text!r}")
    return f"{host or '127.0.0.1'}:{port}"


def users(path: Path) -> dict[str, str]:
    """name -> password. Raises UsageError that names the line, and no password."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"--mqtt-users {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, colon, password = line.strip().partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not (colon and name and password) or name in (*found, "gateway"):
            raise UsageError(f"{path} line {number} is no `name:password`, each name once and not `gateway`")
        found[name] = password
    if not found:
        raise UsageError(f"{path} names nobody: a line is `name:password`")
    return found
