"""Nodes that know no cloud become things of one: a node's answers go up, the action `call` comes down.

    devToolKit.py --simulate                                               a node
    devToolKit.py --cloud config --app node --host cloud.example
    python examples/cloud_gateway.py 127.0.0.1:9008 "system heartbeat" "esp32 temp"

Every 10 s each of the lines is typed into the node's shell, and what it answers is told, named by its line.
`call` with {"line": "rgb toggle"} does so once, and its answer is the action's.
"""
from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import device_cloud
from toolkit.errors import LinkError
from toolkit.link.shell import ShellLink

EVERY_S = 10.0
WAIT_S = 5.0


def ask(node: tuple[str, int], line: str) -> str:
    """Raises LinkError."""
    with ShellLink(*node, timeout_s=WAIT_S) as link:
        return link.ask(line)


def value(text: str) -> float | str:
    """A number if it is one, so that the cloud can draw it."""
    try:
        return float(text)
    except ValueError:
        return text


def tell(client: device_cloud.Client, node: tuple[str, int], lines: list[str]) -> None:
    for line in lines:
        try:
            client.telemetry_publish(line, value(ask(node, line)))
        except LinkError as error:
            client.warning(f"{line}: {error}")


def main(words: list[str]) -> None:
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    host, _, port = words[0].partition(":")
    node = host, int(port or 9008)

    def call(client: device_cloud.Client, params: dict[str, Any] | None) -> tuple[int, str, dict[str, str]]:
        # a node that does not answer raises: the cloud hears 19 and why
        return device_cloud.STATUS_SUCCESS, "", {"result": ask(node, str((params or {})["line"]))}

    client = device_cloud.Client("node")
    client.initialize()
    client.action_register_callback("call", call)
    client.connect(timeout=10)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            tell(client, node, words[1:])
            time.sleep(EVERY_S)
    client.disconnect()


if __name__ == "__main__":
    main(sys.argv[1:])
