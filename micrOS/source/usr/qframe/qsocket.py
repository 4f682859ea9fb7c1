"""QFrame's sockets: reading and writing waits in the guest's thread, the node goes on."""
from errno import EAGAIN, ETIMEDOUT
import select
import socket

import blocking
from Udp import connect, place

_CLOSED, _CONNECTED, _BROKEN = 99, 4, 99      # status_code: as getsocketsta(), 4 is an established connection
_WRITE_FAILED, _READ_FAILED = 99, 98
_WRITE_S = 30                     # that the other side may take nothing


class SocketTimeoutError(OSError):
    """Raised when nothing came in time."""


class _Socket:
    TimeoutError = SocketTimeoutError

    def __init__(self, host, port, timeout=None, keep_alive=None):
        self.host = host
        self.port = port
        self.timeout = timeout           # s; None: for ever
        self.keep_alive = keep_alive
        self._link = None

    def disconnect(self):
        """True"""
        if self._link:
            self._poll.unregister(self._link)
            self._link.close()
            self._link = None
        return True

    def _bind(self, link):
        self._link = link
        self._poll = select.poll()
        self._poll.register(link, select.POLLIN)

    def _bound(self):
        if self._link is None:
            raise ValueError("Socket Unbound Error")
        return self._link

    def _await(self, event, timeout_s, what):
        """Until it can be read or written. Raises SocketTimeoutError."""
        link = self._bound()
        self._poll.modify(link, event)
        timeout_ms = None if timeout_s is None else int(1000 * timeout_s)
        if not blocking.until(lambda: self._link is not link or self._poll.poll(0), timeout_ms, what):
            raise SocketTimeoutError(ETIMEDOUT)
        return self._bound()


class TcpSocket(_Socket):
    """timeout: s, None for ever; keep_alive: true to have the connection looked after"""

    def connect(self):
        """Raises OSError, SocketTimeoutError."""
        self.disconnect()
        link = socket.socket()
        try:
            connect(link, self.host, self.port)
            self._bind(link)
            self._await(select.POLLOUT, self.timeout, "TcpSocket.connect()")
            link.send(b"")               # raises what became of the connection
            if self.keep_alive and hasattr(socket, "SO_KEEPALIVE"):
                link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except BaseException:
            if self._link is None:
                link.close()
            self.disconnect()
            raise

    def write(self, data):
        """True when all of it is on its way."""
        link = self._bound()
        data, sent = memoryview(data), 0
        try:
            while sent < len(data):
                try:
                    sent += link.send(data[sent:])
                except OSError as error:
                    if error.errno != EAGAIN:
                        raise
                    self._await_writable()
        except (OSError, ValueError):
            return False
        return True

    def read(self, size=1024):
        """Up to size bytes, b"" when the other side has closed. Raises OSError, SocketTimeoutError, ValueError."""
        link = self._bound()
        while True:
            try:
                return link.recv(size)
            except OSError as error:
                if error.errno != EAGAIN:
                    raise
            self._await(select.POLLIN, self.timeout, "TcpSocket.read()")

    def status_code(self):
        return _CLOSED if self._link is None else _CONNECTED

    def _await_writable(self):
        """With a poll of its own: another thread reads meanwhile."""
        poll = select.poll()
        link = self._bound()
        poll.register(link, select.POLLOUT)
        blocking.until(lambda: self._link is not link or poll.poll(0), 1000 * _WRITE_S, "TcpSocket.write()")
        if self._bound() and not poll.poll(0):
            raise SocketTimeoutError(ETIMEDOUT)


class UdpSocket(_Socket):
    """Datagrams to and from one peer."""

    def __init__(self, host, port, timeout=None, keep_alive=None):
        super().__init__(host, port, timeout, keep_alive)
        self._status = 0

    def connect(self):
        """Raises OSError."""
        self.disconnect()
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            link.setblocking(False)
            link.connect(place(self.host, self.port))
        except OSError:
            link.close()
            raise
        self._bind(link)
        self._status = 0

    def write(self, data):
        try:
            self._bound().send(data)
            return True
        except OSError:
            self._status = _WRITE_FAILED
            return False

    def read(self, size=1024):
        """Raises OSError, SocketTimeoutError, ValueError."""
        try:
            return self._await(select.POLLIN, self.timeout, "UdpSocket.read()").recv(size)
        except SocketTimeoutError:
            raise
        except OSError:
            self._status = _READ_FAILED
            raise

    def status_code(self):
        """0, 99 after a write that failed, 98 after such a read."""
        return self._status
