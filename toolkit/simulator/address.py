"""Finds a board an address of its own, and says who has it when it is taken."""
import errno
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from toolkit.simulator.errors import SimulatorError

AUTO = "auto"
SHELL_PORT, WEBREPL_PORT = 9008, 8266
RFC2217_PORT = 2217            # of the serial line, when it is asked for
CLAIM_PORT = 9006              # held by a board's process as long as it has the address
MAX_BOARDS = 500


@dataclass
class Place:
    """Where a board listens. claim: keeps other boards away until it is closed."""

    address: str
    shell_port: int
    webrepl_port: int
    claim: list[socket.socket] = field(default_factory=list)

    def close(self) -> None:
        for held in self.claim:
            held.close()


def take(address: str, shell_port: int, webrepl_port: int) -> Place:
    """The place asked for, or with "auto" the next free one. Raises SimulatorError naming what is in use."""
    if address == AUTO:
        return _next_free()
    place = Place(address, shell_port, webrepl_port)
    for port in (shell_port, webrepl_port):
        _bind(address, port).close()
    return place


def _candidates() -> Iterator[tuple[str, int, int, int]]:
    """Every address of 127/8 exists on Linux; elsewhere there is one, and the ports differ instead."""
    for number in range(MAX_BOARDS):
        if sys.platform.startswith("linux"):
            yield f"127.0.{1 + number // 250}.{number % 250 + 1}", SHELL_PORT, WEBREPL_PORT, CLAIM_PORT
        else:
            yield "127.0.0.1", 20000 + number, 21000 + number, 22000 + number


def _next_free() -> Place:
    refusal: SimulatorError | None = None
    for address, shell_port, webrepl_port, claim_port in _candidates():
        held: list[socket.socket] = []
        try:
            held.append(_bind(address, claim_port))
            for port in (shell_port, webrepl_port):
                _bind(address, port).close()
            return Place(address, shell_port, webrepl_port, held)
        except SimulatorError as error:
            refusal = error
            for claim in held:
                claim.close()
    raise SimulatorError(f"no address in 127.0.1.x is free; the last one tried: {refusal}")


def _bind(address: str, port: int) -> socket.socket:
    bound = socket.socket()
    # as the board's own server does: connections that fade away are no hindrance, a listener is
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        bound.listen(1)
    except (OSError, OverflowError) as error:
        bound.close()
        raise SimulatorError(_refusal(address, port, error)) from None
    return bound


def _refusal(address: str, port: int, error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return (f"{address}:{port} is in use, perhaps by another board: end it, or choose another place "
                f"with --address 127.0.0.2 or --shell-port and --webrepl-port")
    return f"{address}:{port} cannot be used: {error}"


def is_listening(address: str, port: int) -> bool:
    """True when somebody accepts there; on Linux without being a visitor to the board."""
    if not sys.platform.startswith("linux"):
        return _answers(address, port)
    with socket.socket() as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)     # a listener hinders it, and is not hindered
        try:
            same.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _answers(address: str, port: int) -> bool:
    with socket.socket() as visitor:
        visitor.settimeout(0.5)
        return visitor.connect_ex((address, port)) == 0
