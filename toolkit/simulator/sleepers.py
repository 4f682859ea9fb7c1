"""What sleeps in the program of a board with `turn` (fd 6): it is told of skipped time, and says when it is idle."""
import contextlib
import math
import socket
import struct

from toolkit.simulator.clock import STAMP_MASK, Clock

REPORT = struct.Struct("<qI")  # milliseconds until the next task wakes, -1 = none sleeps; stamp that the VM has seen
LOOK = b"."                    # look into the record of the clock


class Sleepers:
    """Our end of one VM's fd 6; rom/_turn.py is the other one."""

    def __init__(self, link: socket.socket, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._rest = b""
        self._report = (0, -1)
        link.setblocking(False)

    def fileno(self) -> int:
        return self._link.fileno()

    def close(self) -> None:
        self._link.close()

    def wake(self) -> None:
        """Let the VM see what has changed on the clock."""
        # full: it has many an earlier one to look at; closed: the console says so in a moment
        with contextlib.suppress(OSError):
            self._link.send(LOOK)

    def drain(self) -> bool:
        """Take the VM's reports; the last one counts. False when it has closed its end."""
        try:
            data = self._link.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._rest += data
        whole = len(self._rest) // REPORT.size * REPORT.size
        if whole:
            self._report = REPORT.unpack_from(self._rest, whole - REPORT.size)
            self._rest = self._rest[whole:]
        return bool(data)

    def idle_s(self) -> float | None:
        """Seconds for which the program has nothing to do, inf = for ever; None while it works."""
        ms, stamp = self._report
        if stamp != self._clock.stamp & STAMP_MASK:
            return None
        return math.inf if ms < 0 else ms / 1000
