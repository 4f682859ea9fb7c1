"""A program that uses a node by VSOA: calls its modules, reads and writes its settings and files, hears its bus.

    devToolKit.py --simulate --vsoa-port 3005                              a virtual node
    python examples/vsoa_node.py call system/heartbeat                     run a load module
    python examples/vsoa_node.py call rgb/color '{"r": 10, "g": 60}'       with arguments
    python examples/vsoa_node.py conf devfid                               a setting; a second word changes it
    python examples/vsoa_node.py put lamp.txt                              a file to the node, `get` brings it back
    python examples/vsoa_node.py hear lamp                                 what its bus says of a topic

VSOA_NODE is the node's address (default vsoa://127.0.0.1:3005), VSOA_PASSWORD its password (default ADmin123).
"""
from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from micrOS.source import vsoa

NODE = os.environ.get("VSOA_NODE", "vsoa://127.0.0.1:3005")
PASSWORD = os.environ.get("VSOA_PASSWORD", "ADmin123")
WAIT_S = 30.0


def ask(client: Any, url: str, param: Any = None, method: int = vsoa.METHOD_GET) -> tuple[Any, Any]:
    """(header, param) of the reply. Ends the program with the node's own words when it refuses."""
    header, payload, code = client.fetch(url, method, vsoa.Payload(param), WAIT_S)
    if code or header.status:
        sys.exit(f"{url}: {payload.param if payload else f'no reply, code {code}'}")
    return header, payload.param


def call(client: Any, path: str, arguments: str = "[]") -> str:
    return str(ask(client, f"/{path}", json.loads(arguments))[1]["result"])


def conf(client: Any, key: str, value: str | None = None) -> str:
    if value is None:
        return str(ask(client, f"/conf/{key}")[1]["result"])
    return str(ask(client, f"/conf/{key}", {"value": value}, vsoa.METHOD_SET)[1]["result"])


def put(client: Any, name: str) -> str:
    data = Path(name).read_bytes()
    param = {"passwd": PASSWORD, "size": len(data)}
    header, _ = ask(client, f"/file/{Path(name).name}", param, vsoa.METHOD_SET)
    return _streamed(client, header.tunid, data).decode().strip()


def get(client: Any, name: str) -> str:
    header, facts = ask(client, f"/file/{name}", {"passwd": PASSWORD})
    data = _streamed(client, header.tunid)
    if len(data) != facts["size"]:
        sys.exit(f"{name}: {facts['size']} bytes were to come, {len(data)} came")
    Path(Path(name).name).write_bytes(data)
    return f"{len(data)} bytes"


def hear(client: Any, topic: str) -> str:
    client.onmessage = lambda client, url, payload, quick: say(f"{url} {payload.param}")
    client.subscribe(f"/bus/{topic}")
    client.run()
    return "the node has gone"


def _streamed(client: Any, tunid: int, data: bytes = b"") -> bytes:
    """Send this, return what came until the end."""
    heard: list[bytes] = []
    is_over, is_linked = threading.Event(), threading.Event()

    def onlink(stream: Any, is_connected: bool) -> None:
        (is_linked if is_connected else is_over).set()

    stream = client.create_stream(tunid, onlink, lambda stream, more: heard.append(more))
    is_linked.wait(WAIT_S)
    while data:
        data = data[stream.send(data):]
        stream.drained()
    is_over.wait(WAIT_S)
    return b"".join(heard)


def main(words: list[str]) -> None:
    work = {"call": call, "conf": conf, "put": put, "get": get, "hear": hear}
    if len(words) < 2 or words[0] not in work:
        sys.exit(__doc__)
    client = vsoa.Client()
    code = client.connect(NODE, PASSWORD)
    if code:
        sys.exit(f"{NODE}: no connection, code {code}")
    with contextlib.suppress(KeyboardInterrupt):
        say(work[words[0]](client, *words[1:]))
    client.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
