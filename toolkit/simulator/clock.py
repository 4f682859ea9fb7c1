"""The board's two clocks: time that runs (timers, watchdog, sleep) and the RTC that says which day it is."""
import calendar
import os
import struct
import tempfile
import time
from collections.abc import Callable

UNSET_S = 946684800          # 2000-01-01: what an ESP32 shows before anyone has set its clock
RECORD = struct.Struct("<q")  # microseconds that the RTC is ahead of the host's clock


class Clock:
    """Host time plus what a test has skipped.

    The RTC's distance from the host clock lies in a file that the VM holds open (fd 5): reading the time costs
    the board two system calls and no round trip, and a turned clock is seen at once.
    """

    def __init__(self, unset: bool = False, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._unset = unset
        self._skipped_s = 0.0
        self._offset_us = 0
        self._file = tempfile.TemporaryFile()      # noqa: SIM115 - lives as long as the board, closed in close()
        self.power_on()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()

    def power_on(self) -> None:
        """The RTC loses its setting."""
        self.set_rtc(UNSET_S if self._unset else time.time())

    def now(self) -> float:
        """Seconds that have passed for the board; differences count."""
        return self._monotonic() + self._skipped_s

    def rtc(self) -> float:
        """Seconds since 1970 on the RTC, which knows no time zone."""
        return time.time() + self._offset_us / 1e6

    def set_rtc(self, seconds_1970: float) -> None:
        self._write(round((seconds_1970 - time.time()) * 1e6))

    def set_fields(self, year: int, month: int, day: int, hour: int, minute: int, second: int) -> None:
        self.set_rtc(calendar.timegm((year, month, day, hour, minute, second)))

    def skip(self, seconds: float) -> None:
        """Let `seconds` have passed, on both clocks."""
        self._skipped_s += seconds
        self._write(self._offset_us + round(seconds * 1e6))

    def _write(self, offset_us: int) -> None:
        self._offset_us = offset_us
        os.pwrite(self.fileno(), RECORD.pack(offset_us), 0)
