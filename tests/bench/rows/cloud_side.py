"""The gateway as Device Cloud: 500 things are connected and tell, and actions go to them and back."""
import asyncio
import contextlib
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from row import Budget, Sample, row

ROOT = Path(__file__).parents[3]
THINGS, FEW = 500, 5
RATE_HZ, SPAN_S = 40, 3.0
HANDS = 32                     # connections of the client; an action waits when all are busy, and that counts
READY_S = 30.0
P99 = Budget(250.0, of_ratio=False)
GATEWAY = """
import sys
from pathlib import Path
from tests.gateway.cloud.light import WithCloud
from toolkit.gateway.app import build
from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.gateway.server import serve, taken
from toolkit.inventory import Inventory
folder, port, mqtt = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
settings = WithCloud(port=port, folder=folder, discover=False, cloud=CloudSettings(mqtt=mqtt))
app = build(settings, Inventory(folder / "nodes.json"), ("api", "engine", "cloud"))
print(app.state.gateway.access.make("admin"), flush=True)
serve(app, settings, taken(settings))
"""


@dataclass(frozen=True)
class Cloud:
    """port, token: of the gateway; things: keys of those that are connected."""

    port: int
    token: str
    things: list[str]


@row("cloud-side", f"p99 of {RATE_HZ} actions/s, {THINGS} things that tell", f"{FEW} things", "ms", P99, 3)
def cloud_side() -> Generator[Sample, None, None]:
    with _cloud(THINGS) as many, _cloud(FEW) as few:
        while True:
            yield asyncio.run(_p99_ms(many)), asyncio.run(_p99_ms(few))


@contextlib.contextmanager
def _cloud(count: int) -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="micros-") as folder, contextlib.ExitStack() as stack:
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            http, mqtt = one.getsockname()[1], other.getsockname()[1]
        gateway = stack.enter_context(_process("-c", GATEWAY, folder, str(http), str(mqtt)))
        cloud = Cloud(http, gateway.stdout.readline().strip(), [])
        wish = {"things": "crowd*", "most": count}
        token = _asked(cloud, "/api/v1/thing-tokens", wish)["token"]
        crowd = stack.enter_context(_process("-m", "tests.gateway.cloud.crowd", str(mqtt), str(count)))
        crowd.stdin.write(token + "\n")
        crowd.stdin.flush()
        yield Cloud(http, cloud.token, json.loads(crowd.stdout.readline()))


@contextlib.contextmanager
def _process(*words: str) -> Iterator[Any]:
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _asked(cloud: Cloud, path: str, body: Any) -> Any:
    """The answer of a gateway that may be starting still."""
    deadline = time.monotonic() + READY_S
    while True:
        request = urllib.request.Request(f"http://127.0.0.1:{cloud.port}{path}", json.dumps(body).encode(), headers={
            "Authorization": f"Bearer {cloud.token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


async def _p99_ms(cloud: Cloud) -> float:
    """Actions at their dates, whatever became of those before; from its date to its outcome."""
    hands = [await asyncio.open_connection("127.0.0.1", cloud.port) for _ in range(HANDS)]
    begun, count, took = time.perf_counter() + 0.1, int(RATE_HZ * SPAN_S), []
    turn = iter(range(count))

    async def hand(number: int) -> None:
        reader, writer = hands[number]
        for at in turn:
            date = begun + at / RATE_HZ
            await asyncio.sleep(max(0.0, date - time.perf_counter()))
            body = b'{"method": "blink", "wait_s": 10}'
            writer.write(f"POST /api/v1/things/{random.choice(cloud.things)}/actions HTTP/1.1\r\nHost: x\r\n"
                         f"Content-Type: application/json\r\nAuthorization: Bearer {cloud.token}\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            told = json.loads(await reader.readexactly(length))
            if told.get("state") != "done":
                raise AssertionError(told)
            took.append(1000 * (time.perf_counter() - date))

    try:
        await asyncio.gather(*(hand(number) for number in range(HANDS)))
    finally:
        for _, writer in hands:
            writer.close()
    return sorted(took)[int(0.99 * count)]
