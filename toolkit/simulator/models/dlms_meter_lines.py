"""The wires of a simulated COSEM meter: HDLC on a serial line, the wrapper over TCP, the opening by IEC 62056-21.

A line takes octets by feed() and gives what it says to a function; serve_tcp() and serve_stream() put it on a socket.
Source: IEC 62056-46 (HDLC, secondary station), IEC 62056-47 (wrapper), IEC 62056-21 (opening, protocol mode E).
"""
from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from micrOS.source.pure import hdlc, wrapper
from micrOS.source.pure.hdlc_setup import agreed, parameters
from toolkit.simulator.models.dlms_meter import DlmsMeter, Security
from toolkit.simulator.models.dlms_meter_objects import House, house_objects

Say = Callable[[bytes], None]
BAUD = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
MOST_OPENING_OCTETS = 128
PIECE = 4096


@dataclass
class Faults:
    """What goes wrong on the wire; numbers count down.

    silent    it hears nothing and says nothing
    delay_s   before it says something
    damage    answers with a flipped bit in them
    lose      answers that are lost
    deaf      questions that are lost
    """

    silent: bool = False
    delay_s: float = 0.0
    damage: int = 0
    lose: int = 0
    deaf: int = 0

    def hears(self) -> bool:
        if self.deaf:
            self.deaf -= 1
            return False
        return not self.silent

    def spoken(self, octets: bytes) -> bytes:
        """What of it reaches the client."""
        if self.silent:
            return b""
        if self.lose:
            self.lose -= 1
            return b""
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.damage:
            self.damage -= 1
            at = len(octets) // 2
            return octets[:at] + bytes((octets[at] ^ 4,)) + octets[at + 1:]
        return octets


class Line(Protocol):
    def feed(self, octets: bytes) -> None: ...


class HdlcStation:
    """A secondary station.

    address  as address() gives it; takes: octets and frames that it takes at a time; spare: octets of each
    frame that it leaves free, as some meters do
    """

    def __init__(self, meter: DlmsMeter, say: Say, faults: Faults | None = None, address: bytes = b"\x03",
                 takes: tuple[int, int] = (128, 1), spare: int = 0) -> None:
        self.faults = faults or Faults()
        self.frames = hdlc.Frames()
        self._meter = meter
        self._say = say
        self._address = address
        self._takes = takes
        self._spare = spare
        self._links: dict[bytes, _Link] = {}
        self._restarts = meter.restarts

    def feed(self, octets: bytes) -> None:
        for frame in self.frames.feed(octets):
            if frame.destination == self._address and self.faults.hears():
                self._take(frame)

    def _take(self, frame: hdlc.Frame) -> None:
        if self._restarts != self._meter.restarts:
            self._links, self._restarts = {}, self._meter.restarts
        for said in self._answer(frame):
            octets = self.faults.spoken(said.octets())
            if octets:
                self._say(octets)

    def _answer(self, frame: hdlc.Frame) -> list[hdlc.Frame]:
        client = frame.source
        if frame.control == hdlc.SNRM:
            told = agreed(frame.information)
            size, window = self._takes
            self._links[client] = _Link(self._meter, client, self._address, told[6] - self._spare, told[8])
            self._meter.client(client[-1] >> 1)      # the number of a client is one octet
            return [hdlc.Frame(client, self._address, hdlc.UA,
                               parameters(told[6], min(told[5], size), told[8], min(told[7], window)))]
        if frame.control == hdlc.DISC:
            kind = hdlc.UA if self._links.pop(client, None) else hdlc.DM
            return [hdlc.Frame(client, self._address, kind)]
        if client not in self._links:
            return [hdlc.Frame(client, self._address, hdlc.DM)]
        return self._links[client].take(frame)


class _Link:
    def __init__(self, meter: DlmsMeter, client: bytes, address: bytes, size: int, window: int) -> None:
        self._meter = meter
        self._client, self._address = client, address
        self._size, self._window = size, window
        self._next_in = self._next_out = 0
        self._parts = b""
        self._waiting: list[tuple[int, bytes, bool]] = []      # number, information, more: not acknowledged yet

    def take(self, frame: hdlc.Frame) -> list[hdlc.Frame]:
        acknowledged = frame.control >> 5
        numbers = [number for number, _, _ in self._waiting]
        if acknowledged in numbers:
            del self._waiting[:numbers.index(acknowledged)]
        elif acknowledged == (self._next_out & 7):
            self._waiting = []
        is_final = bool(frame.control & 0x10)
        if not frame.is_information:
            return self._speak() if is_final else []
        if frame.control >> 1 & 7 != self._next_in:
            return self._speak() if is_final else []           # once more, or after a lost one
        self._next_in = self._next_in + 1 & 7
        self._parts += frame.information
        if not frame.more:
            whole, self._parts = self._parts, b""
            self._work(whole)
        return self._speak() if is_final else []

    def _work(self, whole: bytes) -> None:
        if whole[:3] != hdlc.CLIENT_LLC:
            return
        restarts = self._meter.restarts
        answer = self._meter.client(self._client[-1] >> 1).answer(whole[3:])
        if answer is None or restarts != self._meter.restarts:
            raise ResetError
        answer = hdlc.METER_LLC + answer
        pieces = [answer[at:at + self._size] for at in range(0, len(answer), self._size)]
        for at, piece in enumerate(pieces):
            self._waiting.append((self._next_out, piece, at < len(pieces) - 1))
            self._next_out = self._next_out + 1 & 7

    def _speak(self) -> list[hdlc.Frame]:
        said = []
        batch = self._waiting[:self._window]
        for at, (number, piece, more) in enumerate(batch):
            final = 0x10 if at == len(batch) - 1 else 0
            said.append(hdlc.Frame(self._client, self._address, self._next_in << 5 | final | number << 1, piece, more))
        return said or [hdlc.Frame(self._client, self._address, self._next_in << 5 | 0x11)]


class ResetError(Exception):
    """Raised when the meter went off amid its work: it says nothing any more."""


class WrapperLine:
    """The meter behind TCP. device: the number of its logical device"""

    def __init__(self, meter: DlmsMeter, say: Say, faults: Faults | None = None, device: int = 1) -> None:
        self.faults = faults or Faults()
        self._meter = meter
        self._say = say
        self._device = device
        self._reader = wrapper.Wrapped(0xFFFF)

    def feed(self, octets: bytes) -> None:
        for source, destination, apdu in self._reader.feed(octets):
            if destination != self._device or not self.faults.hears():
                continue
            answer = self._meter.client(source).answer(apdu)
            if answer is None:
                raise ResetError
            spoken = self.faults.spoken(wrapper.wrap(destination, source, answer))
            if spoken:
                self._say(spoken)


class Opening:
    """Waits for the opening of IEC 62056-21 and hands on to the line behind it.

        /?[address]!  ->  /MIC<baud>\\2SIMULATED  ->  06 2 <baud> 2  ->  06 2 <baud> 2, then HDLC at that rate
    set_baud: called with the rate that the meter speaks from now on
    """

    def __init__(self, line: Line, say: Say, set_baud: Callable[[int], None] = lambda baud: None,
                 baud: str = "5", address: str = "") -> None:
        self._line = line
        self._say = say
        self._set_baud = set_baud
        self._baud = baud
        self._address = address
        self._data = b""
        self.is_open = False

    def feed(self, octets: bytes) -> None:
        if self.is_open:
            self._line.feed(octets)
            return
        self._data = (self._data + octets)[-MOST_OPENING_OCTETS:]
        while b"\r\n" in self._data and not self.is_open:
            line, _, self._data = self._data.partition(b"\r\n")
            self._take(line)

    def close(self) -> None:
        """The line has been silent for long: it begins anew at 300 baud."""
        self.is_open = False
        self._set_baud(300)

    def _take(self, line: bytes) -> None:
        text = line[line.rfind(b"/"):] if b"/" in line else line
        if text in (b"/?!", f"/?{self._address}!".encode()):
            self._say(f"/MIC{self._baud}\\2SIMULATED\r\n".encode())
        elif line[-4:-3] == b"\x06" and line[-3:-2] == b"2" and line[-1:] == b"2":
            chosen = line[-2:-1].decode("ascii", "replace")
            if chosen in BAUD:
                self._say(line[-4:] + b"\r\n")
                self._set_baud(BAUD[chosen])
                self.is_open = True


class AnyLine:
    """HDLC, the wrapper, or an opening by IEC 62056-21: the first octet tells which a client speaks."""

    def __init__(self, meter: DlmsMeter, say: Say, faults: Faults | None = None) -> None:
        self._makes: dict[int, Callable[[], Line]] = {
            0x00: lambda: WrapperLine(meter, say, faults), hdlc.FLAG: lambda: HdlcStation(meter, say, faults),
            ord("/"): lambda: Opening(HdlcStation(meter, say, faults), say)}
        self._line: Line | None = None

    def feed(self, octets: bytes) -> None:
        if octets.startswith(b"/?"):
            self._line = None                    # a head that opens anew
        octets = octets if self._line else octets.lstrip(bytes(set(range(256)) - set(self._makes)))
        if not self._line and octets:
            self._line = self._makes[octets[0]]()
        if self._line:
            self._line.feed(octets)


def house_meter(rows: int = 3000) -> DlmsMeter:
    """Whoever asks may read it; by password 12345678, and under the keys of tests/vectors/dlms.json, too."""
    return DlmsMeter(house_objects(House(), rows), Security(keys=(bytes(range(16)), bytes(range(0xD0, 0xE0)))))


def for_people(port: int, host: str = "127.0.0.1") -> TcpMeter:
    """A house's meter that listens. Raises OSError when the port is taken."""
    meter = house_meter()
    return TcpMeter(lambda say: AnyLine(meter, say), host, port)


class UartMeter:
    """The same on a virtual UART: a model for uart.MODELS. be() takes the words of Faults."""

    def __init__(self, send: Say) -> None:
        self._meter = house_meter()
        self._faults = Faults()
        self._line = AnyLine(self._meter, send, self._faults)

    def receive(self, data: bytes) -> None:
        with contextlib.suppress(ResetError):
            self._line.feed(data)

    def be(self, facts: dict[str, Any]) -> None:
        for name, value in facts.items():
            if name not in vars(Faults()) or name == "delay_s":      # a delay would hold up the whole board
                raise ValueError(f"a DLMS meter has no {name}")
            setattr(self._faults, name, value)

    def facts(self) -> dict[str, Any]:
        return {**vars(self._faults), "asked": self._meter.asked[-5:], "blocks": self._meter.blocks}

    def beat(self) -> None:
        """It never speaks by itself."""


class Served:
    """A line on a socket, in a thread of its own until close()."""

    def __init__(self, work: Callable[[], None], *closing: socket.socket) -> None:
        self._closing = closing
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        for link in self._closing:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()
        self._thread.join(5)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_stream(link: socket.socket, make_line: Callable[[Say], Line]) -> Served:
    """A meter on the other end of a connected socket, such as the cable of a virtual UART."""
    return Served(lambda: _run(link, make_line), link)


def _run(link: socket.socket, make_line: Callable[[Say], Line]) -> None:
    line = make_line(link.sendall)
    while True:
        try:
            data = link.recv(PIECE)
            if not data:
                return
            line.feed(data)
        except ResetError:
            continue
        except (OSError, wrapper.WrapperError):
            return


class TcpMeter(Served):
    """A meter that listens: its `port`. Each connection gets a line of its own; what make_line gives last is `line`."""

    def __init__(self, make_line: Callable[[Say], Line], host: str = "127.0.0.1", port: int = 0) -> None:
        self._door = socket.create_server((host, port))
        self._make_line = make_line
        self._links: list[socket.socket] = []
        self.connections = 0
        self.port: int = self._door.getsockname()[1]
        super().__init__(self._accept, self._door)

    def close(self) -> None:
        super().close()
        self.hang_up()

    def hang_up(self) -> None:
        """The connections break."""
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._links = []

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._door.accept()
            except OSError:
                return
            self.connections += 1
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link:
            _run(link, self._make_line)
