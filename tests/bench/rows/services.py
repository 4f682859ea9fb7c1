"""What the bus, each Helios service and QFrame take of the heap, beside a node that has none of them."""
from collections.abc import Generator

from boards import node
from probe import PROBE, heap_after_boot
from row import Budget, Sample, row

from toolkit.simulator.api import VirtualBoard

SERVICE = """
from usr.bin.{0}_service import {1}
{1}().start()
"""
PROGRAMS = {                   # name: (program, most bytes more than the plain node)
    "bus": ("import sys_bus\nsys_bus.subscribe('x', print)\n", 28_000),
    "pins": ("from usr.bin.third_party import ql_interrupter\n", 36_000),
    "log": (SERVICE.format("log", "LogService"), 52_000),
    "net": (SERVICE.format("net", "NetService"), 60_000),
    "exception": (SERVICE.format("exception", "ExceptionService"), 48_000),
    "pm": (SERVICE.format("pm", "PMService"), 52_000),
    "cloud": ("from usr.bin.cloud_service import CloudService\nCloudService('u', 'm', 'p')\n", 60_000),
    "media": (SERVICE.format("media", "MediaService"), 52_000),
    "helios": ("from usr.bin.guard import GuardContext\nGuardContext().refresh()\n", 116_000),
    "qframe": ("from usr.qframe import Application\nfrom usr.qframe.builtins import TcpClient, Uart\n"
               "app = Application()\n", 88_000),
}


def _row(name: str) -> None:
    program, most = PROGRAMS[name]

    budget = Budget(92_000 + most, of_ratio=False)

    @row(f"heap-{name}", f"heap with {name}, .mpy set", "the node without it", "B", budget, rounds=1)
    def heap() -> Generator[Sample, None, None]:
        files = {"boot.py": PROBE, "usr/program.py": program}
        with node(files={"boot.py": PROBE}) as plain, \
                VirtualBoard(mpy=True, files=files, config={"boothook": "quec run program", "socmax": 32}) as board:
            while True:
                yield float(heap_after_boot(board).used), float(heap_after_boot(plain).used)


for _name in PROGRAMS:
    _row(_name)
