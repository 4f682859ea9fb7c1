"""The board's serial lines beside its console: machine.UART of the program here, whatever hangs on the cable there.

Each line is a socket pair that lives as long as the board; the VM inherits its end as file UART_FD + number. The other
end of the cable is one program that connects to a Unix socket, or a model within this process.
"""
from __future__ import annotations

import fcntl
import selectors
import socket
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from toolkit.simulator.errors import BoardFault
from toolkit.simulator.models.dlms_meter_lines import UartMeter
from toolkit.simulator.models.meter import Meter

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
UART_FD = 10
PIECE_BYTES = 4096
PENDING_BYTES = 4 << 20        # that wait for a board which does not read: a line without flow control drops the rest
BITS_AROUND = 2                # start and stop bit of an octet
TICK_S = 0.002                 # of a paced line
MOST_BAUD = 5_000_000          # ESP32 datasheet, UART
LINES = {"esp32": 3, "tinypico": 3, "esp32s3": 3}      # datasheets; the others have two
MANGLE = bytes((octet * 0x35 ^ 0x5A) & 0xFF for octet in range(256))     # what a wrong baud rate makes of octets

Watch = Callable[[Any, Callable[[], object], int], None]       # (what, call when ready, selectors' mask; 0: no longer)
Later = Callable[[float, Callable[[], None]], None]


class Model(Protocol):
    """What hangs on a line within this process. be() changes it, facts() tells; both in words of its own.

    beat  called every few seconds where a person looks on: what it does by itself
    """

    def receive(self, data: bytes) -> None: ...
    def beat(self) -> None: ...
    def be(self, facts: dict[str, Any]) -> None: ...
    def facts(self) -> dict[str, Any]: ...


MODELS: dict[str, Callable[[Callable[[bytes], None]], Model]] = {"meter": Meter, "dlms": UartMeter}


@dataclass
class Settings:
    """As the program opened it. baud: 0 = it has not, or has closed it again"""

    baud: int = 0
    bits: int = 8
    parity: int = -1
    stop: int = 1
    tx: int = -1
    rx: int = -1
    rxbuf: int = 256


class Uart:
    """One line. Unpaced, the octets go as fast as both sides take them and none is lost by the board.

    paced    octets take their time on the wire, and what finds no room in rxbuf is lost
    baud     of whatever is on the other end, 0: the same as the board's; another one makes other octets of them
    overrun  octets that the board lost, dropped: octets that came while the program had the line closed
    """

    def __init__(self, number: int, path: Path, watch: Watch, later: Later) -> None:
        self.number = number
        self.path = path
        self.settings = Settings()
        self.paced = False
        self.baud = 0
        self.overrun = self.dropped = 0
        self._watch = watch
        self._later = later
        self._ours, self.theirs = socket.socketpair()
        self._ours.setblocking(False)
        self.theirs.setblocking(False)
        self._listener: socket.socket | None = None
        self._cable: socket.socket | None = None
        self.model: Model | None = None
        self._pending = self._outgoing = b""       # towards the board, towards the socket
        self._ticked_s: float | None = None        # while a paced line is busy
        self._look()

    # -- the cable
    def attach(self, name: str | None) -> None:
        """Put a fresh model of this process on the line; None: nothing. Raises ValueError for an unknown one."""
        if name is not None and name not in MODELS:
            raise ValueError(f"model is one of {', '.join(sorted(MODELS))}, got {name!r}")
        self._pull()
        self.model = MODELS[name](self.send) if name is not None else None

    def listen(self) -> str:
        """Path of the socket that is the other end of the cable; who connects last has it."""
        if not self._listener:
            self._listener = socket.socket(socket.AF_UNIX)
            self.path.unlink(missing_ok=True)
            self._listener.bind(str(self.path))
            self._listener.listen()
            self._watch(self._listener, self._plugged, READ)
        return str(self.path)

    def send(self, data: bytes) -> None:
        """Octets from the model; without a program that listens they are gone."""
        self._accept(data)
        self._look()

    # -- the program
    def open(self, baud: int, bits: int, parity: int, stop: int, tx: int, rx: int, rxbuf: int) -> int:
        if not 300 <= baud <= MOST_BAUD:
            raise BoardFault("ValueError", f"baudrate is 300 to {MOST_BAUD}, got {baud}")
        self.settings = Settings(baud, bits, parity, stop, tx, rx, rxbuf)
        return UART_FD + self.number

    def shut(self) -> int:
        """What is on its way to the program is gone; what it has written still goes out."""
        while data := _received(self._ours, PIECE_BYTES):
            self._deliver(data)
        self.settings = Settings()
        self.dropped += len(self._pending)
        self._pending = b""
        while _received(self.theirs, PIECE_BYTES):
            pass
        self._look()
        return 0

    def unread(self) -> int:
        return _waiting(self.theirs)

    def is_sent(self) -> int:
        return int(not _waiting(self._ours))

    def facts(self) -> dict[str, Any]:
        return {**vars(self.settings), "unread": self.unread(), "overrun": self.overrun, "dropped": self.dropped,
                "paced": self.paced, "peer_baud": self.baud, "plugged": bool(self._cable or self.model),
                **({"model": self.model.facts()} if self.model else {})}

    def close(self) -> None:
        self._pull()
        self._watch(self._ours, self._step, 0)
        if self._listener:
            self._watch(self._listener, self._plugged, 0)
            self._listener.close()
            self.path.unlink(missing_ok=True)
        self._ours.close()
        self.theirs.close()

    # -- inside
    def _plugged(self) -> None:
        assert self._listener
        self.attach(None)
        self._cable, _ = self._listener.accept()
        self._cable.setblocking(False)
        self._look()

    def _pull(self) -> None:
        if self._cable:
            self._watch(self._cable, self._step, 0)
            self._cable.close()
            self._cable = None
            self._outgoing = b""

    def _step(self) -> None:
        """Something can be moved."""
        if not self.paced:
            self._exchange(PIECE_BYTES, PIECE_BYTES)
        elif self._ticked_s is None:
            self._tick()
        else:
            self._hear()
            self._look()

    def _exchange(self, to_cable: int, to_board: int) -> None:
        self._deliver(_received(self._ours, to_cable) if len(self._outgoing) < PIECE_BYTES else None)
        self._hear()
        sent = _sent(self._ours, self._pending[:to_board])
        self._pending = self._pending[sent:]
        self._look()

    def _hear(self) -> None:
        if self._cable and len(self._pending) < PIECE_BYTES:
            data = _received(self._cable, PIECE_BYTES)
            if data == b"":
                self._pull()
            elif data:
                self._accept(data)

    def _accept(self, data: bytes) -> None:
        if not self.settings.baud:
            self.dropped += len(data)
            return
        room = PENDING_BYTES - len(self._pending)
        self.overrun += max(0, len(data) - room)
        self._pending += self._as_heard(data[:room])

    def _deliver(self, data: bytes | None) -> None:
        """What the program wrote, to the other end. Nobody there: it is gone."""
        if data and self.model:
            self.model.receive(self._as_heard(data))
        elif data and self._cable:
            self._outgoing += self._as_heard(data)
        if self._cable:
            self._outgoing = self._outgoing[_sent(self._cable, self._outgoing):]

    def _as_heard(self, data: bytes) -> bytes:
        return data if self.baud in (0, self.settings.baud) else data.translate(MANGLE)

    def _look(self) -> None:
        """Watch for what could be moved next; a paced line moves with its ticks."""
        ours = (READ if len(self._outgoing) < PIECE_BYTES else 0) | (WRITE if self._pending else 0)
        self._watch(self._ours, self._step, ours if self._ticked_s is None else 0)
        if self._cable:
            self._watch(self._cable, self._step, (READ if len(self._pending) < PIECE_BYTES else 0)
                        | (WRITE if self._outgoing else 0))

    def _tick(self) -> None:
        """What fits into the time since the last tick, in both directions."""
        now = time.monotonic()
        span_s, self._ticked_s = (TICK_S if self._ticked_s is None else now - self._ticked_s), now
        octets = max(1, int(span_s * (self.settings.baud or 9600) / (self.settings.bits + BITS_AROUND)))
        self._hear()
        arriving = min(octets, len(self._pending))
        taken = min(arriving, max(0, self.settings.rxbuf - self.unread()))
        self.overrun += arriving - taken
        self._pending = self._pending[:taken] + self._pending[arriving:]
        self._exchange(octets, taken)
        if self._pending or not self.is_sent():
            self._later(TICK_S, self._tick)
        else:
            self._ticked_s = None
            self._look()


class Uarts:
    """All lines of a board."""

    def __init__(self, kind: str, control: Path, watch: Watch, later: Later) -> None:
        self._lines = [Uart(number, control.with_name(f"{control.name}.uart{number}"), watch, later)
                       for number in range(LINES.get(kind, 2))]

    def __getitem__(self, number: int) -> Uart:
        if not 0 <= number < len(self._lines):
            raise BoardFault("ValueError", f"UART({number}) does not exist; there are 0-{len(self._lines) - 1}")
        return self._lines[number]

    def verbs(self) -> dict[str, Callable[..., int]]:
        """For the wire of the VM; all are answered."""
        return {
            "uart": lambda number, *words: self[int(number)].open(*map(int, words)),
            "uartoff": lambda number: self[int(number)].shut(),
            "uartany": lambda number: self[int(number)].unread(),
            "uartsent": lambda number: self[int(number)].is_sent(),
        }

    def restart(self) -> tuple[tuple[int, int], ...]:
        """All are closed, and ready for the next VM: (number under which it finds one, our descriptor) of each."""
        for line in self._lines:
            line.shut()
        return tuple((UART_FD + line.number, line.theirs.fileno()) for line in self._lines)

    def close(self) -> None:
        for line in self._lines:
            line.close()


def _received(link: socket.socket, count: int) -> bytes | None:
    """Octets that have come; b"" at the end, None when there are none."""
    try:
        return link.recv(count)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _sent(link: socket.socket, data: bytes) -> int:
    """How many went out. From a cable that was pulled they are gone, which the next read tells."""
    try:
        return link.send(data) if data else 0
    except BlockingIOError:
        return 0
    except OSError:
        return len(data)


def _waiting(link: socket.socket) -> int:
    """Octets that can be read from it."""
    return int.from_bytes(fcntl.ioctl(link.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)
