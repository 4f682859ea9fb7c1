"""QFrame's UART as an extension."""
from micropython import const

from usr.qframe.core import AppExtensionABC
from usr.qframe.logging import getLogger
from usr.qframe.serial import Serial
from usr.qframe.threading import Lock, Thread

_PIECE_BYTES = const(1024)

logger = getLogger("uart")


class Uart(AppExtensionABC):
    """config UART: port, baudrate, bytesize, parity, stopbits, flowctl, rs485_config. Give it a recv_callback(data)."""

    def __init__(self, name=None, app=None):
        self._serial = self._reader = None
        self._turn = Lock()
        super().__init__(name, app)

    def init_app(self, app):
        self._serial = Serial(**app.config["UART"])
        app.append_extension(self)

    def load(self):
        """Open, and read from now on."""
        self._serial.open()
        self._reader = Thread(self._read)
        self._reader.start()

    def close(self):
        self._serial.close()

    def recv_callback(self, data):
        raise NotImplementedError("you must implement this method to handle data received from device.")

    def write(self, data):
        """How many bytes went out."""
        with self._turn:                 # pieces of two threads must not mix
            return self._serial.write(data)

    def read(self, size, timeout=None):
        return self._serial.read(size, timeout)

    def _read(self):
        while True:
            try:
                data = self._serial.read(_PIECE_BYTES)
            except TypeError:            # it was closed
                return
            try:
                self.recv_callback(data)
            except Exception as error:   # outer wall: a program's mistake must not end its line
                logger.error("recv_callback of {}: {}: {}".format(self.name, type(error).__name__, error))
