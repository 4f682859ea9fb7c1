"""Sockets, time and files below the cloud's agents and connectors: those of a board, or those of a host."""
import sys

if sys.implementation.name == "micropython":
    from pure import mqtt, mqtt_session      # noqa: F401
    from .ground_board import *              # noqa: F403

    def __getattr__(name):
        """pure/http.py is for files and relays only, pure/tr50.py for the agent, board_log.py for who logs."""
        if name in ("http", "tr50"):
            return getattr(__import__("pure." + name), name)
        if name not in ("log", "log_level"):
            raise AttributeError(name)
        from . import board_log
        return getattr(board_log, name)
else:
    from ..pure import http, mqtt, mqtt_session, tr50      # noqa: F401
    from .ground_host import *               # noqa: F403

OPEN_S = 10                    # for a connection, its TLS too
WRITE_S = 10                   # for the other end to take what we say


class Trust:
    """Whom to believe behind TLS. ca: file of an authority (board: DER, host: PEM), None: those of the system

    is_checked: False believes whoever answers; proxy: None or {type, host, port, username, password}, on a host
    """

    def __init__(self, ca=None, is_checked=True, proxy=None):
        self.ca, self.is_checked, self.proxy = ca, is_checked, proxy
