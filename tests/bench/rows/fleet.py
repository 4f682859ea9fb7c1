"""What a fleet job costs beside its nodes: time and memory of the engine and the gateway.

In two rows the nodes do nothing at all; in the third they are sockets that speak the shell and keep ids of jobs.
"""
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from row import Budget, Sample, row

from tests.gateway.fleet_fakes import FakeFleet
from toolkit.gateway.engine import Engine
from toolkit.gateway.events import Events
from toolkit.gateway.job_ledger import BEATS, JOBS, Outcome, Spec, Target
from toolkit.gateway.job_rules import Rules
from toolkit.gateway.job_work import Work
from toolkit.gateway.jobs import Crew, Execute
from toolkit.gateway.nats_server import EmbeddedServer
from toolkit.gateway.nodes import Node, Nodes
from toolkit.gateway.settings import Settings
from toolkit.inventory import Inventory

NODES = 1000
AT_A_TIME = 20
BARE = [Target(f"uid{number}", f"node{number}", "127.0.0.1", 9008) for number in range(NODES)]
FAKES = 200
COMMANDS_PER_S = Budget(60.0, at_least=True, of_ratio=False)
NODES_PER_S = Budget(300.0, at_least=True, of_ratio=False)
MEMORY = Budget(150e6, of_ratio=False)
ROOT = Path(__file__).parents[3]
MEASURE = "import sys; sys.path[:0] = sys.argv[1:]; from rows import fleet; fleet.print_memory()"


@row("fleet_job", "nodes a second of a job, 20 at a time", "two acknowledged writes a node, 20 at a time", "req/s",
     NODES_PER_S, rounds=5)
def fleet_job() -> Generator[Sample, None, None]:
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        engine = runner.run(_engine(folder))
        try:
            number = 0
            while True:
                number += 1
                yield (NODES / runner.run(_timed(_job(engine, f"job-{number}"))),
                       NODES / runner.run(_timed(_writes(engine))))
        finally:
            runner.run(engine.stop())


@row("fleet_command", "nodes a second that run a command as a job, 20 at a time", "the same lines without a job",
     "req/s", COMMANDS_PER_S, rounds=5)
def fleet_command() -> Generator[Sample, None, None]:
    with FakeFleet(FAKES) as fakes, asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        engine, nodes = runner.run(_engine(folder)), runner.run(_nodes(folder, fakes))
        targets = [Target(node.uid, node.name, node.device.address, node.device.port) for node in nodes.all()]
        try:
            number = 0
            while True:
                number += 1
                job = _job(engine, f"job-{number}", Work(nodes, Events()).execute, targets)
                yield FAKES / runner.run(_timed(job)), FAKES / runner.run(_timed(_lines(nodes, f"bare-{number}")))
        finally:
            runner.run(nodes.stop())
            runner.run(engine.stop())


@row("fleet_memory", "gateway and engine after a job of 1,000 nodes", "the same before it", "B", MEMORY, rounds=2)
def fleet_memory() -> Generator[Sample, None, None]:
    while True:
        done = subprocess.run([sys.executable, "-c", MEASURE, str(ROOT), str(ROOT / "tests/bench")],
                              capture_output=True, text=True, check=True, timeout=60)
        before, after = json.loads(done.stdout)
        yield after, before


def print_memory() -> None:
    """[bytes before, bytes after], resident, of this process and its server."""
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        engine = runner.run(_engine(folder))
        before = _resident(engine)
        runner.run(_job(engine, "job-1"))
        sys.stdout.write(json.dumps([before, _resident(engine)]))
        runner.run(engine.stop())


def _resident(engine: Engine) -> int:
    assert engine._embedded and engine._embedded._process
    return sum(_resident_of(pid) for pid in ("self", engine._embedded._process.pid))


def _resident_of(pid: int | str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


async def _engine(folder: str) -> Engine:
    engine = Engine(None, EmbeddedServer(Path(folder, "engine")))
    engine.declare(JOBS, BEATS)
    await engine.start()
    return engine


async def _timed(work) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def _nothing(target: Target, spec: Spec, claim: object) -> Outcome:
    return Outcome("ok", "did it")


async def _nodes(folder: str, fakes: FakeFleet) -> Nodes:
    """Of these alone, each with its session open."""
    settings = Settings(folder=Path(folder), discover=False, rate_hz=1000.0)
    nodes = Nodes(settings, Events(), Inventory(Path(folder, "devices.json")))
    nodes.keep(fakes.devices)
    await asyncio.gather(*(node.ask("version") for node in nodes.all()))
    return nodes


async def _lines(nodes: Nodes, ident: str) -> None:
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(node: Node) -> None:
        async with gate:
            await node.ask(f"job {ident} tally hit")

    await asyncio.gather(*map(one, nodes.all()))


async def _job(engine: Engine, ident: str, execute: Execute = _nothing, targets: Sequence[Target] = BARE) -> None:
    crew = Crew(engine, execute)
    crew.start()
    await crew.create(Spec(ident, "command", {"command": "tally hit"}, targets), Rules(concurrency=AT_A_TIME))
    while not (await crew.ledger.job(ident))[0].is_final:
        await asyncio.sleep(0.01)
    await crew.stop()


async def _writes(engine: Engine) -> None:
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(number: int) -> None:
        async with gate:
            for name in "ab":
                await engine.put(JOBS, f"bench.{number}.{name}", b"x" * 100)

    await asyncio.gather(*map(one, range(NODES)))
