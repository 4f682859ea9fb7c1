"""The raw REPL of MicroPython: interrupts what runs, runs code, gives what it printed.

Source: MicroPython documentation, reference/repl, "Raw mode and raw-paste mode".
"""
from __future__ import annotations

import time
from typing import Any

from toolkit.errors import LinkError, PortLostError

CTRL_A, CTRL_B, CTRL_C, CTRL_D = b"\x01", b"\x02", b"\x03", b"\x04"
BANNER = b"raw REPL; CTRL-B to exit\r\n>"
REBOOTED = b"soft reboot\r\n"
PASTE = b"\x05A\x01"           # asks for raw-paste mode
PASTES, PASTES_NOT = b"R\x01", b"R\x00"
ENDED = b"\x04>"               # of a command: after its error text

KNOCKS_S = (0.3, 0.7, 1.0, 2.0, 2.0, 4.0)      # a board that has just been powered, or is deep in a call, needs some
BOOT_S = 3.0                   # for boot.py, then it is interrupted
SILENCE_S = 20.0                # a busy machine of virtual boards, a flash that tidies up
PLAIN_BYTES, PLAIN_PAUSE_S = 256, 0.01         # the buffer of the slowest boards, and what it takes to empty
MAX_HEARD_BYTES = 32 << 20

# A watchdog outlives a soft reset: who is at work then has to feed it. _dog is ours, of a session that broke off.
_IS_WATCHED = b"import sys\nprint('dog=%d' % ('Watchdog' in sys.modules or '_dog' in globals()))"


class SilenceError(LinkError):
    """Raised when nothing comes in time."""


class Wire:
    """Bytes over an open pyserial port; what it raises is told apart here and nowhere else."""

    def __init__(self, port: Any) -> None:
        self.name = str(port.port)
        self._port = port
        self._heard = b""

    def close(self) -> None:
        self._port.close()

    def send(self, data: bytes) -> None:
        import serial

        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise LinkError(f"{self.name} takes no more bytes: press the board's reset button, try again") from None
        except OSError:
            raise self._lost() from None

    def read(self) -> bytes:
        """What has come, b"" after a moment without anything."""
        try:
            return bytes(self._port.read(max(1, self._port.in_waiting)))
        except OSError:
            raise self._lost() from None

    def until(self, mark: bytes, silence_s: float) -> bytes:
        """What comes before mark. silence_s: the longest pause between two bytes. Raises SilenceError."""
        searched = 0
        while (at := self._heard.find(mark, searched)) < 0:
            searched = max(0, len(self._heard) - len(mark))
            self._listen(silence_s)
        before, self._heard = self._heard[:at], self._heard[at + len(mark):]
        return before

    def within(self, mark: bytes, limit_s: float) -> bool:
        """Wait for mark, however much else comes; what came before it is dropped. False when time is up."""
        end_s = time.monotonic() + limit_s
        while mark not in self._heard:
            self._heard = self._heard[-len(mark):]
            rest_s = end_s - time.monotonic()
            try:
                self._listen(max(0.0, rest_s))
            except SilenceError:
                return False
            if rest_s < 0:
                return False
        self._heard = self._heard.partition(mark)[2]
        return True

    def take(self, count: int, silence_s: float = SILENCE_S) -> bytes:
        while len(self._heard) < count:
            self._listen(silence_s)
        taken, self._heard = self._heard[:count], self._heard[count:]
        return taken

    def has_heard(self) -> bool:
        """True when take(1) does not wait."""
        try:
            return bool(self._heard or self._port.in_waiting)
        except OSError:
            raise self._lost() from None

    def _listen(self, wait_s: float) -> None:
        end_s = time.monotonic() + wait_s
        while not (data := self.read()):
            if time.monotonic() >= end_s:
                raise SilenceError(f"the board at {self.name} said nothing for {wait_s:g} s")
        self._heard += data
        if len(self._heard) > MAX_HEARD_BYTES:
            raise LinkError(f"the board at {self.name} says more than {MAX_HEARD_BYTES} bytes without an end")

    def _lost(self) -> PortLostError:
        return PortLostError(f"{self.name} has gone in the middle of it: plug the board in again and repeat the "
                             "command, it goes on where it was")


class RawRepl:
    """A board brought to the raw REPL, its heap fresh. is_watched: a hardware watchdog runs, feed it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pastes = True
        self._busy = False
        self.is_watched = False
        self._knock()
        self._start_afresh()

    def execute(self, code: bytes, silence_s: float = SILENCE_S) -> tuple[bytes, bytes]:
        """(what it printed, traceback or b"")."""
        self._busy = True
        if not (self._pastes and self._paste(code)):
            self._type(code)
        output = self._wire.until(CTRL_D, silence_s)
        error = self._wire.until(ENDED, SILENCE_S)
        self._busy = False
        return output, error

    def start(self, code: bytes) -> None:
        """Run code that does not come back."""
        self._type(code)

    def run_main(self) -> None:
        """Soft reset into boot.py and main.py. The session is over."""
        self._wire.send((CTRL_C + CTRL_C if self._busy else b"") + CTRL_B + CTRL_D)
        self._wire.within(REBOOTED, BOOT_S)

    def _knock(self) -> None:
        """Ctrl-C until the REPL answers, whatever runs."""
        for wait_s in KNOCKS_S:
            self._wire.send(b"\r" + CTRL_C + CTRL_C + CTRL_A)
            if self._wire.within(BANNER, wait_s):
                return
        raise LinkError(f"{self._wire.name} gives no MicroPython prompt: press the board's reset button and try again; "
                        "a board without MicroPython needs --deploy first")

    def _start_afresh(self) -> None:
        """Soft reset without main.py: no task, timer or client of the program that ran is left."""
        # Typed, not pasted: the answer is found behind banners that more than one knock has called for.
        self._wire.send(_IS_WATCHED + CTRL_D)
        self.is_watched = b"dog=1" in self._wire.until(ENDED, SILENCE_S)
        self._wire.send(CTRL_D)
        self._wire.until(REBOOTED, SILENCE_S)
        for _ in KNOCKS_S:
            if self._wire.within(BANNER, BOOT_S):
                return
            self._wire.send(CTRL_C)            # its boot.py does not end by itself
        raise LinkError(f"{self._wire.name} does not come up after a soft reset: press the board's reset button, "
                        "and see to its boot.py")

    def _paste(self, code: bytes) -> bool:
        """Send code as fast as the board takes it. False: this firmware cannot do that."""
        self._wire.send(PASTE)
        answer = self._wire.take(2)
        if answer == PASTES:
            self._flow(code)
            return True
        self._pastes = False
        if answer != PASTES_NOT:               # before 1.14: it has greeted anew
            self._wire.until(BANNER[2:], SILENCE_S)
        return False

    def _flow(self, code: bytes) -> None:
        window = room = int.from_bytes(self._wire.take(2), "little")
        at = 0
        while at < len(code):
            while not room or self._wire.has_heard():
                signal = self._wire.take(1)
                if signal == CTRL_D:           # it has found a mistake already
                    self._wire.send(CTRL_D)
                    return
                room += window
            piece = code[at:at + room]
            self._wire.send(piece)
            at, room = at + len(piece), room - len(piece)
        self._wire.send(CTRL_D)
        self._wire.until(CTRL_D, SILENCE_S)

    def _type(self, code: bytes) -> None:
        for at in range(0, len(code), PLAIN_BYTES):
            self._wire.send(code[at:at + PLAIN_BYTES])
            time.sleep(PLAIN_PAUSE_S)
        self._wire.send(CTRL_D)
        if self._wire.take(2) != b"OK":
            raise LinkError(f"the board at {self._wire.name} does not take commands: press its reset button, try again")
