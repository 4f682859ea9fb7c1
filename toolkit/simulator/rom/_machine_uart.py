"""machine.UART: a file that leads to the host, see toolkit/simulator/uart.py. It never blocks, as with timeout=0."""
# ruff: noqa: RET503, SIM115 - init() in one with the constructor, files open for good
from io import IOBase
from select import POLLIN, poll

from _vboard import ask

_FILENO = 10                   # request of py/stream.h
_lines = {}                    # {number: file}: one that is collected would close the line for good


class UART(IOBase):
    INV_TX, INV_RX, INV_RTS, INV_CTS, RTS, CTS = 32, 4, 64, 8, 1, 2

    def __init__(self, id, baudrate=115200, *rest, **more):
        self._id = id
        self._how = {}
        self._fd = -1
        self.init(baudrate, *rest, **more)
        if id not in _lines:
            _lines[id] = open(self._fd, "r+b")
        self._line = _lines[id]

    def init(self, baudrate=115200, bits=8, parity=None, stop=1, *, tx=None, rx=None, rxbuf=256, txbuf=256, timeout=0,
             timeout_char=0, rts=None, cts=None, flow=0, invert=0):
        self._timeout_ms = timeout
        if bits not in (5, 6, 7, 8) or parity not in (None, 0, 1) or stop not in (1, 2):
            raise ValueError("invalid data bits, parity or stop bits")
        self._fd = ask("uart %d %d %d %d %d %d %d %d\n" % (
            self._id, baudrate, bits, -1 if parity is None else parity, stop, _number(tx), _number(rx), rxbuf))

    def deinit(self):
        ask("uartoff %d\n" % self._id)

    def any(self):
        return ask("uartany %d\n" % self._id)

    def read(self, count=-1):
        self._await()
        return self._line.read(count)

    def readinto(self, buffer, count=-1):
        self._await()
        return self._line.readinto(buffer) if count < 0 else self._line.readinto(buffer, count)

    def readline(self):
        self._await()
        return self._line.readline()

    def write(self, data):
        return self._line.write(data)

    def txdone(self):
        return bool(ask("uartsent %d\n" % self._id))

    def flush(self):
        from utime import sleep_ms
        while not self.txdone():
            sleep_ms(1)

    def sendbreak(self):
        pass

    def ioctl(self, request, argument):
        return self._fd if request == _FILENO else -1

    def _await(self):
        if self._timeout_ms:
            poller = poll()
            poller.register(self._line, POLLIN)
            poller.poll(self._timeout_ms)


def _number(pin):
    return -1 if pin is None else getattr(pin, "id", pin)
