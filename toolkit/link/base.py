"""What every link over TCP shares: dialing, and a clear line for what went wrong."""
from __future__ import annotations

import errno
import socket

from toolkit.errors import LinkError

CHUNK_BYTES = 65536

_ADVICE = {
    errno.ECONNREFUSED: "nothing listens on that port: has the node booted, and is it the right port?",
    errno.EHOSTUNREACH: "no host has that address: is the node powered and on this network?",
    errno.ENETUNREACH: "there is no way to that network: is this machine connected to it?",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


def dial(address: str, port: int, timeout_s: float) -> socket.socket:
    """Open TCP socket, small writes sent at once. Raises LinkError that names the address and what to check."""
    try:
        sock = socket.create_connection((address, port), timeout_s)
    except OSError as error:
        raise LinkError(f"{address}:{port} cannot be reached: {_advice(error, timeout_s)}") from None
    return _sent_at_once(sock)


def _sent_at_once(sock: socket.socket) -> socket.socket:
    # Small writes that wait for the ACK of the one before cost 40 ms each (Nagle against delayed ACK).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _advice(error: OSError, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s: is the node powered and on this network?"
    if isinstance(error, socket.gaierror):
        return "no host has that name: use its address, or search for it with devToolKit.py --search_devices"
    return _ADVICE.get(error.errno or 0, str(error))
