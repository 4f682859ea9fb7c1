"""The Device Cloud agent: what it takes of a node's heap, and how many samples a second it brings to a cloud."""
import json
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from boards import node
from probe import PROBE, heap_after_boot
from row import Budget, Sample, row, side_by_side

from micrOS.source.cloud.facade import Client
from toolkit.simulator.api import VirtualBoard

sys.path.insert(0, str(Path(__file__).parents[3]))       # tests/ is no installed package
from tests.cloud.responder import TOKEN, Responder  # noqa: E402

MOST_BYTES = 176_000           # node and agent, connected; 64-bit, of which the table of names is 22 KB
SAMPLES = 500
WAIT_S = 20.0
FEED = '''
import asyncio
from LM_cloud import telemetry

async def feed(first, count):
    for at in range(first, first + count):
        telemetry("n", at)
        if at % 10 == 9:
            await asyncio.sleep_ms(5)
    return count
'''


def _config(cloud: Responder, **more: Any) -> dict[str, Any]:
    return {"cloud": {"host": "127.0.0.1", "port": cloud.port, "token": TOKEN}, "loop_time": 0.05, **more}


@row("heap-agent", "heap with the cloud's agent, connected, .mpy set", "the node without it", "B",
     Budget(MOST_BYTES, of_ratio=False), rounds=1)
def heap() -> Generator[Sample, None, None]:
    with Responder() as cloud:
        files = {"boot.py": PROBE, "micrOS-connect.cfg": json.dumps(_config(cloud))}
        with node(files={"boot.py": PROBE}) as plain, \
                VirtualBoard(mpy=True, files=files, config={"boothook": "cloud connect", "ntphost": "n/a"}) as board:
            while True:
                ours = float(heap_after_boot(board).used)
                assert "connected" in board.shell("cloud connect")
                yield ours, float(heap_after_boot(plain).used)


@row("cloud-telemetry", "telemetry by QoS 1, sample by sample", "the agent on CPython", "req/s",
     Budget(0.05, at_least=True), rounds=5)
def telemetry() -> Generator[Sample, None, None]:
    with Responder() as cloud, tempfile.TemporaryDirectory() as folder:
        Path(folder, "host-connect.cfg").write_text(json.dumps(_config(cloud)))
        client = Client("host", {"config_dir": folder})
        client.initialize()
        client.connect(WAIT_S)
        files = {"micrOS-connect.cfg": json.dumps(_config(cloud)), "modules/LM_feed.py": FEED}
        try:
            with VirtualBoard(mpy=True, files=files, config={"ntphost": "n/a"}) as board:
                board.shell("cloud connect")
                yield from side_by_side(_rate(cloud, lambda first: board.shell(f"feed feed {first} {SAMPLES}")),
                                        _rate(cloud, lambda first: _said(client, first)))
        finally:
            client.disconnect()


def _said(client: Any, first: int) -> None:
    for at in range(first, first + SAMPLES):
        client.telemetry_publish("n", at)


def _rate(cloud: Responder, tell: Callable[[int], object]) -> Callable[[], float]:
    """Function that gives samples a second, from the first call to the last sample's arrival."""
    def rate() -> float:
        cloud.requests.clear()
        started = time.perf_counter()
        tell(0)
        while len(cloud.samples()) < SAMPLES:
            if time.perf_counter() - started > WAIT_S:
                raise TimeoutError(f"{len(cloud.samples())} of {SAMPLES} samples came in {WAIT_S} s")
            time.sleep(0.002)
        return SAMPLES / (time.perf_counter() - started)
    return rate
