"""How much of the heap a node takes for itself: after boot, shell serving, no load module in memory."""
from collections.abc import Generator

from boards import node
from probe import PROBE, heap_after_boot, own_bytes
from row import Budget, Sample, row

OLD_BYTES = 105_984.0          # 1.20.5 on the same 64-bit VM, .py set; shared/VIRTUAL_BOARD.md, section 8
BUDGET = Budget(65_536, of_ratio=False)
SOURCES = Budget(81_920, of_ratio=False)     # micrOS/DESIGN.md: private names that only a set of sources carries


@row("heap-mpy", "heap after boot, .mpy set", "micrOS 1.20.5", "B", BUDGET, rounds=3)
def heap_mpy() -> Generator[Sample, None, None]:
    yield from _boots(mpy=True)


@row("heap-py", "heap after boot, .py set", "micrOS 1.20.5", "B", SOURCES, rounds=3)
def heap_py() -> Generator[Sample, None, None]:
    yield from _boots(mpy=False)


def _boots(mpy: bool) -> Generator[Sample, None, None]:
    with node(mpy, files={"boot.py": PROBE}) as board:
        while True:
            yield float(heap_after_boot(board).used - own_bytes()), OLD_BYTES
