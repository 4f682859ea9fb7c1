"""The serial line of a board: what the VM prints, what a user types, and the translation between the two.

Console stands between one VM and the cable with its ports. The unix port differs from firmware in
four ways, all cured here: a soft reset ends the process, a line ends in LF alone, Ctrl-C has to be a signal while a
program runs, and after a reset out of the raw REPL the firmware is in the raw REPL again.
"""
import math
import os
import re
from collections.abc import Callable
from typing import Protocol

from toolkit.simulator.vm import BOOTED, Vm

HISTORY_BYTES = 64 * 1024
LAST_PIECES = 16               # of 4 KB, which a VM may have printed and nobody read when it is ended
TYPED_BYTES = 256 * 1024       # what a user may type ahead of a busy board
CTRL_A, CTRL_C = b"\x01", b"\x03"
RAW_BANNER, FRIENDLY_BANNER = b"raw REPL; CTRL-B to exit", b'Type "help()"'
RAW_PROMPTS = (b"\x04>", RAW_BANNER + b"\r\n>")
INTERRUPT_S = 0.2              # how long a Ctrl-C waits for a program that can take it
LOOK_S, LOOK_EVERY_S = 2.0, 0.02               # how long it is watched that the REPL has read one
STUCK_S = 0.3                  # a program that runs so long with a Ctrl-C in front of it will not read it
SETTLE_S = 0.05                # and how long the bytes behind it wait for its effect
RETRY_S = 0.002
BOOT_S = 0.005                 # from the word that boot.py starts until a Ctrl-C can only meet boot.py itself
LONE_LF = re.compile(rb"(?<!\r)\n")


class Listener(Protocol):
    """Who is told what the board prints."""

    def send(self, data: bytes) -> None: ...


class Console:
    """history: the last 64 KiB that were printed. raw: the REPL that would answer now is the raw one.

    booted  called when boot.py and main.py are over and the REPL begins
    """

    def __init__(self, now: Callable[[], float], booted: Callable[[], None]) -> None:
        self.listeners: list[Listener] = []
        self.history = bytearray()
        self.raw = False
        self._now = now
        self._booted = booted
        self._typed = b""
        self._vm: Vm | None = None
        self._last = b"\n"
        self._interrupt_until: float | None = None
        self._byte_sent = False
        self._hold_until = 0.0
        self._await_boot(False)

    def attach(self, vm: Vm, raw: bool) -> None:
        """A new VM. raw: bring it to the raw REPL, as firmware does after a soft reset from there."""
        self._vm = vm
        self._await_boot(raw)

    def detach(self) -> None:
        self._vm = None

    def take_ctrl_c(self) -> None:
        """boot.py starts. Until then a Ctrl-C waits: it would end what makes the board out of the bare VM."""
        self._ctrl_c_from = self._now() + BOOT_S

    def forget(self) -> None:
        """What was typed is lost: there is nobody to read it."""
        self._typed = b""
        self._interrupt_until = None

    # -- from the board
    def print(self, data: bytes) -> None:
        """Show bytes that come from the board itself."""
        self.history += data
        del self.history[:-HISTORY_BYTES]
        for listener in list(self.listeners):
            listener.send(data)

    def receive(self) -> bool:
        """Take what the VM printed. False when it has ended."""
        assert self._vm
        try:
            data = os.read(self._vm.tty, 4096)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if data:
            self._show(data)
        return bool(data)

    def take_last(self) -> None:
        """What the VM printed before it is ended: it has left the chip. Bounded: a program may print for ever."""
        assert self._vm
        for _ in range(LAST_PIECES):
            try:
                data = os.read(self._vm.tty, 4096)
            except OSError:              # nothing more, or nobody
                return
            if not data:
                return
            self._show(data)

    def _await_boot(self, raw: bool) -> None:
        self._marker_seen = False
        self._swallow = raw    # the friendly banner, on the way to the raw REPL
        self._held = b""
        self._put_bytes = 0    # what this VM's terminal took
        self._ctrl_c_end = 0   # of those, up to the last Ctrl-C
        self._look_until = 0.0
        self._stuck_since: float | None = None
        self._ctrl_c_from = math.inf
        self.raw = raw

    def _show(self, data: bytes) -> None:
        if not self._marker_seen:
            data = self._up_to_marker(data)
        if self._swallow and self._marker_seen:
            data = self._from_raw_banner(data)
        if RAW_BANNER in data:
            self.raw = True
        elif FRIENDLY_BANNER in data:
            self.raw = False
        self.print(self._with_cr(data))

    def _up_to_marker(self, data: bytes) -> bytes:
        """Bytes that may be shown; a piece of the marker at the end is held back."""
        data = self._held + data
        before, marker, behind = data.partition(BOOTED)
        if marker:
            self._held = b""
            self._marker_seen = True
            self._booted()
            if not self._swallow:
                return before + behind
            self._put(CTRL_A)
            self.print(self._with_cr(before))
            return behind
        keep = next((n for n in range(min(len(BOOTED) - 1, len(data)), 0, -1) if BOOTED.startswith(data[-n:])), 0)
        self._held = data[len(data) - keep:]
        return data[:len(data) - keep]

    def _from_raw_banner(self, data: bytes) -> bytes:
        self._held += data
        at = self._held.find(RAW_BANNER)
        if at < 0:
            return b""
        data, self._held, self._swallow = self._held[at:], b"", False
        return data

    def _with_cr(self, data: bytes) -> bytes:
        """A lone LF becomes CR LF."""
        before = b"\r" if self._last == b"\r" else b""
        self._last = data[-1:] or self._last
        return LONE_LF.sub(b"\r\n", before + data)[len(before):]

    # -- to the board
    def is_at_rest(self) -> bool:
        """The REPL waits to be typed to, and nothing is on its way."""
        if not self._vm or self._typed:
            return False
        at_prompt = self.raw and self.history.endswith(RAW_PROMPTS)
        return self._vm.is_reading() or (at_prompt and not self._vm.unread())

    def type(self, data: bytes) -> None:
        """Bytes from a user. Beyond 256 KiB that the board does not take, the newest are lost."""
        self._typed = (self._typed + data)[:TYPED_BYTES]
        self.pump()

    def next_pump_s(self) -> float | None:
        """When pump() shall be called again; None when nothing waits."""
        now = self._now()
        if self._typed and self._vm:
            return now + RETRY_S
        return now + LOOK_EVERY_S if self._vm and now < self._look_until else None

    def pump(self) -> None:
        """Give the VM what was typed, up to a Ctrl-C that has to wait for the right moment."""
        self._look_after_ctrl_c()
        while self._typed and self._vm:
            if self._now() < self._hold_until and not self._vm.is_reading():
                return
            if not (self._interrupt() if self._typed.startswith(CTRL_C) else self._write()):
                return

    def _write(self) -> bool:
        if self._swallow:
            return False       # the way to the raw REPL is not paved yet
        count = self._put(self._typed.split(CTRL_C, 1)[0])
        self._typed = self._typed[count:]
        return count > 0

    def _put(self, data: bytes) -> int:
        """Bytes that the VM's terminal took: none when it is full, or gone."""
        assert self._vm
        try:
            count = os.write(self._vm.tty, data)
        except OSError:
            return 0
        self._put_bytes += count
        return count

    def _look_after_ctrl_c(self) -> None:
        """Has the REPL read it, or left to run what was typed before? The kernel hands bytes on late, and until then
        says that none are unread."""
        now = self._now()
        if not self._vm or now >= self._look_until:
            return
        if self._vm.is_reading() or self._put_bytes - self._vm.unread() >= self._ctrl_c_end:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > STUCK_S and self._vm.interrupt():
            self._look_until = 0.0

    def _interrupt(self) -> bool:
        """Pass one Ctrl-C on: as a byte to a reading REPL, as a signal to a running program. False: not yet done."""
        assert self._vm
        now, is_reading = self._now(), self._vm.is_reading()
        if not is_reading and now < self._ctrl_c_from:
            return False
        if self._interrupt_until is None:
            self._interrupt_until = now + INTERRUPT_S
        if is_reading:
            if not self._byte_sent:
                self._put(CTRL_C)
                self._byte_sent = True
                self._ctrl_c_end, self._look_until = self._put_bytes, now + LOOK_S
                self._hold_until = now + RETRY_S
                return False
            if now < self._hold_until or (self._vm.unread() and now < self._interrupt_until):
                return False
        # Also when the REPL left to run what was typed before, and has not read our byte: it waits as input then.
        elif not self._vm.interrupt() and now < self._interrupt_until:
            return False
        self._typed = self._typed[1:]
        self._interrupt_until = None
        self._byte_sent = False
        self._hold_until = now + SETTLE_S
        return True
