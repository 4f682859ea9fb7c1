"""QFrame's serial line: a UART whose reads, and writes to a full one, wait in the guest's thread."""
import select

from micropython import const

import blocking
from LogicalPins import physical_pin, pinmap_dump
from quec.door import machine

_RXBUF_BYTES = const(4096)       # a third of a second at 115200 baud
_STUCK_MS = const(30000)         # that the line may take nothing
_PARITY = (None, 0, 1)           # QuecPython's 0 none, 1 even, 2 odd -> the port's


class SerialTimeoutError(Exception):
    """Raised when nothing came in time."""


class Serial:
    """rs485_config: {"gpio_num": pin that turns the line, "direction": its level while we send}

    Pins are uart_tx and uart_rx of the node's pin map where it has them, else the port's own.
    """

    TimeoutError = SerialTimeoutError

    def __init__(self, port=2, baudrate=115200, bytesize=8, parity=0, stopbits=1, flowctl=0, rs485_config=None):
        self.port = port
        self._how = {"baudrate": baudrate, "bits": bytesize, "parity": _PARITY[parity], "stop": stopbits,
                     "rxbuf": _RXBUF_BYTES}
        if flowctl:
            self._how["flow"] = machine.UART.RTS | machine.UART.CTS
        self._rs485 = rs485_config
        self._uart = self._turner = None

    def open(self):
        """Raises ValueError, OSError from the port."""
        if self._rs485 and self._turner is None:
            number = self._rs485["gpio_num"]
            self._turner = machine.Pin(physical_pin(number), machine.Pin.OUT, value=not self._rs485.get("direction", 1))
        self._uart = machine.UART(self.port, **self._how, **_pins())

    def close(self):
        if self._uart:
            self._uart.deinit()
            self._uart = None

    def write(self, data):
        """How many bytes went out: all, or what a line took that was stuck then."""
        line = self._opened()
        if not self._rs485:
            return self._put(data)
        level = self._rs485.get("direction", 1)
        self._turner.value(level)
        try:
            count = self._put(data)
            blocking.until(line.txdone, None, "Serial.write()")
        finally:
            self._turner.value(not level)
        return count

    def read(self, size, timeout=None):
        """1 to size bytes. timeout: s, None for ever. Raises Serial.TimeoutError, TypeError when it is not open."""
        self._opened()
        timeout_ms = None if timeout is None else int(1000 * timeout)
        if not blocking.until(lambda: self._uart is None or self._uart.any(), timeout_ms, "Serial.read()"):
            raise SerialTimeoutError("nothing came in {} s".format(timeout))
        return self._opened().read(size)

    def _put(self, data):
        """A UART takes what its buffer has room for, and no more."""
        data, sent = memoryview(data), 0
        while sent < len(data):
            count = self._opened().write(data[sent:])
            if not count and not self._await_room():
                break
            sent += count or 0
        return sent

    def _await_room(self):
        poll = select.poll()
        poll.register(self._uart, select.POLLOUT)
        return blocking.until(lambda: self._uart is None or poll.poll(0), _STUCK_MS, "Serial.write()")

    def _opened(self):
        if self._uart is None:
            raise TypeError("uart not open.")
        return self._uart


def _pins():
    numbers = pinmap_dump(("uart_tx", "uart_rx"))
    return {name[-2:]: physical_pin(name) for name, number in numbers.items() if number is not None}
