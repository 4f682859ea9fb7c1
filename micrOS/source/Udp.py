"""Sockets on all ports alike: where they lead, what datagrams they have heard; in memory only while one asks."""
import socket
from errno import EINPROGRESS

from micropython import const

from Network import net

_MOST_BYTES = const(512)       # of a datagram that are looked at


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


def is_address(host):
    """True for four numbers with dots between them."""
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts)


def place(host, port):
    """What sendto() and connect() take. Raises OSError.

    A name is looked up, and that holds up the node as long as the name server does: MicroPython has no other way.
    Without a network it would take the longest, so then nobody is asked.
    """
    if not is_address(host) and not net().station.isconnected():
        raise OSError("there is no network")
    return socket.getaddrinfo(host, port)[0][-1]


def connect(link, host, port):
    """Begin to connect by TCP; reading or writing shows how it went. Raises OSError."""
    link.setblocking(False)
    try:
        link.connect(place(host, port))
    except OSError as error:
        if error.errno != EINPROGRESS:
            raise


def sender(peer):
    """(address, port) of what heard() gave; the unix port has raw sockaddr bytes."""
    if isinstance(peer, tuple):
        return peer[:2]
    _, address, port = socket.sockaddr(peer)[:3]
    return ".".join([str(number) for number in address]), port


def heard(link):
    """(data, peer) of the next datagram that has come, None when there is none."""
    try:
        return link.recvfrom(_MOST_BYTES)
    except OSError:
        return None
