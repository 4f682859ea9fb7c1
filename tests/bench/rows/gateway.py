"""The gateway with 1,005 nodes: a thousand light ones and five boards, 500 commands a second from outside."""
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
from collections.abc import Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from row import Budget, Sample, row

from toolkit.inventory import Device
from toolkit.simulator.api import VirtualBoard

ROOT = Path(__file__).parents[3]
FAKES, BOARDS = 1000, 5
RATE_HZ, SPAN_S = 500, 4.0
HANDS = 64                     # connections of the client; a command waits when all are busy, and that counts
READY_S = 60.0
P99 = Budget(250.0, of_ratio=False)
MEMORY = Budget(400e6, of_ratio=False)
GATEWAY = """
import json, sys
from pathlib import Path
from toolkit.gateway.app import build
from toolkit.gateway.server import serve, taken
from toolkit.gateway.settings import Settings
from toolkit.inventory import Inventory
folder, port = Path(sys.argv[1]), int(sys.argv[2])
settings = Settings(port=port, folder=folder, engine="off", discover=False)
app = build(settings, Inventory(folder / "nodes.json"), ("classic", "api", "metrics", "docs"))
print(app.state.gateway.access.make("admin"), flush=True)
serve(app, settings, taken(settings))
"""

Ask = Callable[[int, str], Awaitable[None]]            # (which hand, name) -> when the answer has come


@dataclass(frozen=True)
class Fleet:
    """nodes: all of them; pid, port, token: of the gateway."""

    nodes: list[Device]
    pid: int
    port: int
    token: str


@row("gateway", f"p99 of {RATE_HZ} commands/s, {FAKES + BOARDS} nodes, REST", "straight to the nodes", "ms", P99, 3)
def gateway() -> Generator[Sample, None, None]:
    with _fleet() as fleet:
        while True:
            yield asyncio.run(_through(fleet)), asyncio.run(_straight(fleet))


@row("gateway-memory", f"memory with {FAKES + BOARDS} sessions, after commands", "without nodes", "B", MEMORY, rounds=1)
def gateway_memory() -> Generator[Sample, None, None]:
    with _fleet() as fleet, _gateway([]) as alone:
        while True:
            asyncio.run(_through(fleet))
            yield _resident_bytes(fleet.pid), _resident_bytes(alone.pid)


@contextlib.contextmanager
def _fleet() -> Iterator[Fleet]:
    with contextlib.ExitStack() as stack:
        nodes = stack.enter_context(_fakes())
        for number in range(BOARDS):
            board = stack.enter_context(VirtualBoard(mpy=True, config={"ntphost": "n/a", "devfid": f"real{number}"}))
            _, name, uid = board.shell("hello").strip().split(":")
            nodes.append(Device(uid, board.address, board.shell_port, name))
        yield stack.enter_context(_gateway(nodes))


@contextlib.contextmanager
def _fakes() -> Iterator[list[Device]]:
    with _process("-m", "tests.gateway.fakes", str(FAKES)) as process:
        rows = json.loads(process.stdout.readline())
        yield [Device(uid, *place) for uid, place in rows.items()]


@contextlib.contextmanager
def _gateway(nodes: list[Device]) -> Iterator[Fleet]:
    """Ready when every node has answered once."""
    with tempfile.TemporaryDirectory(prefix="micros-") as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        table = {node.uid: [node.address, node.port, node.name] for node in nodes}
        (Path(folder) / "nodes.json").write_text(json.dumps(table))
        with _process("-c", GATEWAY, folder, str(port)) as process:
            fleet = Fleet(nodes, process.pid, port, process.stdout.readline().strip())
            _await_up(fleet)
            yield fleet


@contextlib.contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _await_up(fleet: Fleet) -> None:
    deadline = time.monotonic() + READY_S
    asked = urllib.request.Request(f"http://127.0.0.1:{fleet.port}/api/v1/gateway",
                                   headers={"Authorization": f"Bearer {fleet.token}"})
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            if json.load(answer)["up"] == len(fleet.nodes):
                return
        time.sleep(0.1)
    raise TimeoutError(f"not all of {len(fleet.nodes)} nodes are up after {READY_S:.0f} s")


async def _through(fleet: Fleet) -> float:
    """p99 in ms, over REST."""
    hands = [await asyncio.open_connection("127.0.0.1", fleet.port) for _ in range(HANDS)]

    async def ask(hand: int, name: str) -> None:
        reader, writer = hands[hand]
        body = b'{"command": "demo count 7"}'
        writer.write(f"POST /api/v1/devices/{name}/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     f"Authorization: Bearer {fleet.token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        told = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise AssertionError(told.decode())

    try:
        return await _p99_ms([node.uid for node in fleet.nodes], ask)
    finally:
        for _, writer in hands:
            writer.close()


async def _straight(fleet: Fleet) -> float:
    """p99 in ms, over a session with each node that is asked."""
    sessions: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
    asked = {node.uid: node for node in fleet.nodes[:300]}
    for uid, node in asked.items():
        sessions[uid] = reader, _ = await asyncio.open_connection(node.address, node.port)
        await reader.readuntil(b" $ ")
    gates = {uid: asyncio.Lock() for uid in asked}

    async def ask(hand: int, uid: str) -> None:
        async with gates[uid]:
            reader, writer = sessions[uid]
            writer.write(b"demo count 7\n")
            await reader.readuntil(b" $ ")

    try:
        return await _p99_ms(list(asked), ask)
    finally:
        for _, writer in sessions.values():
            writer.close()


async def _p99_ms(names: list[str], ask: Ask) -> float:
    """Commands at their dates, whatever became of those before; from its date to its answer."""
    begun, count, took = time.perf_counter() + 0.1, int(RATE_HZ * SPAN_S), []
    turn = iter(range(count))

    async def hand(number: int) -> None:
        for at in turn:
            date = begun + at / RATE_HZ
            await asyncio.sleep(max(0.0, date - time.perf_counter()))
            await ask(number, random.choice(names))
            took.append(1000 * (time.perf_counter() - date))

    await asyncio.gather(*(hand(number) for number in range(HANDS)))
    return sorted(took)[int(0.99 * count)]


def _resident_bytes(pid: int) -> float:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024.0 * int(line.split()[1]) for line in rows if line.startswith("VmRSS:"))
