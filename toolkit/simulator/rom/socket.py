"""The network card: the built-in sockets, in the world that the host has put around this board."""
import usocket as _socket
from _vboard import ask


def __getattr__(name):
    if name == "__all__":
        return [known for known in dir(_socket) if known[0] != "_"]
    return getattr(_socket, name)


def getaddrinfo(host, port, *rest):
    """As the built-in one. Sockets are used as they are: where names and ports lead is the only thing that differs."""
    if isinstance(host, str):
        host = host.encode()
    host, port = str(ask("resolve %s %s\n" % (host.hex(), port)), "utf-8").split()
    return _socket.getaddrinfo(host, int(port), *rest)
