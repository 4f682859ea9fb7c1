"""QFrame's TcpClient and Uart where there is no QFrame: the same names, on the node's own loop."""
import asyncio

from micropython import const

from Debug import errlog_add, trace
from meter.link import Link, tcp, uart
from TaskManager import manager

_MOST_WAITING = const(32)        # pieces that wait to be sent
_current = []


def CurrentApp():                # noqa: N802 - QFrame's name
    """The application that extensions were given last. Raises RuntimeError before."""
    if not _current:
        raise RuntimeError("Working outside of application context.")
    return _current[0]


class _Extension:
    """app: has config (mapping), append_extension(self) and its extensions as attributes"""

    def __init__(self, name, app=None):
        self.name = name
        self.link = None
        self.lost = 0            # pieces that were not taken
        self._waiting = 0
        if app:
            self.init_app(app)

    def init_app(self, app):
        _current[:] = [app]
        self._opened = self._place(app.config)
        app.append_extension(self)

    def load(self):
        self.link = Link(self.name, self._opened, self._take, lambda is_up, why: None)
        manager().start("meter." + self.name, self.link.run())

    def recv_callback(self, data):
        raise NotImplementedError("{} needs a recv_callback(data)".format(type(self).__name__))

    def _post(self, data):
        """Have it sent in its turn. False when it cannot be: it is lost, and counted."""
        if not self.link or not self.link.is_up or self._waiting >= _MOST_WAITING:
            self.lost += 1
            return False
        self._waiting += 1
        asyncio.create_task(self._deliver(bytes(data)))
        return True

    async def _deliver(self, data):
        try:
            await self.link.send(data)
        finally:
            self._waiting -= 1

    async def _take(self, data):
        try:
            self.recv_callback(data)
        except Exception as error:       # outer wall: a program's mistake must not end its line
            trace(error)
            errlog_add("[ERR] {}: {}".format(self.name, error))


class TcpClient(_Extension):
    """config TCP_SERVER: host, port"""

    def send(self, data):
        """True when it is on its way."""
        return self._post(data)

    def _place(self, config):
        how = config["TCP_SERVER"]
        return tcp(how["host"], int(how["port"]))


class Uart(_Extension):
    """config UART: port, baudrate"""

    def write(self, data):
        return self._post(data)

    def _place(self, config):
        how = config["UART"]
        return uart(how.get("port", 2), how.get("baudrate", 115200), {})
