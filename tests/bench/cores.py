"""Keeps the scheduler out of a comparison: client and VMs stay on the cores they are given.

Two processes that take turns made 35,000 round trips/s on one core and 13,000 across two, and a process that
was put on one of the two places stayed there for the whole run: such a ratio told of the place, not of the code.
"""
import contextlib
import os
from collections.abc import Iterator

from toolkit.simulator.api import VirtualBoard


@contextlib.contextmanager
def placed(boards: tuple[VirtualBoard, ...], share: bool) -> Iterator[None]:
    """The VMs of the boards on one core, this process on the same (share) or on another one; as before afterwards.

    Does nothing where the system cannot do it (macOS). A VM that is started later is not placed.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        for board in boards:
            os.sched_setaffinity(board.info()["pid"], {max(before)})
        os.sched_setaffinity(0, {max(before) if share else min(before)})
        yield
    finally:
        os.sched_setaffinity(0, before)
