"""The board's two clocks: time that runs (timers, watchdog, sleep) and the RTC that says which day it is."""
import calendar
import os
import struct
import tempfile
import time
from collections.abc import Callable

UNSET_S = 946684800          # 2000-01-01: what an ESP32 shows before anyone has set its clock
STAMP_MASK = 2**31 - 1
# microseconds: the RTC ahead of the host's clock, all that was skipped; stamp << 1 | 1 while a span passes fast;
# milliseconds of real time that the outside has for an answer then
RECORD = struct.Struct("<qqIH")


class Clock:
    """Host time plus what a test has skipped.

    The RTC's distance from the host clock lies in a file that the VM holds open (fd 5): reading the time costs
    the board two system calls and no round trip, and a turned clock is seen at once. Behind it stands what only a
    board with `turn` reads (rom/_turn.py).
    stamp   number of the last change that concerns sleeping tasks
    """

    def __init__(self, unset: bool = False, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._unset = unset
        self._skipped_s = 0.0
        self._offset_us = 0
        self.stamp = 0
        self._fast = False
        self._grace_ms = 0
        self._file = tempfile.TemporaryFile()      # noqa: SIM115 - lives as long as the board, closed in close()
        self.power_on()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()

    def power_on(self) -> None:
        """The RTC loses its setting."""
        self.set_rtc(UNSET_S if self._unset else time.time())

    @property
    def skipped_s(self) -> float:
        """All that was skipped so far."""
        return self._skipped_s

    def now(self) -> float:
        """Seconds that have passed for the board; differences count."""
        return self._monotonic() + self._skipped_s

    def rtc(self) -> float:
        """Seconds since 1970 on the RTC, which knows no time zone."""
        return time.time() + self._offset_us / 1e6

    def set_rtc(self, seconds_1970: float) -> None:
        self._write(round((seconds_1970 - time.time()) * 1e6))

    def set_fields(self, date: tuple[int, ...], us: int) -> None:
        """date: year, month, day, hour, minute, second"""
        self.set_rtc(calendar.timegm(date) + us / 1e6)

    def skip(self, seconds: float) -> None:
        """Let `seconds` have passed, on both clocks."""
        self._skipped_s += seconds
        self.stamp += 1
        self._write(self._offset_us + round(seconds * 1e6))

    def mark(self) -> None:
        """A new stamp: what an idle program has said before counts no more."""
        self.stamp += 1
        self._write(self._offset_us)

    def hurry(self, fast: bool, grace_ms: int = 0) -> None:
        """fast: the program shall say when it is idle. grace_ms: 0-65535"""
        self._fast = fast
        self._grace_ms = grace_ms
        self.mark()

    def _write(self, offset_us: int) -> None:
        self._offset_us = offset_us
        stamp = (self.stamp & STAMP_MASK) << 1 | self._fast
        os.pwrite(self.fileno(), RECORD.pack(offset_us, round(self._skipped_s * 1e6), stamp, self._grace_ms), 0)
