"""Events that interrupt the program (fd 3): timer ticks and pin edges, at most two on their way at a time."""
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable

IN_FLIGHT = 2                  # the VM's scheduler has few places, and the program wants some for itself
MAX_WAITING = 4096
FIRST_WAKE_S, LAST_WAKE_S = 0.001, 0.016
SCHEDULED, REFUSED, RUNNING = b"w", b"f", b"a"

Record = bytes


class Events:
    """Queue of one VM.

    The VM's reader thread says `w` once the callback is scheduled; a signal then ends the sleep of the main thread.
    A signal that comes just before the sleep begins is lost, hence it is repeated until the callback says `a`.
    """

    def __init__(self, link: socket.socket, pid: int, now: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._pid = pid
        self._now = now
        self._waiting: deque[Record] = deque()
        self._sent: deque[Record] = deque()        # on their way to the reader thread
        self._scheduled: deque[Record] = deque()   # in the VM's scheduler
        self._ran_early = 0    # callbacks that ran before the reader thread could say that they are scheduled
        self._wake_after_s = FIRST_WAKE_S
        self._wake_due_s: float | None = None
        self._refused = False
        self.masked = False
        self.dropped = 0
        link.setblocking(False)

    def fileno(self) -> int:
        return self._link.fileno()

    def close(self) -> None:
        self._link.close()

    def put(self, kind: int, ident: int, value: int, may_wait: bool) -> bool:
        """Queue one event. False when it was dropped: one like it still waits, or there are too many."""
        record = bytes((kind, ident, value >> 8 & 255, value & 255))
        if len(self._waiting) >= MAX_WAITING or (not may_wait and record in self._waiting):
            self.dropped += 1
            return False
        self._waiting.append(record)
        self._flush()
        return True

    def mask(self, masked: bool) -> None:
        self.masked = masked
        self._flush()

    def is_idle(self) -> bool:
        return not self._waiting and not self._sent and not self._scheduled

    def next_wake_s(self) -> float | None:
        return self._wake_due_s

    def drain(self) -> bool:
        """Take the VM's word on what happened to the events. False when it has closed its end."""
        try:
            data = self._link.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        for word in data:
            self._heard(bytes((word,)))
        self._flush()
        return bool(data)

    def wake(self) -> None:
        """Repeat the signal when it is time."""
        if self._wake_due_s is not None and self._now() >= self._wake_due_s:
            self._signal()
            self._refused = False
            self._flush()
            self._wake_after_s = min(self._wake_after_s * 2, LAST_WAKE_S)
            self._wake_due_s = self._now() + self._wake_after_s
            if self.is_idle():
                self._wake_due_s = None

    def _heard(self, word: bytes) -> None:
        if word == SCHEDULED and self._sent:
            self._scheduled.append(self._sent.popleft())
            if self._ran_early:
                self._ran_early -= 1
                self._has_run()
            else:
                self._start_waking()
        elif word == RUNNING and self._scheduled:
            self._has_run()
        elif word == RUNNING and self._sent:
            self._ran_early += 1
        elif word == REFUSED and self._sent:
            # the program's own callbacks fill the scheduler: once more with the next wake
            self._waiting.appendleft(self._sent.popleft())
            self._refused = True
            self._start_waking()

    def _has_run(self) -> None:
        self._scheduled.popleft()
        self._wake_due_s = None
        if self._scheduled:
            self._start_waking()

    def _start_waking(self) -> None:
        self._wake_after_s = FIRST_WAKE_S
        self._wake_due_s = self._now() + FIRST_WAKE_S
        self._signal()

    def _flush(self) -> None:
        while self._may_send():
            try:
                self._link.send(self._waiting[0])
            except BlockingIOError:
                return
            except OSError:
                self._waiting.clear()
                return
            self._sent.append(self._waiting.popleft())

    def _may_send(self) -> bool:
        room = len(self._sent) + len(self._scheduled) < IN_FLIGHT
        return bool(self._waiting) and room and not self.masked and not self._refused

    def _signal(self) -> None:
        try:
            os.kill(self._pid, signal.SIGUSR1)
        except ProcessLookupError:
            self._wake_due_s = None
