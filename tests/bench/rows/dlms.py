"""What it takes to read a DLMS meter: one value ciphered and proven against one in the clear, and the memory for it."""
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from row import Budget, Sample, row, side_by_side

from toolkit.simulator.api import VirtualBoard
from toolkit.simulator.models.dlms_meter import DlmsMeter, Security
from toolkit.simulator.models.dlms_meter_lines import TcpMeter, WrapperLine
from toolkit.simulator.models.dlms_meter_objects import House, house_objects

KEYS = (bytes(range(16)), bytes(range(0xD0, 0xE0)))
PLAIN, CIPHERED = "auth=none cipher=False", "auth=gmac cipher=True"
ROWS = 3000
PROBE = """
import gc

def used():
    gc.collect()
    return gc.mem_alloc()
"""


@row("dlms-ciphered", "read 1 value, GMAC and ciphered", "the same in the clear", "ms", Budget(4.0), rounds=31)
def ciphered() -> Generator[Sample, None, None]:
    with _nodes() as (node, other):
        yield from side_by_side(lambda: _ms(node, "meter read 1.0.1.8.0"), lambda: _ms(other, "meter read 1.0.1.8.0"))


@row("dlms-heap", "heap that ciphered reading leaves", "reading in the clear", "B",
     Budget(2.0), rounds=3)
def heap() -> Generator[Sample, None, None]:
    while True:
        with _nodes() as (node, other):
            yield _left(node), _left(other)


@row("dlms-profile", "3,000 rows of a profile, ciphered", "the same in the clear", "ms", Budget(4.0), rounds=5)
def profile() -> Generator[Sample, None, None]:
    with _nodes() as (node, other):
        yield from side_by_side(lambda: _ms(node, "meter profile"), lambda: _ms(other, "meter profile"))


@contextmanager
def _nodes() -> Iterator[tuple[VirtualBoard, VirtualBoard]]:
    """One that ciphers, one that does not, both with a meter that takes either."""
    device = DlmsMeter(house_objects(House(), ROWS), Security(keys=KEYS))
    files = {"LM_probe.py": PROBE}
    with (TcpMeter(lambda say: WrapperLine(device, say)) as meter, VirtualBoard(mpy=True, files=files) as one,
          VirtualBoard(mpy=True, files=files, name="node02") as two):
        for node, words, title in ((one, CIPHERED, "4d4d4d0000bc614e"), (two, PLAIN, "4d4d4d0000bc614f")):
            node.shell(f"meter dlms host=127.0.0.1 port={meter.port} line=wrapper {words}",
                       f'meter secret ek="{KEYS[0].hex()}" ak="{KEYS[1].hex()}" title="{title}"')
        yield one, two


def _ms(node: VirtualBoard, line: str) -> float:
    begun = time.perf_counter()
    answer = node.shell(line)
    if "exec_lm_core" in answer:
        raise ConnectionError(answer.split("\n")[-1])
    return 1000 * (time.perf_counter() - begun)


def _left(node: VirtualBoard) -> float:
    """Bytes more than before the first question."""
    node.shell("probe used")
    before = int(node.shell("probe used"))
    node.shell("meter read 1.0.1.8.0", "probe used")
    return int(node.shell("probe used")) - before
