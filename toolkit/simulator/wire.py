"""The requests of the VM (fd 4): lines in, eight-byte answers out. rom/_vboard.py is the other end."""
import logging
import socket
import struct
from collections.abc import Callable

from toolkit.simulator.errors import BoardFault
from toolkit.simulator.silicon import Answer

HEAD = struct.Struct(">BxHi")  # kind 1 | 0 1 | size 2 | value 4
SYNC = b"\xffvboard"           # and one byte, the number of the request
KINDS = {"ValueError": 2, "RuntimeError": 3, "OSError": 4}
INT, BYTES = 0, 1
MAX_KEPT = 16                  # answers that wait to be fetched
MAX_LINE = 64 * 1024
MISTAKES = (KeyError, ValueError, TypeError, OverflowError)    # a line that is no request of our shims

log = logging.getLogger(__name__)


class Wire:
    """One VM's requests, in the order in which the program made them.

    obey    does one line and returns the answer; raises BoardFault
    """

    def __init__(self, link: socket.socket, obey: Callable[[str], Answer]) -> None:
        self._link = link
        self._obey = obey
        self._rest = b""
        self._kept: dict[int, bytes] = {}
        self._token = 0
        self._open = True
        link.setblocking(False)

    def fileno(self) -> int:
        return self._link.fileno()

    def close(self) -> None:
        self._open = False
        self._link.close()

    def drain(self) -> bool:
        """Do all that has come. False when the VM has closed its end."""
        while self._open:
            try:
                data = self._link.recv(65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._feed(data)
        return False

    def _feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            log.error("a request of more than %d bytes was dropped", MAX_LINE)
            self._rest = b""
        for line in lines:
            if line and self._open:     # a request may have ended this VM
                self._do(line.decode("utf-8", "replace"))

    def _do(self, line: str) -> None:
        if not line.startswith("?"):
            self._told(line)
        elif line.startswith("?more "):
            self._send(self._kept.pop(int(line[6:]), b""))
        elif line.startswith("?sync "):
            self._send(SYNC + bytes((int(line[6:]) & 255,)))
        else:
            self._send(self._answer(line[1:]))

    def _told(self, line: str) -> None:
        try:
            self._obey(line)
        except (BoardFault, *MISTAKES) as error:
            log.error("the board said %r: %r", line, error)

    def _answer(self, line: str) -> bytes:
        try:
            answer = self._obey(line)
        except BoardFault as fault:
            if isinstance(fault.reason, int):
                return HEAD.pack(KINDS["OSError"], 0, fault.reason)
            return self._keep(KINDS[fault.kind], fault.reason.encode())
        except MISTAKES as error:
            log.error("the board asked %r: %r", line, error)
            return self._keep(KINDS["ValueError"], f"the virtual board has no {line!r}".encode())
        if isinstance(answer, str):
            answer = answer.encode()
        return self._keep(BYTES, answer) if isinstance(answer, bytes) else HEAD.pack(INT, 0, answer or 0)

    def _keep(self, kind: int, body: bytes) -> bytes:
        self._token = (self._token + 1) & 0xFFFFFF
        if len(self._kept) >= MAX_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[self._token] = body
        return HEAD.pack(kind, len(body), self._token)

    def _send(self, data: bytes) -> None:
        try:
            self._link.sendall(data)   # at most 64 KiB, and the VM is waiting for just that
        except OSError:
            self._open = False
