"""A process that the gateway has begun ends with what it was begun for."""
import asyncio

import pytest

from toolkit.gateway.events import Events
from toolkit.gateway.job_work import _updated
from toolkit.gateway.runs import Runs
from toolkit.inventory import Device


class Silent:
    """A node that says nothing; `left` is set when who came has gone."""

    async def start(self):
        self.came, self.left = asyncio.Event(), asyncio.Event()
        self.server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        return Device("micr00OS", "127.0.0.1", self.server.sockets[0].getsockname()[1], "silent")

    async def _client(self, reader, writer):
        self.came.set()
        while await reader.read(100):
            pass
        writer.close()
        self.left.set()


async def update_of_a_job(device):
    await _updated(device, {})


async def run_of_a_page(device):
    runs = Runs(Events())
    try:
        run = runs.begin("update", ["--OTA", "--dev", device.where])
        while run.state == "running":
            await asyncio.sleep(0.01)
    finally:
        await runs.stop()


@pytest.mark.parametrize("work", (update_of_a_job, run_of_a_page))
def test_who_is_cancelled_leaves_no_process(work):
    async def use():
        node = Silent()
        device = await node.start()
        async with asyncio.timeout(30):
            task = asyncio.create_task(work(device))
            await node.came.wait()
            for each in asyncio.all_tasks() - {asyncio.current_task()}:
                if "_client" not in str(each):
                    each.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await node.left.wait()
        node.server.close()

    asyncio.run(use())
