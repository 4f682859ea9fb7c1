"""How long a press on irq1 takes to its lamp, as the host sees both: interrupt, task, parsed command, module, pin."""
import time
from collections.abc import Generator

from boards import bare
from row import Budget, Sample, row

from toolkit.simulator.api import VirtualBoard

LAMP = 5
BUDGET = Budget(10.0, of_ratio=False)       # the eye sees a lamp follow the finger up to some 20 ms
REST_S = 0.03                               # the contact is at rest before the next press (irq_prell_ms is 10 here)

# the plainest program: the interrupt sets the pin itself
PLAIN = """
import asyncio
from machine import Pin

lamp = Pin(5, Pin.OUT)
Pin(4, Pin.IN, Pin.PULL_DOWN).irq(lambda pin: lamp.value(1 - lamp.value()), Pin.IRQ_RISING)

async def main():
    async def client(reader, writer):
        writer.write(b"$ ")
        await writer.drain()
        writer.close()
    await asyncio.start_server(client, "0.0.0.0", 9008)
    while True:
        await asyncio.sleep(5)

asyncio.run(main())
"""


@row("press", "press on irq1 to its lamp", "an irq handler that sets the pin", "ms", BUDGET, rounds=41)
def press() -> Generator[Sample, None, None]:
    settings = {"irq1": True, "irq1_cbf": "genIO set_out 5", "irq_prell_ms": 10, "ntphost": "n/a"}
    with VirtualBoard(mpy=True, config=settings) as node, bare(PLAIN) as plain:
        _lit_after_ms(node)                 # loads the module
        while True:
            yield _lit_after_ms(node), _lit_after_ms(plain)


def _lit_after_ms(board: VirtualBoard) -> float:
    with board.watch() as changes:
        begun = time.perf_counter()
        board.pins[4] = 1
        changes.until(change="pin", pin=LAMP)
        lit = time.perf_counter()
    board.pins[4] = 0
    time.sleep(REST_S)
    return 1000 * (lit - begun)
