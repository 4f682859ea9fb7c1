"""Where a user sits: a pty that any terminal program opens, and the cable that can be pulled out of it."""
import contextlib
import os
import pty
import selectors
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

PENDING_BYTES = 256 * 1024     # printed faster than the user reads
PTY_BYTES = 4096
STALLED_S = 1.0                # a pty that takes nothing for so long has no reader
RETRY_S = 0.002

Watch = Callable[[Any, Callable[[], object], int], None]       # (what, call when ready, selectors' mask; 0: no longer)


class Port(Protocol):
    """One end of the line that a user can take. has_lines: DTR and RTS work there."""

    has_lines: bool

    def open(self) -> None: ...
    def close(self) -> None: ...
    def send(self, data: bytes) -> None: ...
    def flush(self) -> None: ...
    def next_flush_s(self) -> float | None: ...


Typed = Callable[[Port, bytes], None]


class PtyPort:
    """A pty; `link` leads to it while it is open. Nobody reading never blocks the board.

    Who has it open when it closes sees what a pulled USB plug is: end of file, then EIO.
    """

    has_lines = False

    def __init__(self, link: Path, watch: Watch, typed: Typed) -> None:
        self.link = link
        self._watch = watch
        self._typed = typed
        self._master: int | None = None
        self._slave = -1
        self._pending = b""
        self._moved_s = 0.0

    def open(self) -> None:
        if self._master is not None:
            return
        self._master, self._slave = pty.openpty()      # the slave stays open: no EIO between two users
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        os.set_blocking(self._slave, False)
        self._moved_s = time.monotonic()
        if self.link.is_symlink():
            self.link.unlink()
        self.link.symlink_to(os.ttyname(self._slave))
        self._watch(self._master, self._receive, selectors.EVENT_READ)

    def close(self) -> None:
        if self._master is None:
            return
        self._watch(self._master, self._receive, 0)
        with contextlib.suppress(FileNotFoundError):
            self.link.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master, self._pending = None, b""

    def send(self, data: bytes) -> None:
        if self._master is not None:
            self._pending = (self._pending + data)[-PENDING_BYTES:]
            self.flush()

    def next_flush_s(self) -> float | None:
        return time.monotonic() + RETRY_S if self._pending else None

    def flush(self) -> None:
        """Write what the pty takes. Of a line that stood still for a second only the newest 4 KiB stay."""
        try:
            while self._pending and self._master is not None:
                self._pending = self._pending[os.write(self._master, self._pending):]
                self._moved_s = time.monotonic()
        except BlockingIOError:
            if time.monotonic() - self._moved_s > STALLED_S:
                self._drop_oldest()
        except OSError:
            self._pending = b""

    def _receive(self) -> None:
        assert self._master is not None
        try:
            data = os.read(self._master, PTY_BYTES)
        except OSError:
            return
        self._typed(self, data)

    def _drop_oldest(self) -> None:
        self._pending = self._pending[-PTY_BYTES:]
        self._moved_s = time.monotonic()
        with contextlib.suppress(OSError):
            while os.read(self._slave, PTY_BYTES):
                pass


class Cable:
    """The ports of a board, all at once.

    typed   called with what a user sent
    pulled  called when unplug_after() has counted to its end
    """

    def __init__(self, typed: Typed, pulled: Callable[[], None]) -> None:
        self.ports: Sequence[Port] = ()
        self._typed = typed
        self._pulled = pulled
        self._left: int | None = None

    def plug(self) -> None:
        for port in self.ports:
            port.open()

    def unplug(self) -> None:
        self._left = None
        for port in self.ports:
            port.close()

    def unplug_after(self, count: int) -> None:
        """Pull it when so many more bytes have reached the board."""
        self._left = count
        self._pull_when_due()

    def send(self, data: bytes) -> None:
        for port in self.ports:
            port.send(data)

    def flush(self) -> None:
        for port in self.ports:
            port.flush()

    def next_flush_s(self) -> float | None:
        return min((at for port in self.ports if (at := port.next_flush_s()) is not None), default=None)

    def receive(self, port: Port, data: bytes) -> None:
        """From a port: what arrives before the cable is out goes on to the board."""
        if self._left is not None:
            data = data[:self._left]
            self._left -= len(data)
        if data:
            self._typed(port, data)
        self._pull_when_due()

    def _pull_when_due(self) -> None:
        if self._left == 0:
            self._left = None
            self._pulled()
