"""Host agents go on telling while their broker dies again and again: nothing lost, in order, no memory grows.

CLOUD_SOAK="20 600 20": agents, seconds, seconds between two deaths of the broker; the long form of `make soak`.
"""
import gc
import os
import threading
import time
import tracemalloc

import pytest

from tests.cloud.hosting import connected
from tests.cloud.responder import Responder, eventually
from tests.cloud.test_soak import told

pytestmark = pytest.mark.slow
AGENTS, LENGTH_S, DEATH_S = map(float, os.environ.get("CLOUD_SOAK", "4 30 10").split())
EVERY_S, DEAD_S = 0.05, 0.3
GROWTH_BYTES = 100_000         # of all agents together, of what the agent's own files hold


def held():
    """Bytes that the files of the agent hold."""
    gc.collect()
    traces = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/micrOS/source/cloud/*")])
    return sum(row.size for row in traces.statistics("filename"))


@pytest.mark.timeout(LENGTH_S + 180)
def test_every_sample_of_a_host_arrives_in_order_though_the_broker_dies(tmp_path):
    count = int(LENGTH_S / EVERY_S)
    clients, stacks, heaps = [], [], []

    def pour(client):
        for at in range(count):
            client.telemetry_publish("p", at)
            time.sleep(EVERY_S)

    tracemalloc.start()
    with Responder() as cloud:
        try:
            for number in range(int(AGENTS)):
                stacks.append(connected(tmp_path, cloud, f"n{number}", loop_time=0.2))
                clients.append(stacks[-1].__enter__())
            threads = [threading.Thread(target=pour, args=(client,)) for client in clients]
            for thread in threads:
                thread.start()
            end = time.monotonic() + LENGTH_S
            while time.monotonic() < end:
                time.sleep(DEATH_S - DEAD_S)
                cloud.end()
                time.sleep(DEAD_S)
                cloud.begin()
                cloud.wait_connected(len(clients))
                heaps.append(held())
            for thread in threads:
                thread.join()
            for client in clients:
                name = client.agent.thing
                eventually(lambda name=name: len({value for _, value in told(cloud, name)}) == count, 60.0)
                # a twin has the time of its sibling
                values = list(dict(told(cloud, name)).values())
                assert values == sorted(values) == list(range(count))
                eventually(lambda client=client: not client.agent.is_busy())
            assert held() - heaps[0] < GROWTH_BYTES, heaps
            assert {client.agent.store.dropped for client in clients} == {0}
        finally:
            tracemalloc.stop()
            for stack in stacks:
                stack.__exit__(None, None, None)
