"""The network card: the built-in sockets, with this board's own address and ports."""
import usocket as _socket
from _vboard import ask


def __getattr__(name):
    if name == "__all__":
        return [known for known in dir(_socket) if known[0] != "_"]
    return getattr(_socket, name)


def getaddrinfo(host, port, *rest):
    """As the built-in one. Sockets are used as they are: names and ports are the only thing that differs."""
    own = str(ask("get address\n"), "utf-8")
    if host in ("", "0.0.0.0", own):
        host = own
        # lwIP has all ports to itself, the host has not
        port = ask("get shell\n") if port == 9008 else ask("get webrepl\n") if port == 8266 else port
    elif not ask("get up\n"):
        raise OSError(-202)    # EAI_FAIL of lwIP, what the port raises without a network
    elif host == "255.255.255.255" and own.startswith("127."):
        host = "127.255.255.255"
    return _socket.getaddrinfo(host, port, *rest)
