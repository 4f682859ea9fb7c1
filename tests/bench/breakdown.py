"""Where the heap of a node goes: what importing each file costs, and what stays of those that are dropped again."""
import ast
import re
import time
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from boards import node
from probe import PROBE, TABLE, Heap, heap_after_boot

from toolkit.compile import shipped_source
from toolkit.simulator.api import VirtualBoard

WAIT_S = 10.0
NOT_CORE = ("main", "reset")         # what they do, they do at once
COST = re.compile(r"^cost (\S+) (\d+) (\d+)\r?\n" + TABLE, re.MULTILINE)

# Each line: bytes in use with the module and after it was dropped (the same when it stays), then the table of names
PROGRAM = """
import gc, micropython, sys
sys.path.extend(("/modules", "/boards"))

def used():
    gc.collect()
    return gc.mem_alloc()

def drop(names):
    for name in names:
        if name in sys.modules:
            package, _, leaf = name.rpartition(".")
            del sys.modules[name]
            if package:
                delattr(sys.modules[package], leaf)

def tell(name, loaded, left):
    print("cost", name, loaded, left)
    micropython.qstr_info()

tell("VM", used(), used())
for name in {kept!r}:
    __import__(name)
    tell(name, used(), used())
for name in {dropped!r}:
    __import__(name)
    loaded = used()
    drop({dropped!r})
    tell(name, loaded, used())
print("costs told")
"""


@dataclass(frozen=True)
class Cost:
    """What one module takes; VM: what was there before the first.

    own      bytes but for the table of names, which grows by doubling at whoever comes last
    names    that nobody had interned before; they are never given back
    stays    bytes of own that are left when it is dropped; for one that is kept, all
    """

    name: str
    own: int
    names: int
    stays: int
    is_kept: bool


@dataclass(frozen=True)
class Breakdown:
    heap: Heap
    costs: list[Cost]

    @property
    def by_boot(self) -> int:
        """Bytes that nobody's import explains: settings, tasks, sockets, buffers."""
        return self.heap.used - self.heap.table_bytes - sum(cost.own for cost in self.costs if cost.is_kept)


def breakdown() -> Breakdown:
    """Of a node with the .mpy set, after boot: every core file, and what they are built on."""
    with node(files={"boot.py": PROBE}) as board:
        heap = heap_after_boot(board)
    core = _by_floor(_core_files(shipped_source()))
    below = sorted(set(heap.modules) - set(core) - {"sys"})
    kept = below + [name for name in core if name in heap.modules]
    dropped = [name for name in core if name not in heap.modules]
    told = _told(PROGRAM.format(kept=tuple(kept), dropped=tuple(dropped)))
    return Breakdown(heap, _costs(told, set(dropped)))


def _costs(told: list[tuple[str, ...]], dropped: set[str]) -> list[Cost]:
    """From what was in use at each step to what each step added."""
    costs, left_before, names_before, table_before = [], 0, 0, 0
    for name, *figures in told:
        loaded, left, names, table = map(int, figures)
        grown = table - table_before
        costs.append(Cost(name, loaded - left_before - grown, names - names_before, left - left_before - grown,
                          name not in dropped))
        left_before, names_before, table_before = left, names, table
    return costs


def _told(program: str) -> list[tuple[str, ...]]:
    with VirtualBoard(main=program, source=shipped_source(), mpy=True) as board:
        deadline = time.monotonic() + WAIT_S
        while "costs told" not in board.console():
            if time.monotonic() > deadline or board.info()["state"] == "repl":
                raise RuntimeError(f"a core file cannot be imported by itself: {board.console()[-2000:]}")
            time.sleep(0.02)
        return COST.findall(board.console())


def _core_files(source: Path) -> dict[str, Path]:
    """Name on the board -> file: the root's and `pure`; the other folders are load modules and what belongs to them."""
    found = [*sorted(source.glob("*.py")), *sorted((source / "pure").glob("*.py"))]
    paths = {path.relative_to(source).with_suffix(""): path for path in found}
    return {".".join(path.parts): file for path, file in paths.items() if path.parts[0] not in NOT_CORE}


def _by_floor(files: dict[str, Path]) -> list[str]:
    """Each after what it imports at its head, so that the cost of a file is its own."""
    return list(TopologicalSorter({name: _heads(file) & files.keys() for name, file in files.items()}).static_order())


def _heads(file: Path) -> set[str]:
    found = set()
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            found |= {statement.module} | {f"{statement.module}.{alias.name}" for alias in statement.names}
    return found
