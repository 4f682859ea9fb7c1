"""The clients of the shell rows: ordinary sockets, one request in flight each, the same code for every server."""
import selectors
import socket
import time
from types import TracebackType
from typing import Self

from toolkit.simulator.api import VirtualBoard

SILENCE_S = 5.0                # of a server that is taken for dead
READ_BYTES = 4096
RETRY_S = 0.0002


class Crowd:
    """Clients of one server, all connected.

    end      the last bytes of every answer
    greets   True when the server speaks first
    """

    def __init__(self, board: VirtualBoard, clients: int, end: bytes, greets: bool) -> None:
        self._end = end
        self._selector = selectors.DefaultSelector()
        self._links = [connected(board) for _ in range(clients)]
        for link in self._links:
            self._selector.register(link, selectors.EVENT_READ)
            if greets:
                self._hear(link)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._selector.close()
        for link in self._links:
            link.close()

    def rate(self, line: bytes, requests: int) -> float:
        """Requests per second; each client sends the line again as soon as it has its answer."""
        begun = time.perf_counter()
        if len(self._links) == 1:
            self._alone(line, requests)
        else:
            self._together(line, requests)
        return requests / (time.perf_counter() - begun)

    def _alone(self, line: bytes, requests: int) -> None:
        """Without a selector, whose price only the client pays."""
        link = self._links[0]
        for _ in range(requests):
            link.send(line)
            self._hear(link)

    def _together(self, line: bytes, requests: int) -> None:
        for link in self._links:
            link.send(line)
        to_send, to_hear = requests - len(self._links), requests
        while to_hear:
            for link in self._ready():
                self._hear(link)
                to_hear -= 1
                if to_send:
                    link.send(line)
                    to_send -= 1

    def _ready(self) -> list[socket.socket]:
        events = self._selector.select(SILENCE_S)
        if not events:
            raise TimeoutError(f"none of {len(self._links)} clients had an answer in {SILENCE_S} s")
        return [key.fileobj for key, _ in events]      # type: ignore[misc]

    def _hear(self, link: socket.socket) -> None:
        answer = b""
        while not answer.endswith(self._end):
            data = link.recv(READ_BYTES)
            if not data:
                raise ConnectionError(f"the board closed the connection after {answer!r}")
            answer += data


def connected(board: VirtualBoard) -> socket.socket:
    """A connection as any client has it, no TCP_NODELAY. Waits for a board that does not accept yet."""
    deadline = time.monotonic() + SILENCE_S
    while True:
        try:
            return socket.create_connection((board.address, board.shell_port), SILENCE_S)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
