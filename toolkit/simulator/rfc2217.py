"""The serial port over the network, with DTR and RTS, which a pty does not have: RFC 2217, by pyserial.

The two lines act on the chip through two transistors, as on nearly every board (ESP32-DevKitC, "Auto program"):
    DTR  RTS   EN  IO0          a line is asserted = 1 = low on its pin; both or none: both pins are high
     0    1    low high         held in reset
     1    0    high low         the boot button
"""
import selectors
import socket
from collections.abc import Callable
from typing import Any

from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.ports import PENDING_BYTES, Typed, Watch

CHUNK = 4096
# Clients set one line at a time, and wait in between for an answer: with both asserted EN is high already. On a board
# a capacitor keeps it low for that moment; here for as long as the lines stay so, at most this long.
CAPACITOR_S = 0.5

Later = Callable[[float, Callable[[], None]], None]


class Transistors:
    """hold: EN goes low; release: it comes back, True with IO0 low. later: (seconds, call)"""

    def __init__(self, hold: Callable[[], None], release: Callable[[bool], None], later: Later) -> None:
        self._hold = hold
        self._release = release
        self._later = later
        self._is_held = False
        self._moves = 0

    def set(self, dtr: bool, rts: bool) -> None:
        self._moves += 1
        if rts and not dtr:
            if not self._is_held:
                self._is_held = True
                self._hold()
        elif not (dtr and rts):
            self._let_go(dtr)
        elif self._is_held:
            moves = self._moves
            self._later(CAPACITOR_S, lambda: self._let_go(False) if self._moves == moves else None)

    def _let_go(self, io0_low: bool) -> None:
        if self._is_held:
            self._is_held = False
            self._release(io0_low)


class Adapter:
    """What pyserial's PortManager takes for a local serial port: settings that do nothing, and two lines that do."""

    cts = dsr = True
    ri = cd = False

    def __init__(self, moved: Callable[[bool, bool], None]) -> None:
        self.baudrate, self.bytesize, self.parity, self.stopbits = 115200, 8, "N", 1
        self.rtscts = self.xonxoff = self.break_condition = False
        self._moved = moved
        self._dtr = self._rts = False

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, level: bool) -> None:
        self._dtr = level
        self._moved(self._dtr, self._rts)

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, level: bool) -> None:
        self._rts = level
        self._moved(self._dtr, self._rts)

    def reset_input_buffer(self) -> None: ...
    def reset_output_buffer(self) -> None: ...


class Rfc2217Port:
    """One user at a time; a second one is hung up on, as a port in use refuses. Without a user both lines are off."""

    has_lines = True

    def __init__(self, address: str, port: int, watch: Watch, typed: Typed,
                 lines: Callable[[bool, bool], None]) -> None:
        try:
            from serial.rfc2217 import PortManager
        except ImportError:
            raise SimulatorError("RFC 2217 needs pyserial: pip install pyserial") from None
        self._manager = PortManager
        try:
            self._listener = socket.create_server((address, port))
        except (OSError, OverflowError) as error:
            raise SimulatorError(f"--rfc2217 {address}:{port} cannot be used: {error}") from None
        self._listener.setblocking(False)
        self.url = "rfc2217://{}:{}".format(*self._listener.getsockname())
        self._watch = watch
        self._typed = typed
        self._lines = lines
        self._is_open = False
        self._link: socket.socket | None = None
        self._protocol: Any = None
        self._pending = b""
        watch(self._listener, self._accept, selectors.EVENT_READ)

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        """The cable is out: the user is gone, and so is everyone who comes."""
        self._is_open = False
        self._hang_up()

    def end(self) -> None:
        self.close()
        self._watch(self._listener, self._accept, 0)
        self._listener.close()

    def send(self, data: bytes) -> None:
        """What a user is too far behind to read is lost, but never a piece of the protocol."""
        if self._link and len(self._pending) < PENDING_BYTES:
            self._write(b"".join(self._protocol.escape(data)))

    def next_flush_s(self) -> float | None:
        return None            # the selector tells

    def flush(self) -> None:
        if not self._link or not self._pending:
            return
        try:
            while self._pending:
                self._pending = self._pending[self._link.send(self._pending):]
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up()
            return
        wanted = selectors.EVENT_WRITE if self._pending else 0
        self._watch(self._link, self._ready, selectors.EVENT_READ | wanted)

    def _accept(self) -> None:
        link, _ = self._listener.accept()
        self._ready()              # the one before may have gone by now
        if self._link or not self._is_open:
            link.close()
            return
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._link, self._pending = link, b""
        self._watch(link, self._ready, selectors.EVENT_READ)
        self._protocol = self._manager(Adapter(self._lines), _Writer(self._write))

    def _ready(self) -> None:
        self.flush()
        link = self._link
        if not link:
            return
        try:
            data = link.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        data = b"".join(self._protocol.filter(data))
        if data:
            self._typed(self, data)

    def _write(self, data: bytes) -> None:
        self._pending += data
        self.flush()

    def _hang_up(self) -> None:
        if self._link:
            self._watch(self._link, self._ready, 0)
            self._link.close()
            self._link = None
            self._lines(False, False)


class _Writer:
    """The connection that PortManager writes to."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.write = write
