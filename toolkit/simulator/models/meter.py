"""An electricity meter that speaks the frames of the public solution, and the wires on which its octets get lost.

    with SerialMeter(board, 1) as meter:
        meter.say(b"1.8.0(000123.4*kWh)")
        meter.down.cut(at=500, count=40)
        meter.heard_data()
"""
from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from micrOS.source.pure import quectel
from micrOS.source.pure.rfc1662 import QUECTEL, RECEIVERS, encode

if TYPE_CHECKING:
    from toolkit.simulator.api import VirtualBoard

PIECE_BYTES = 1024
AROUND_BYTES = 10              # of a frame that its length does not count
HEAD = b"\x7e\xff"
READING_ID = 0x2801
MOST_HEARD = 100_000           # frames
WAIT_S = 10.0

Frame = tuple[int, int, bytes]


class Wire:
    """One direction of a cable. It knows the frames that it carries, so it counts those that it harmed.

    lose, flip, double   probability of each octet, of what can happen to it
    frames, harmed       that went in, that did not come out as they went in
    """

    RATES = ("lose", "flip", "double")

    def __init__(self, profile: str = QUECTEL, seed: int = 1) -> None:
        self.lose = self.flip = self.double = 0.0
        self.frames = self.harmed = self.octets = 0
        self._profile = profile
        self._dice = random.Random(seed)
        self._waiting = b""
        self._cuts: list[tuple[int, int]] = []

    def cut(self, at: int, count: int) -> None:
        """The cable is out for so many octets, from that octet on; `at` counts from the first one that it carries."""
        self._cuts.append((at, at + count))

    def carry(self, data: bytes) -> bytes:
        """What arrives. A frame goes in when its last octet has come; what is none passes as it is."""
        self._waiting += data
        out, self._waiting = self._apart()
        while size := self._frame_size():
            frame, self._waiting = self._waiting[:size], self._waiting[size:]
            arrived = self._harm(frame)
            self.frames += 1
            self.harmed += arrived != frame
            self.octets += size
            out += arrived
            noise, self._waiting = self._apart()
            out += noise
        return out

    def _apart(self) -> tuple[bytes, bytes]:
        """(what stands before the next frame, the rest)"""
        begin = next((at for at in range(len(self._waiting))
                      if HEAD.startswith(self._waiting[at:at + len(HEAD)])), len(self._waiting))
        return self._waiting[:begin], self._waiting[begin:]

    def _frame_size(self) -> int:
        """Octets of the first frame that waits, 0 when it is not whole."""
        if self._profile != QUECTEL:
            return self._waiting.find(b"\x7e", 1) + 1
        if len(self._waiting) < 7:
            return 0
        size = int.from_bytes(self._waiting[5:7], "big") + AROUND_BYTES
        return size if size <= len(self._waiting) else 0

    def _harm(self, frame: bytes) -> bytes:
        ends = [(begin - self.octets, end - self.octets) for begin, end in self._cuts]
        kept = [octet for at, octet in enumerate(frame) if not any(begin <= at < end for begin, end in ends)]
        if not (self.lose or self.flip or self.double):
            return bytes(kept)
        return b"".join(self._harm_octet(octet) for octet in kept)

    def _harm_octet(self, octet: int) -> bytes:
        if self._dice.random() < self.lose:
            return b""
        if self._dice.random() < self.flip:
            octet ^= 1 << self._dice.randrange(8)
        return bytes((octet,)) * (1 + (self._dice.random() < self.double))


class Meter:
    """The meter itself. send: takes what it sends, as it comes out of the cable at the board

    values  {id: bytes} that it answers gets with, and that sets change; an id that is not there is refused
    heard   frames that came, (protocol, command, info); the last 0x2100 bytes are in heard_data()
    silent  it answers nothing
    """

    def __init__(self, send: Callable[[bytes], None], profile: str = QUECTEL) -> None:
        self.profile = profile
        self.up, self.down = Wire(profile), Wire(profile, seed=2)
        self.receiver = RECEIVERS[profile]()
        self.values = {quectel.SERIAL_ID: b"12345678", quectel.SIGNAL_ID: b"\x1f", quectel.NAME_ID: b"DEV1",
                       quectel.STATE_ID: b"\x01", READING_ID: b"\x28\x01\x01ABC"}
        self.heard: list[Frame] = []
        self.silent = False
        self._send = send
        self._begun_s = time.monotonic()

    # -- what it says
    def say(self, data: bytes) -> None:
        """Bytes for the TCP server, a frame for each 1024."""
        for at in range(0, len(data), PIECE_BYTES):
            self.frame(quectel.TRANSPARENT, quectel.SERIA_NET, data[at:at + PIECE_BYTES])

    def frame(self, protocol: int, command: int, info: bytes) -> None:
        arrived = self.up.carry(encode(protocol, command, info, self.profile))
        if arrived:
            self._send(arrived)

    def beat(self) -> None:
        """It tells the energy so far, of a house that takes 3.6 kW, in the words of IEC 62056-21."""
        self.say(f"1.8.0({(time.monotonic() - self._begun_s) / 1000:010.3f}*kWh)\r\n".encode())

    # -- what it hears
    def receive(self, data: bytes) -> None:
        for frame in self.receiver.feed(self.down.carry(data)):
            self.heard.append(frame)
            del self.heard[:-MOST_HEARD]
            if not self.silent:
                self._answer(*frame)

    def heard_data(self) -> bytes:
        """All 0x2100 bytes that came."""
        return b"".join(info for protocol, _, info in self.heard if protocol == quectel.TRANSPARENT)

    # -- for the control channel
    def be(self, facts: dict[str, Any]) -> None:
        """facts: silent; lose, flip, double of both directions; say, ask, event: have it do so. Raises KeyError."""
        for name, value in facts.items():
            self._DO[name](self, value)

    def facts(self) -> dict[str, Any]:
        return {"model": "meter", "profile": self.profile, "silent": self.silent, "heard": len(self.heard),
                "broken": self.receiver.broken, "values": {f"{ident:04x}": data.hex()
                                                           for ident, data in sorted(self.values.items())},
                **{name: {rate: getattr(wire, rate) for rate in (*Wire.RATES, "frames", "harmed")}
                   for name, wire in (("up", self.up), ("down", self.down))}}

    def _be_silent(self, value: object) -> None:
        self.silent = bool(value)

    def _harm(self, rate: str, value: object) -> None:
        probability = float(str(value))
        if not 0 <= probability <= 1:
            raise ValueError(f"{rate} is a probability, 0 to 1, got {value!r}")
        setattr(self.up, rate, probability)
        setattr(self.down, rate, probability)

    _DO: dict[str, Callable[[Meter, Any], None]] = {
        "silent": _be_silent,
        "lose": lambda self, value: self._harm("lose", value),
        "flip": lambda self, value: self._harm("flip", value),
        "double": lambda self, value: self._harm("double", value),
        "say": lambda self, value: self.say(str(value).encode()),
        "ask": lambda self, value: self.frame(quectel.MODULE, *quectel.get(int(value))),
        "event": lambda self, value: self.frame(quectel.MODULE, *quectel.set_to(int(value), b"\1\1", quectel.EVENT)),
    }

    def _answer(self, protocol: int, command: int, data: bytes) -> None:
        if protocol != quectel.MODULE or len(data) < 2:
            return
        ident = int.from_bytes(data[:2], "little")
        if command == quectel.GET:
            known = self.values.get(ident)
            self.frame(protocol, *(quectel.refused(ident) if known is None else quectel.image(ident, known)))
        elif command == quectel.SET:
            is_known = ident in self.values
            if is_known:
                self.values[ident] = data[3:]
            self.frame(protocol, *quectel.taken(ident, is_known))


class SerialMeter(Meter):
    """A meter in this process at a UART of a board; it hears in a thread of its own."""

    def __init__(self, board: VirtualBoard, port: int, profile: str = QUECTEL) -> None:
        self._board, self._port = board, port
        self._lock = threading.Lock()
        super().__init__(self._put, profile)
        self.plug()

    def __enter__(self) -> SerialMeter:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        self._link.shutdown(socket.SHUT_RDWR)
        self._thread.join(WAIT_S)

    def plug(self) -> None:
        self._link = self._board.cable(self._port)
        self._link.settimeout(None)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _put(self, data: bytes) -> None:
        with self._lock:
            try:
                self._link.sendall(data)
            except OSError:
                self.up.harmed += 1        # the cable is out

    def _listen(self) -> None:
        with self._link as link:
            while data := link.recv(65536):
                self.receive(data)
