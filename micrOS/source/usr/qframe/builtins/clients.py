"""QFrame's TCP client, which comes back by itself, and its SMS client."""
import time

from micropython import const

import blocking
from usr.qframe.core import AppExtensionABC
from usr.qframe.logging import getLogger
from usr.qframe.qsocket import TcpSocket
from usr.qframe.threading import Lock, Thread

_PIECE_BYTES = const(1024)
_PAUSE_MS = const(10000)         # between two tries to connect
_TIMEOUT_S = const(60)           # of one try, where the settings name none

logger = getLogger("client")


class TcpClient(AppExtensionABC):
    """config TCP_SERVER: host, port, timeout (s), keep_alive. Give it a recv_callback(data)."""

    def __init__(self, name=None, app=None):
        self._socket = self._reader = self._bringer = None
        self._is_closed = False
        self._turn, self._linking = Lock(), Lock()
        super().__init__(name, app)

    def init_app(self, app):
        how = app.config["TCP_SERVER"]
        self._socket = TcpSocket(how["host"], int(how["port"]), how.get("timeout") or _TIMEOUT_S, how.get("keep_alive"))
        app.append_extension(self)

    def load(self):
        """Connect; if that fails now, it is tried on."""
        if not self.connect():
            self._bring_back()

    def close(self):
        self._is_closed = True
        self.disconnect()

    def recv_callback(self, data):
        raise NotImplementedError("you must implement this method to handle data received by tcp.")

    def connect(self):
        """True when it is connected; one that is, or that another thread makes just now, is left alone."""
        self._is_closed = False
        with self._linking:
            return self.is_connected() or self._link_up()

    def _link_up(self):
        try:
            self._socket.connect()
        except (OSError, ValueError) as error:
            logger.error("tcp connect failed: {}".format(error))
            return False
        logger.info("tcp connected to {}:{}".format(self._socket.host, self._socket.port))
        self._reader = Thread(self._read, (self._socket._link,))
        self._reader.start()
        return True

    def disconnect(self):
        return self._socket.disconnect()

    def is_connected(self):
        return self._socket.status_code() != 99

    def send(self, data):
        """True when all is on its way; False: it is lost, and the client connects anew."""
        with self._turn:                 # pieces of two threads must not mix
            if self.is_connected() and self._socket.write(data):
                return True
        logger.error("tcp send failed, {} bytes are lost".format(len(data)))
        self.disconnect()
        self._bring_back()
        return False

    def _read(self, link):
        """Of this connection: a later one has a reader of its own."""
        while self._socket._link is link:
            try:
                data = self._socket.read(_PIECE_BYTES)
            except self._socket.TimeoutError:
                continue
            except (OSError, ValueError) as error:
                logger.error("tcp read failed: {}".format(error))
                break
            if not data:
                logger.error("tcp server has closed")
                break
            try:
                self.recv_callback(data)
            except Exception as error:   # outer wall: a program's mistake must not end its line
                logger.error("recv_callback of {}: {}: {}".format(self.name, type(error).__name__, error))
        if self._socket._link is link:
            self.disconnect()
        if not self._is_closed and not self.is_connected():
            self._bring_back()

    def _bring_back(self):
        if not self._is_closed and not (self._bringer and self._bringer.is_running()):
            self._bringer = Thread(self._reconnect)
            self._bringer.start()

    def _reconnect(self):
        while not self._is_closed:
            begun_ms = blocking.now_ms()
            if self.connect():
                return
            blocking.sleep_ms(max(0, _PAUSE_MS - time.ticks_diff(blocking.now_ms(), begun_ms)))


class SmsClient(AppExtensionABC):
    """Needs the firmware's `sms`; a node without a modem refuses."""

    def __init__(self, name="sms", app=None):
        super().__init__(name, app)

    def init_app(self, app):
        app.append_extension(self)

    def start(self):
        """Raises RuntimeError without a modem."""
        self._module().setCallback(self._on_message)

    def recv_callback(self, phone, msg, length):
        raise NotImplementedError("you must implement this method to handle a message.")

    def _module(self):
        try:
            return __import__("sms")
        except ImportError:
            raise RuntimeError("this node has no modem for short messages")

    def _on_message(self, args):
        found = self._module().searchTextMsg(args[1])
        if found == -1:
            logger.error("message {} cannot be read".format(args[1]))
            return
        self.recv_callback(*found)

    def __getattr__(self, name):
        if name[:1] == "_" or name in ("app", "load", "close"):
            raise AttributeError(name)
        return getattr(self._module(), name)
