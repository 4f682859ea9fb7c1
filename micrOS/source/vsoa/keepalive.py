"""TCP's own question whether a silent peer is still there."""
import socket

from .ground import option

_LOST = 3                      # questions without an answer that end the connection


def keep_alive(link, idle_s):
    """Ask after idle_s of silence, and then as often. Ports that do not name their options keep their own times."""
    option(link, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", idle_s), ("TCP_KEEPINTVL", idle_s), ("TCP_KEEPCNT", _LOST)):
        if hasattr(socket, name):
            option(link, 6, getattr(socket, name), int(value))
