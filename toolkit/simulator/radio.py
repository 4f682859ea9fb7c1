"""The board's radio, on request: what it says and hears passes through here, to be lost or slowed as Wi-Fi does.

A Door stands before a server of the board: outside it has the server's port, the program listens on a hidden one.
An Exit is where the program finds a place outside; it leads there by TCP and by UDP.
While the network is down connections stand still, and go on when it is back; UDP is lost.
"""
import contextlib
import errno
import ipaddress
import selectors
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.simulator.errors import BoardFault, SimulatorError

MAX_WAITING = 64 * 1024        # bytes on their way in one direction
NODE_WINDOW = 4096             # receive buffer towards the program: while nothing moves it cannot say much more
MAX_LINKS = 256
MAX_EXITS = 128
MAX_SENDERS = 32               # UDP sockets of the program that use one Exit
CHUNK = 16 * 1024
EAI_FAIL, ENFILE = -202, 23    # as the port has them
BUSY = (errno.EAGAIN, errno.EINPROGRESS, errno.ENOTCONN)
# socket(7) SO_ATTACH_FILTER, linux/filter.h: one instruction, `return 0`: every packet to this socket is dropped
ATTACH_FILTER, DETACH_FILTER = 26, 27
DROP_ALL = struct.pack("HBBI", 6, 0, 0, 0)

Place = tuple[str, int]
Watch = Callable[[Any, Callable[[], object], int], None]


class Flow:
    """One direction of a connection; b"" stands for its end."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._has_ended = False
        self.is_stuck = False  # the sink takes no more
        self.is_over = False

    def wants_more(self) -> bool:
        return not self._has_ended and self._bytes < MAX_WAITING

    def due_s(self) -> float | None:
        """When the next bytes arrive, in time.monotonic()."""
        return self._waiting[0][0] if self._waiting and not self.is_stuck else None

    def move(self, now_s: float, delay_s: float) -> None:
        """Take what has come and pass on what is due. Raises OSError when one side is gone."""
        while self.wants_more() and (data := _unless_busy(lambda: self.source.recv(CHUNK))) is not None:
            self._waiting.append((now_s + delay_s, data))
            self._bytes += len(data)
            self._has_ended = not data
        while self._waiting and self._waiting[0][0] <= now_s:
            due_s, data = self._waiting[0]
            sent = self._send(data) if data else self._end()
            if self.is_stuck:
                return
            self._waiting.popleft()
            self._bytes -= sent
            if sent < len(data):
                self._waiting.appendleft((due_s, data[sent:]))

    def _send(self, data: bytes) -> int:
        sent = _unless_busy(lambda: self.sink.send(data))
        self.is_stuck = sent is None
        return sent or 0

    def _end(self) -> int:
        self.is_over = True
        with contextlib.suppress(OSError):
            self.sink.shutdown(socket.SHUT_WR)
        return 0


class Link:
    """One connection: near is the program's side, far the outside's."""

    def __init__(self, radio: "Radio", near: socket.socket, far: socket.socket) -> None:
        self._radio = radio
        self._ends = (near, far)
        self._flows = (Flow(near, far), Flow(far, near))
        for end in self._ends:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        radio.links.append(self)

    def move(self) -> None:
        """Pass on what can be; nothing while the network is down."""
        out, back = self._flows
        if not self._radio.is_up:
            self._watch((0, 0))
        elif not self._moved():
            self.cut()
        elif out.is_over and back.is_over:
            self._close()
        else:
            self._watch((_mask(out, back), _mask(back, out)))

    def _moved(self) -> bool:
        """False when one side is gone."""
        now_s = time.monotonic()
        try:
            for flow in self._flows:
                flow.move(now_s, self._radio.delay_s)
        except OSError:
            return False
        return True

    def due_s(self) -> float | None:
        return min((due for flow in self._flows if (due := flow.due_s()) is not None), default=None)

    def cut(self) -> None:
        """Both ends learn of it by RST."""
        for end in self._ends:
            _reset_on_close(end)
        self._close()

    def _watch(self, masks: tuple[int, int]) -> None:
        for end, mask in zip(self._ends, masks, strict=True):
            self._radio.watch(end, self.move, mask)

    def _close(self) -> None:
        self._watch((0, 0))
        for end in self._ends:
            end.close()
        self._radio.links.remove(self)


class Door:
    """inner: the port on which the program listens."""

    def __init__(self, radio: "Radio", address: str, port: int) -> None:
        self._radio = radio
        self._address = address
        self.port = port
        with socket.create_server((address, 0)) as free:
            self.inner = int(free.getsockname()[1])
        self._listener = socket.create_server((address, port))
        self._listener.setblocking(False)
        radio.watch(self._listener, self._enter, selectors.EVENT_READ)

    def set(self, is_up: bool) -> None:
        """While the network is down who knocks hears nothing; elsewhere than on Linux he is refused."""
        if sys.platform.startswith("linux"):
            _mute(self._listener, not is_up)
        elif is_up:
            self._listener.listen()
        else:
            self.close()
            self._listener = _bound(self._address, self.port)
        self._radio.watch(self._listener, self._enter, selectors.EVENT_READ if is_up else 0)

    def close(self) -> None:
        self._radio.watch(self._listener, self._enter, 0)
        self._listener.close()

    def _enter(self) -> None:
        visitor = _visitor(self._listener)
        if not visitor:
            return
        far, client = visitor
        near = socket.socket()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NODE_WINDOW)
        with contextlib.suppress(OSError):             # the program shall see who it is; 127/8 is ours on Linux
            near.bind((client[0], 0))
        self._radio.join(near, far, near, (self._address, self.inner))


class Exit:
    """port: where the program finds `place`, on 127.0.0.1."""

    def __init__(self, radio: "Radio", place: Place) -> None:
        self._radio = radio
        self._place = place
        self._senders: dict[Place, socket.socket] = {}
        self._listener = _bound("127.0.0.1", 0)
        self.port = int(self._listener.getsockname()[1])
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind(("127.0.0.1", self.port))
        self._datagrams.setblocking(False)
        radio.watch(self._datagrams, self._send, selectors.EVENT_READ)
        self._listen()

    def set(self, is_up: bool) -> None:
        if is_up:
            self._listen()
        else:
            self._radio.watch(self._listener, self._leave, 0)
            self._listener.close()
            self._listener = _bound("127.0.0.1", self.port)      # bound without listening: the program is refused

    def close(self) -> None:
        for link in (self._listener, self._datagrams, *self._senders.values()):
            self._radio.watch(link, self._leave, 0)
            link.close()

    def _listen(self) -> None:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NODE_WINDOW)
        self._listener.setblocking(False)
        self._listener.listen()
        self._radio.watch(self._listener, self._leave, selectors.EVENT_READ)

    def _leave(self) -> None:
        visitor = _visitor(self._listener)
        if visitor:
            far = socket.socket()
            self._radio.join(visitor[0], far, far, self._place)

    def _send(self) -> None:
        received = _unless_busy(lambda: self._datagrams.recvfrom(65536))
        if received and self._radio.is_up:
            with contextlib.suppress(OSError):         # nobody is there: UDP does not care
                self._sender(received[1]).send(received[0])

    def _sender(self, program: Place) -> socket.socket:
        """The socket that stands outside for one of the program's."""
        if program not in self._senders:
            if len(self._senders) >= MAX_SENDERS:
                oldest = self._senders.pop(next(iter(self._senders)))
                self._radio.watch(oldest, self._leave, 0)
                oldest.close()
            sender = self._senders[program] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sender.setblocking(False)
            sender.connect(self._place)
            self._radio.watch(sender, lambda: self._answer(sender, program), selectors.EVENT_READ)
        return self._senders[program]

    def _answer(self, sender: socket.socket, program: Place) -> None:
        with contextlib.suppress(OSError):
            data = sender.recv(65536)
            if self._radio.is_up:
                self._datagrams.sendto(data, program)


class Radio:
    """watch: of the board's loop: (socket, function, mask), mask 0 = no longer"""

    def __init__(self, address: str, ports: Sequence[int], watch: Watch) -> None:
        self.watch = watch
        self.is_up = True
        self.delay_s = 0.0
        self.links: list[Link] = []
        self._exits: dict[Place, Exit] = {}
        self._doors: dict[int, Door] = {}
        try:
            for port in ports:
                self._doors[port] = Door(self, address, port)
        except OSError as error:
            self.close()
            raise SimulatorError(f"{address}:{port} cannot be a door of the radio: {error.strerror}") from None

    def inner(self, port: int) -> int:
        """Where the program listens when it asks for this port."""
        return self._doors[port].inner if port in self._doors else port

    def exit(self, place: Place) -> Place:
        """Where the program finds a place outside; the board stands still while the host looks a name up.

        Raises BoardFault when it leads nowhere.
        """
        address, port = place
        if not is_address(address):
            address = _looked_up(address)
        if not _is_for_one(address):
            return address, port
        if (address, port) not in self._exits:
            if len(self._exits) >= MAX_EXITS:
                raise BoardFault("OSError", ENFILE)
            self._exits[address, port] = Exit(self, (address, port))
        return "127.0.0.1", self._exits[address, port].port

    def set(self, is_up: bool, delay_s: float) -> None:
        self.delay_s = delay_s
        if is_up != self.is_up:
            self.is_up = is_up
            for way in self._ways():
                way.set(is_up)
        for link in list(self.links):
            link.move()

    def next_due_s(self) -> float | None:
        """When tick() shall be called, in time.monotonic()."""
        if not self.is_up:
            return None
        return min((due for link in self.links if (due := link.due_s()) is not None), default=None)

    def tick(self) -> None:
        if not self.is_up:
            return
        now_s = time.monotonic()
        for link in list(self.links):
            if (due := link.due_s()) is not None and due <= now_s:
                link.move()

    def join(self, near: socket.socket, far: socket.socket, mine: socket.socket, place: Place) -> None:
        """Make a Link of a connection that came and of `mine`, which goes to the place."""
        mine.setblocking(False)
        link = Link(self, near, far)
        if len(self.links) > MAX_LINKS or mine.connect_ex(place) not in (0, errno.EINPROGRESS):
            link.cut()
        else:
            link.move()

    def close(self) -> None:
        for link in list(self.links):
            link.cut()
        for way in self._ways():
            way.close()

    def _ways(self) -> "list[Door | Exit]":
        return [*self._doors.values(), *self._exits.values()]


def is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _is_for_one(address: str) -> bool:
    """Neither broadcast nor multicast; what is IPv6 goes its own way too."""
    parsed = ipaddress.ip_address(address)
    return parsed.version == 4 and not parsed.is_multicast and not address.endswith(".255")


def _looked_up(name: str) -> str:
    try:
        return str(socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError:
        raise BoardFault("OSError", EAI_FAIL) from None


def _unless_busy(call: Callable[[], Any]) -> Any:
    """What the call gives, None when the socket has no data or no room."""
    try:
        return call()
    except OSError as error:
        if error.errno in BUSY:
            return None
        raise


def _visitor(listener: socket.socket) -> tuple[socket.socket, Place] | None:
    """(connection, where it comes from); None when who knocked has gone."""
    try:
        return listener.accept()
    except OSError:
        return None


def _mask(out: Flow, back: Flow) -> int:
    """What the source of `out`, sink of `back`, waits for."""
    return (selectors.EVENT_READ if out.wants_more() else 0) | (selectors.EVENT_WRITE if back.is_stuck else 0)


def _bound(address: str, port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((address, port))
    return bound


def _reset_on_close(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _mute(listener: socket.socket, is_mute: bool) -> None:
    import ctypes
    if is_mute:
        program = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
        listener.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
    else:
        listener.setsockopt(socket.SOL_SOCKET, DETACH_FILTER, 0)
