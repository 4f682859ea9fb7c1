"""Nodes go on telling while their broker dies again and again: nothing is lost, nothing comes out of order.

CLOUD_SOAK="20 600 20": nodes, seconds, seconds between two deaths of the broker; the long form of `make soak`.
"""
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cloud.conftest import APP, BoardThing, settings
from tests.cloud.responder import Responder, eventually

pytestmark = pytest.mark.slow
NODES, LENGTH_S, DEATH_S = map(float, os.environ.get("CLOUD_SOAK", "3 30 10").split())
EVERY_S = 0.05
DEAD_S = 0.5
GROWTH_BYTES = 12_000          # of a heap of 256 KB: the queues of the MQTT session and of the store breathe


def told(cloud: Responder, thing: str) -> list[tuple[str, int]]:
    """[(time, value)] of a node, as they came, twins too."""
    found = []
    for name, _, command, params in list(cloud.requests):
        if name == thing and command == "property.batch":
            found += [(item["ts"], item["value"]) for item in params["data"]]
    return found


@pytest.mark.timeout(LENGTH_S + 180)
def test_every_sample_arrives_in_order_though_the_broker_dies(tmp_path):
    count = int(LENGTH_S / EVERY_S)
    with Responder() as cloud, ThreadPoolExecutor(4) as pool:
        def node(number: int) -> BoardThing:
            folder = tmp_path / str(number)
            folder.mkdir()
            made = BoardThing(folder, settings(cloud))
            (made.folder / "device_id").write_text(f"node-{number}")
            return made

        nodes: list[Any] = list(pool.map(node, range(int(NODES))))
        try:
            assert list(pool.map(BoardThing.begin, nodes)) == [0] * len(nodes)
            for thing in nodes:
                thing.call("pour", count, EVERY_S)
            heaps = _deaths(cloud, nodes)
            for number, thing in enumerate(nodes):
                name = f"node-{number}-{APP}"
                eventually(lambda name=name: len({value for _, value in told(cloud, name)}) == count, 90.0)
                # a twin has the time of its sibling, whatever else it carries
                values = [value for _, value in dict(told(cloud, name)).items()]
                assert values == sorted(values) == list(range(count)), thing.board.console()
            growth = [thing.call("heap") - before for thing, before in zip(nodes, heaps, strict=True)]
            assert max(growth) < GROWTH_BYTES, growth
        finally:
            for thing in nodes:
                thing.stop()


def _deaths(cloud: Responder, nodes: list[Any]) -> list[int]:
    """Heaps of the nodes after the first death of the broker."""
    heaps: list[int] = []
    end = time.monotonic() + LENGTH_S
    while time.monotonic() < end:
        time.sleep(DEATH_S - DEAD_S)
        cloud.end()
        time.sleep(DEAD_S)
        cloud.begin()
        cloud.wait_connected(len(nodes))
        heaps = heaps or [thing.call("heap") for thing in nodes]
    return heaps
