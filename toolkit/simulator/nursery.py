"""Where boards' processes come from on Linux: a process that has imported the simulator forks one for each.

Started anew, a process takes longer to import than a board to boot. A request is one packet, JSON of the command line
and the environment, with the descriptors of stdin, stdout and stderr; the answer is the number of the process.
"""
from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Protocol

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
PACKET_BYTES = 1 << 17         # below what Linux lets a packet be: net.core.wmem_default


class Process(Protocol):
    """What is asked of a board's process."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> object:
        """Raises subprocess.TimeoutExpired."""
        ...


def begin(words: list[str], errors: IO[bytes]) -> Process:
    """`python -m toolkit.simulator` with these words; what it says on stderr goes to a file."""
    if sys.platform.startswith("linux"):
        try:
            return nursery(os.getpid()).bear(words, errors)
        except OSError:        # somebody has ended it, or the kernel knows no pidfd
            nursery.cache_clear()
    return subprocess.Popen([sys.executable, "-m", "toolkit.simulator", *words], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=errors, cwd=PACKAGE_ROOT)


class Born:
    """A process that is a child of the nursery's. Raises OSError where there are no pidfds."""

    def __init__(self, pid: int, stdin: int, stdout: int) -> None:
        self._pidfd = os.pidfd_open(pid)
        self.stdin: IO[bytes] | None = os.fdopen(stdin, "wb", 0)
        self.stdout: IO[bytes] | None = os.fdopen(stdout, "rb")

    def send_signal(self, sig: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> None:
        if not select.select([self._pidfd], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("simulate", timeout or 0)

    def __del__(self) -> None:
        os.close(self._pidfd)


class Nursery:
    """The process, seen from where boards are wanted. It ends when nobody holds the other end of its link."""

    def __init__(self) -> None:
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "toolkit.simulator.nursery", str(theirs.fileno())], cwd=PACKAGE_ROOT,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self.pid = self._process.pid
        self._lock = threading.Lock()

    def bear(self, words: list[str], errors: IO[bytes]) -> Born:
        """Raises OSError when it cannot; what it has begun ends by itself then, with its stdin."""
        (stdin, leash), (stdout, said) = os.pipe(), os.pipe()
        packet = json.dumps([words, dict(os.environ)]).encode()
        try:
            with self._lock:       # until Born has it, no other request makes the number of the process free
                socket.send_fds(self._link, [packet], [stdin, said, errors.fileno()])
                return Born(self._answer(), leash, stdout)
        except OSError:
            os.close(leash)
            os.close(stdout)
            raise
        finally:
            os.close(stdin)
            os.close(said)

    def end(self) -> None:
        self._link.close()
        self._process.wait()

    def _answer(self) -> int:
        answer = self._link.recv(PACKET_BYTES)
        if not answer:
            raise ConnectionResetError("the nursery has ended")
        return int(answer)


@functools.cache
def nursery(_of: int) -> Nursery:
    """That of this process, which a fork of it does not share."""
    made = Nursery()
    atexit.register(made.end)
    return made


# -- in the process itself


def serve(link: socket.socket) -> int:
    """Until the end of the link; in each child, until the end of its board. Returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)       # a person's Ctrl-C is for the boards, and for who asks for them
    while True:
        packet, fds, _, _ = socket.recv_fds(link, PACKET_BYTES, 3)
        _bury()
        if not packet:
            return 0
        pid = os.fork()
        if not pid:
            link.close()
            return _live(fds, *json.loads(packet))
        link.send(str(pid).encode())
        for fd in fds:
            os.close(fd)


def _bury() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(fds: list[int], words: list[str], environ: dict[str, str]) -> int:
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from toolkit.simulator.__main__ import main
    return main(words)


def _import_all() -> None:
    """What every board's process would import by itself."""
    from toolkit.simulator import __main__, board, flash, romfs  # noqa: F401


if __name__ == "__main__":
    _import_all()
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
