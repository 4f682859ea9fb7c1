"""Nodes as far as a fleet job sees them: they count what they ran, and may keep ids; NATS clusters; gateways."""
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.toolkit.foreign import free_port
from toolkit.gateway.access import Access
from toolkit.gateway.nats_server import Limits, _binary, config_text
from toolkit.inventory import Device, Inventory

ROOT = Path(__file__).parents[2]
GATEWAY = """
import sys
from dataclasses import dataclass
from pathlib import Path

from toolkit.gateway import app, server
from toolkit.gateway.settings import Settings

@dataclass(frozen=True)
class Quick(Settings):
    lease_s: float = 2.0

folder, port, engine = sys.argv[1:]
settings = Quick(port=int(port), folder=Path(folder), engine=engine or None, discover=False, connect_s=5.0)
server.serve(app.build(settings, parts=("api", "engine", "jobs")), settings)
"""


@dataclass
class CountingNode:
    """ours: it keeps ids of jobs, as nodes from 2.0 do. hits: how often the command was run"""

    number: int
    ours: bool = True
    delay_s: tuple[float, float] = (0.0, 0.0)
    port: int = 0
    hits: int = 0
    jobs: dict[str, str | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"fake{self.number:04}"

    @property
    def device(self) -> Device:
        return Device(f"micrfa{self.number:06x}OS", "127.0.0.1", self.port, self.name)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        prompt = f"{self.name} $ ".encode()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            writer.write(prompt)
            while line := await reader.readline():
                writer.write((await self.answer(line.decode().strip())).encode() + b"\n" + prompt)
                await writer.drain()
        writer.close()

    async def answer(self, line: str) -> str:
        word, _, rest = line.partition(" ")
        if word == "hello":
            return f"hello:{self.name}:{self.device.uid}"
        if word == "version":
            return "2.1.0-0" if self.ours else "1.20.7-0"
        if word == "job" and self.ours:
            return await self.job(*rest.split(" ", 1))
        return await self.run(line)

    async def job(self, ident: str, line: str) -> str:
        if ident in self.jobs:
            known = self.jobs[ident]
            return f"job {ident}: running" if known is None else f"job {ident}: known\n{known}"
        self.jobs[ident] = None
        self.jobs[ident] = text = await self.run(line)
        return f"job {ident}: new\n{text}"

    async def run(self, line: str) -> str:
        """It goes on when its client is gone, as on a board."""
        return await asyncio.shield(asyncio.ensure_future(self._run(line)))

    async def _run(self, line: str) -> str:
        if line not in ("tally hit", "tally burst"):
            return "SHELL: no such command"
        self.hits += 1
        await asyncio.sleep(random.uniform(*self.delay_s))
        return str(self.hits) if line == "tally hit" else "Failed: it burst after it had acted"


class FakeFleet:
    """Nodes in a thread of their own; `with` it."""

    def __init__(self, count: int, delay_s: tuple[float, float] = (0.0, 0.0), old: int = 0) -> None:
        """old: how many of them are of 1.20"""
        self.nodes = [CountingNode(number, number >= old, delay_s) for number in range(count)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def devices(self) -> list[Device]:
        return [node.device for node in self.nodes]

    def __enter__(self) -> FakeFleet:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        self._servers = []
        for node in self.nodes:
            self._servers.append(await asyncio.start_server(node.serve, "127.0.0.1", 0))
            node.port = self._servers[-1].sockets[0].getsockname()[1]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class Process:
    """One that may be killed and started again."""

    def __init__(self, name: str, words: list[str], log: Path, **environment: str) -> None:
        self.name = name
        self._words = words
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                                             env=self._environment)

    def kill(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""


def cluster(folder: Path, count: int = 3, limits: Limits | None = None) -> tuple[str, list[Process]]:
    """(addresses for --engine, the servers), not started."""
    ports, routes = [free_port() for _ in range(count)], [free_port() for _ in range(count)]
    peers = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
    servers = []
    for number in range(count):
        text = config_text(f"127.0.0.1:{ports[number]}", folder / f"store{number}", [], limits or Limits())
        text = text.replace("server_name: micros", f"server_name: nats{number}")
        text = text.replace("authorization { users: [\n] }", "")
        if count > 1:
            text += f"cluster {{ name: micros, listen: 127.0.0.1:{routes[number]}, routes: [{peers}] }}\n"
        config = folder / f"nats{number}.conf"
        config.write_text(text)
        servers.append(Process(f"nats{number}", [_binary(), "-c", str(config)], folder / f"nats{number}.log"))
    return ",".join(f"nats://127.0.0.1:{port}" for port in ports), servers


class GatewayProcess(Process):
    """A whole gateway with these devices in its inventory."""

    def __init__(self, folder: Path, devices: list[Device], engine: str = "") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        data = folder / "data"
        Inventory(data / "device_conn_cache.json").keep(*devices)
        self.tokens = {role: Access(folder).make(role) for role in ("view", "operate", "admin")}
        super().__init__(folder.name, [sys.executable, "-c", GATEWAY, str(folder), str(self.port), engine],
                         folder / "log.txt", MICROS_DATA=str(data))

    def client(self, role: str = "admin") -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.tokens[role]}"}, timeout=30)

    def wait(self, timeout_s: float = 30) -> None:
        """Until it answers."""
        self.ask("GET", "/api/v1/devices", timeout_s=timeout_s)

    def ask(self, verb: str, path: str, timeout_s: float = 60, role: str = "admin", **options: Any) -> httpx.Response:
        """An answer that is none of 5xx: who speaks to a gateway that may be down asks again."""
        end_s, last = time.monotonic() + timeout_s, "nothing"
        while time.monotonic() < end_s:
            with contextlib.suppress(httpx.TransportError), self.client(role) as client:
                answer = client.request(verb, path, **options)
                if answer.status_code < 500:
                    return answer
                last = answer.text
            time.sleep(0.05)
        raise AssertionError(f"{self.name} {path}: {last}; it said {self.said}")


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in reversed(processes):
            process.stop()


def parsed(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return json.loads(answer.text)
