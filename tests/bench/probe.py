"""Reads the heap of a node that serves, from inside and without a visitor."""
import functools
import re
import time
from typing import NamedTuple

from toolkit.simulator.address import is_listening
from toolkit.simulator.api import VirtualBoard

WAIT_S = 5.0
POLL_S = 0.01
TABLE = r"qstr pool: n_pool=\d+, n_qstr=(\d+), n_str_data_bytes=\d+, n_total_bytes=(\d+)"     # micropython.qstr_info()
READING = re.compile(r"^heap (\d+) (\S+)\r?\n" + TABLE, re.MULTILINE)

# As boot.py of a node. Three ways were compared on the .mpy set of one day (bytes):
#   88,128  this task: the node is up, nobody is connected, the reading is the same every time
#   86,144  board.run(): Ctrl-C has ended the node by then, and 87,616 on the next boot: it depends on where it struck
#   92,224  LM_probe over the shell: a session (2.1 KB) and a load module more than the row says
# So the task. What it takes itself is found on a board with nothing else, and taken off.
# deep() writes over what earlier calls left on the stack: the collector takes stale pointers there for real ones, and
# by chance a file that was forgotten would still be counted, until the next client comes.
PROBE = """
import asyncio, gc, micropython, sys

def deep(n):
    return n and deep(n - 1)

async def probe():
    while True:
        await asyncio.sleep_ms(20)
        deep(8)
        gc.collect()
        used = gc.mem_alloc()
        print("heap", used, ",".join(sys.modules))
        micropython.qstr_info()

asyncio.create_task(probe())
"""


# As main.py of a board with nothing else.
ALONE = """
import asyncio, gc, micropython, sys

async def main():
    await asyncio.sleep_ms(50)
    gc.collect()
    print("alone", gc.mem_alloc())
    micropython.qstr_info()

asyncio.run(main())
"""
ALONE_SAYS = re.compile(r"^alone (\d+)\r?\n" + TABLE, re.MULTILINE)


class Heap(NamedTuple):
    """used: bytes, of which table_bytes hold the names (qstrs) that were interned; modules: those in memory."""

    used: int
    modules: list[str]
    names: int
    table_bytes: int


def heap_after_boot(board: VirtualBoard) -> Heap:
    """Reset a node that has PROBE as its boot.py, and read its heap when it listens."""
    board.reset()
    deadline = time.monotonic() + WAIT_S
    while not is_listening(board.address, board.shell_port):
        _nap(deadline)
    # one reading may have been taken before it listened, and the boot's garbage needs another to be gone
    seen = len(_readings(board))
    while len(_readings(board)) < seen + 2:
        _nap(deadline)
    return _readings(board)[-1]


@functools.cache
def own_bytes() -> int:
    """What the probe takes for itself, but for its names."""
    with_it, without = (_alone(files) for files in ({"boot.py": PROBE}, {}))
    return with_it - without


def _alone(files: dict[str, str]) -> int:
    with VirtualBoard(main=ALONE, files=files) as board:
        deadline = time.monotonic() + WAIT_S
        while not (said := ALONE_SAYS.search(board.console())):
            _nap(deadline)
    return int(said[1]) - int(said[3])


def _readings(board: VirtualBoard) -> list[Heap]:
    """Those since the last reset: the ROM's banner begins each boot."""
    told = READING.findall(board.console().rpartition("rst:0x")[2])
    return [Heap(int(used), modules.split(","), int(names), int(size)) for used, modules, names, size in told]


def _nap(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"the node did not listen, or its probe said nothing, in {WAIT_S} s")
    time.sleep(POLL_S)
