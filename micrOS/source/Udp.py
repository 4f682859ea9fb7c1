"""Datagrams on all ports alike: a socket that asks, who has answered, until when to wait; in memory only for that."""
import asyncio
import socket
import time

_MOST_BYTES = 512              # of a datagram that are looked at


def opened():
    """A socket of our own address, on any port; it may send to everybody. Raises OSError."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        link.bind(place("0.0.0.0", 0))
        link.setblocking(False)
        return link
    except OSError:
        link.close()
        raise


def place(host, port):
    """What sendto() takes. Raises OSError."""
    return socket.getaddrinfo(host, port)[0][-1]


def sender(peer):
    """(address, port) of what recvfrom() gave; the unix port has raw sockaddr bytes."""
    if isinstance(peer, tuple):
        return peer[:2]
    _, address, port = socket.sockaddr(peer)[:3]
    return ".".join([str(number) for number in address]), port


async def heard(link, end_ms):
    """(data, peer) of the next datagram, None when none has come by then. end_ms: as time.ticks_ms() counts."""
    try:
        return await asyncio.wait_for_ms(_next(link), max(0, time.ticks_diff(end_ms, time.ticks_ms())))
    except asyncio.TimeoutError:
        return None


async def _next(link):
    yield asyncio.core._io_queue.queue_read(link)
    return link.recvfrom(_MOST_BYTES)
