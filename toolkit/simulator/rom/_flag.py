"""asyncio.ThreadSafeFlag with a file descriptor: set by an interrupt, it ends the loop's sleep at once.

As it is the unix port looks at each flag every millisecond, which real boards need not. All flags share one pipe,
fd 7 to 8: who waits wakes with any of them, empties it, and sleeps on unless it was his own. _vboard.py loads this with
an interrupt handler; a task that waited for a flag before is still looked at each millisecond, until it is set once.
"""
# ruff: noqa: SIM115 - files open for good
from asyncio import core
from asyncio.event import ThreadSafeFlag

_POLL, _FILENO = 3, 10         # requests of py/stream.h
_rung = open(7, "rb")
_bell = open(8, "wb")


def _ioctl(self, request, argument):
    if request == _FILENO:
        return 7
    return self.state * argument if request == _POLL else -1


def _set(self):
    self.state = 1
    _bell.write(b"!")          # does not block: a full pipe rings anyway


async def _wait(self):
    while not self.state:
        yield core._io_queue.queue_read(self)
        _rung.read(64)
    self.state = 0


ThreadSafeFlag.ioctl, ThreadSafeFlag.set, ThreadSafeFlag.wait = _ioctl, _set, _wait
