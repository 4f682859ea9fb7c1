"""The time server of the little world around a board: SNTP on a free UDP port of 127.0.0.1.

Source: RFC 4330, section 4 (message), section 6 (server).
"""
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from itertools import cycle

# leap, version and mode 1 | stratum 1 | poll 1 | precision 1 | root delay 4 | root dispersion 4 | reference 4
# then four times of 8: reference, originate, receive, transmit
MESSAGE = struct.Struct(">BBbb4x4x4s8s8s8s8s")
CLIENT, SERVER = 3, 4          # modes
STRATUM, PRECISION = 1, -20    # a clock of its own, good to a microsecond
UNIX_EPOCH_S = 2208988800      # 1970 in seconds since 1900
TIMESTAMP = struct.Struct(">II")
GARBAGE = (b"garbage", bytes(48), b"\xff" * 48, b"\x24" + bytes(47), bytes(400))
MODES = ("ok", "silent", "garbage")


class TimeServer:
    """now: seconds since 1970 that it tells before anyone has set it; asked: questions that came so far."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._ahead_s = 0.0
        self.mode = "ok"       # one of MODES
        self.asked = 0
        self._garbage = cycle(GARBAGE)
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._link.bind(("127.0.0.1", 0))
        self._link.setblocking(False)

    def fileno(self) -> int:
        return self._link.fileno()

    def close(self) -> None:
        self._link.close()

    @property
    def port(self) -> int:
        return int(self._link.getsockname()[1])

    def time(self) -> float:
        return self._now() + self._ahead_s

    def set(self, seconds_1970: float) -> None:
        self._ahead_s = seconds_1970 - self._now()

    def serve(self, is_up: bool) -> None:
        """Answer one question, or lose it."""
        try:
            question, client = self._link.recvfrom(512)
        except OSError:
            return
        if not is_up:
            return
        self.asked += 1
        reply = self._reply(question)
        if reply:
            with contextlib.suppress(OSError):     # who asked is gone
                self._link.sendto(reply, client)

    def _reply(self, question: bytes) -> bytes:
        if self.mode == "garbage":
            return next(self._garbage)
        if self.mode == "silent" or len(question) < MESSAGE.size or question[0] & 7 != CLIENT:
            return b""
        now = _timestamp(self.time())
        return MESSAGE.pack(question[0] & 0x38 | SERVER, STRATUM, question[2], PRECISION, b"VBRD",
                            now, question[40:48], now, now)


def _timestamp(seconds_1970: float) -> bytes:
    """64-bit time of RFC 4330, section 3; its era ends in 2036."""
    whole, part = divmod(round(seconds_1970 * 2**32), 2**32)
    return TIMESTAMP.pack((whole + UNIX_EPOCH_S) % 2**32, part)
