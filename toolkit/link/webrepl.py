"""A client of a node's file port: the WebREPL file protocol, as stock MicroPython and our nodes serve it.

What only ours can do goes as a GET of a name that no file has, `?hashes`, and as a PUT of a name that ends with `/`:
see micrOS/source/Staging.py. The stock server drops the session then, so it is asked of nodes of ours only.
"""
from __future__ import annotations

import base64
import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from micrOS.source.pure import webrepl as codec
from toolkit.errors import LinkError, RefusedError, UsageError
from toolkit.link.base import CHUNK_BYTES, dial

PORT = 8266
NAME_BYTES: int = codec.NAME_BYTES
STATUS_BYTES: int = codec.STATUS_BYTES
TIMEOUT_S = 10.0
FRAME_BYTES = 4096              # payload of one frame of a file
MAX_HEAD_BYTES = 4096
MAX_SAID_BYTES = 2048           # of the text a node sends: the last so many are kept
MAX_FILE_BYTES = 16 << 20       # larger than the flash of any board we know
AT_WORK_S = 60.0                # in which a node hashes what it has
LEAVE_S = 2.0                   # for a node that was told to restart
STAGED = ".staged/"             # where a set lies until it takes over, and what it is made of
MANIFEST = "manifest"
_READY = b">>> "                # ends the greeting after a right password
_DENIED = b"denied"

Progress = Callable[[int, int], None]


class WrongPasswordError(RefusedError):
    """Raised when a node wants another password."""


class BusyError(RefusedError):
    """Raised when another client holds the file port: there is one seat."""


class NoMemoryError(RefusedError):
    """Raised when the heap of a running node does not hold a file session; in its update mode it does."""


@dataclass(frozen=True)
class Held:
    """What a node holds.

    files   path -> (bytes, SHA-256 in hex)
    free    bytes of its file system
    mpy     sys.implementation._mpy: which .mpy files it loads
    """

    files: dict[str, tuple[int, str]]
    free: int
    mpy: int


class FileLink:
    """An open, logged-in file session. `name` is how errors call the node."""

    def __init__(
        self, address: str, password: str, port: int = PORT, name: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        """Connects and logs in.

        timeout_s   silence that is taken for a dead node
        Raises LinkError when there is no such server, WrongPasswordError, NoMemoryError, BusyError.
        """
        self.where = f"{address}:{port}"
        self.name = name or self.where
        self._who = f"{name} ({self.where})" if name else self.where      # as errors call it
        self._timeout_s = timeout_s
        self._frames = codec.Frames()
        self._binary = self._said = b""     # payload not yet used, of binary and of text frames
        self._socket = dial(address, port, timeout_s)
        try:
            self._shake_hands()
            self._log_in(password)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def version(self) -> tuple[int, ...]:
        """Version of the MicroPython on the node, three numbers."""
        self._request(codec.VERSION, "")
        return tuple(self._take(3))

    def put(self, name: str, source: bytes | Path, progress: Progress | None = None) -> int:
        """Store a file on the node. Returns its bytes. Raises RefusedError with the node's reason.

        source     the content, or a path to it (OSError when it cannot be read)
        progress   called with (bytes sent, bytes in all)
        """
        data = source.read_bytes() if isinstance(source, Path) else source
        self._request(codec.PUT, name, len(data))
        self._expect_done(name)
        try:
            self._send_file(data, progress or _no_progress)
        except OSError:
            self._lost_within(name)
        self._expect_done(name)
        return len(data)

    def get(self, name: str, progress: Progress | None = None) -> bytes:
        """Content of a file on the node. Raises RefusedError when the node does not give it.

        progress   called with (bytes received, 0): the protocol does not tell the size beforehand
        """
        self._request(codec.GET, name)
        self._expect_done(name)
        data = bytearray()
        while chunk := self._next_chunk():
            data += chunk
            (progress or _no_progress)(len(data), 0)
            if len(data) > MAX_FILE_BYTES:
                raise LinkError(f"{self.name} sends {name} without an end: over {MAX_FILE_BYTES} bytes")
        self._expect_done(name)
        return bytes(data)

    def held(self) -> Held:
        """All that a node of ours holds, hashed there, in one request."""
        with self._patience():
            head, *rows = self.get("?hashes").decode("utf-8", "replace").splitlines()
        try:
            _, free, mpy = head.split(" ")
            return Held({path: (int(size), digest) for path, size, digest in map(_row, rows)}, int(free), int(mpy))
        except ValueError as error:
            raise LinkError(f"{self._who} sent a list that cannot be read: {error}") from None

    def make_folder(self, path: str) -> None:
        """A folder on a node of ours, with those above it; it may be there."""
        self.put(path.rstrip("/") + "/", b"")

    def discard_staged(self) -> None:
        """Forget what was staged on a node of ours."""
        self.get("?discard")

    def activate(self) -> None:
        """Have a node of ours check what is staged and restart with it. Raises RefusedError, with all as it was.

        A link that is lost here leaves both possible: the set stays staged, or takes over.
        """
        with self._patience():
            self.get("?activate")
        end_s = time.monotonic() + LEAVE_S
        with contextlib.suppress(LinkError):
            while time.monotonic() < end_s and self._receive():
                pass
        self.close()

    @contextlib.contextmanager
    def _patience(self) -> Iterator[None]:
        usual_s, self._timeout_s = self._timeout_s, max(self._timeout_s, AT_WORK_S)
        try:
            yield
        finally:
            self._timeout_s = usual_s

    def _shake_hands(self) -> None:
        key = base64.b64encode(os.urandom(16))
        lines = (
            "GET / HTTP/1.1", f"Host: {self.where}", "Connection: Upgrade", "Upgrade: websocket",
            f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13", "", "",
        )
        self._send("\r\n".join(lines).encode())
        head, _, rest = self._head().partition(b"\r\n\r\n")
        if b" 503 " in head.split(b"\r\n")[0]:
            self._turned_away(head.decode("utf-8", "replace").partition(" 503 ")[2].strip())
        if b" 101 " not in head.split(b"\r\n")[0] or codec.accept_key(key) not in head:
            raise LinkError(f"{self.where} is no WebREPL: expected a websocket, got {bytes(head[:40])!r}")
        self._sort(rest)

    def _turned_away(self, reason: str) -> NoReturn:
        raise (NoMemoryError if "memory" in reason else BusyError)(f"{self._who} refused the session: {reason}")

    def _head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MAX_HEAD_BYTES:
            data = self._receive()
            if not data:
                # The stock server has one seat and closes on the second client.
                raise BusyError(f"{self.where} closed the connection: does another client hold its WebREPL?")
            head += data
        return head

    def _log_in(self, password: str) -> None:
        if not password or "\r" in password or "\n" in password:
            raise UsageError(f"{self.name} takes a password of one line, and the one given is empty or longer")
        self._hear(b": ")
        self._said = b""
        self._send(codec.frame(password.encode() + b"\r", codec.TEXT))
        self._hear(_READY, _DENIED)
        if _READY not in self._said:
            reason = self._reason().replace(password, "***")
            if not reason:
                raise LinkError(f"{self._who} closed the connection at the login: did it restart? Try again")
            raise WrongPasswordError(f"{self._who} refused the password: {reason}")

    def _hear(self, *marks: bytes) -> None:
        """Wait until the node has said one of marks, or has closed."""
        while not any(mark in self._said for mark in marks):
            data = self._receive()
            if not data:
                return
            self._sort(data)

    def _request(self, op: int, name: str, size: int = 0) -> None:
        try:
            payload = codec.request(op, name, size)
        except codec.FrameError as error:
            raise UsageError(str(error)) from None
        self._binary = self._said = b""
        self._send(codec.frame(payload))

    def _send_file(self, data: bytes, progress: Progress) -> None:
        """Raises ConnectionError when the node has closed, or has answered before it had the file."""
        self._socket.settimeout(self._timeout_s)
        for at in range(0, len(data), FRAME_BYTES):
            if self._answered_early():
                self.close()      # it may still count the rest, so this session cannot be used for another file
                raise ConnectionAbortedError
            piece = data[at:at + FRAME_BYTES]
            self._socket.sendall(codec.frame(piece))
            progress(at + len(piece), len(data))

    def _answered_early(self) -> bool:
        """True when a status is here before the file is: the node has refused the rest."""
        while select.select([self._socket], [], [], 0)[0]:
            data = self._receive()
            if not data:
                raise ConnectionError
            self._sort(data)
        return len(self._binary) >= STATUS_BYTES

    def _lost_within(self, name: str) -> None:
        """The node closed while a file was on its way: what it said last tells why."""
        with contextlib.suppress(OSError, ValueError):      # ValueError: closed by us
            self._answered_early()
        if len(self._binary) >= STATUS_BYTES:
            return
        if self._reason():
            raise RefusedError(f"{self.name} refused {name}: {self._reason()}")
        raise LinkError(f"{self._who} broke off within {name}: did it restart? Send the file again")

    def _next_chunk(self) -> bytes:
        self._send(codec.frame(b"\0"))
        return self._take(int.from_bytes(self._take(2), "little"))

    def _expect_done(self, name: str) -> None:
        code = self._decoded_status()
        if code:
            raise RefusedError(f"{self.name} refused {name}: {self._reason() or f'code {code}, no reason given'}")

    def _decoded_status(self) -> int:
        try:
            return int(codec.parse_status(self._take(STATUS_BYTES)))
        except codec.FrameError as error:
            raise LinkError(f"{self.where} does not speak the file protocol: {error}") from None

    def _reason(self) -> str:
        return " ".join(str(self._said, "utf-8", "replace").replace(">>>", "").split())

    def _take(self, size: int) -> bytes:
        """Exactly size bytes of binary payload."""
        while len(self._binary) < size:
            data = self._receive()
            if not data:
                self._closed()
            self._sort(data)
        taken, self._binary = self._binary[:size], self._binary[size:]
        return taken

    def _closed(self) -> NoReturn:
        reason = self._reason()
        if reason:
            raise RefusedError(f"{self.name} closed the connection: {reason}")
        raise LinkError(f"{self._who} closed the connection: did it restart? Try again")

    def _sort(self, data: bytes) -> None:
        for opcode, piece in self._frames.feed(data):
            if opcode == codec.BINARY:
                self._binary += piece
            elif opcode == codec.TEXT:
                self._said = (self._said + piece)[-MAX_SAID_BYTES:]
            elif opcode == codec.PING:
                self._send(codec.frame(piece, codec.PONG))

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self._timeout_s)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LinkError(f"{self._who} broke off: {error}") from None

    def _receive(self) -> bytes:
        """What has come, b"" when the node has closed. Raises LinkError on silence."""
        self._socket.settimeout(self._timeout_s)
        try:
            return self._socket.recv(CHUNK_BYTES)
        except TimeoutError:
            raise LinkError(f"{self._who} was silent for {self._timeout_s:g} s: still up?") from None
        except OSError:
            return b""


def _row(row: str) -> tuple[str, str, str]:
    path, size, digest = row.rsplit(" ", 2)
    return path, size, digest


def _no_progress(done: int, total: int) -> None:
    """Progress for a caller who asked for none."""
