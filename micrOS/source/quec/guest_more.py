"""The parts of QuecPython's `machine` that a program seldom asks for."""
from quec.door import machine

import blocking
from os_timer import Timer as _Counter


class Timer:
    """`Timer(Timer.Timer1).start(period=ms, mode=Timer.PERIODIC, callback=f)`: f(timer)"""

    ONE_SHOT, PERIODIC = 0, 1
    Timer0, Timer1, Timer2, Timer3 = 0, 1, 2, 3

    def __init__(self, number=0):
        self._counter = _Counter()

    def start(self, period, mode=PERIODIC, callback=None):
        return self._counter.start(period, mode, lambda _: callback(self))

    def stop(self):
        return self._counter.stop()


class WDT:
    """Resets the node when nobody feeds it for so many seconds; the node's own watchdog goes on beside it."""

    def __init__(self, period):
        self._counter = _Counter()
        self._period_s = period
        self.feed()

    def feed(self):
        self._counter.stop()
        return self._counter.start(1000 * self._period_s, 0, lambda _: machine.reset())

    def stop(self):
        return self._counter.stop()


class UART:
    """`UART(UART.UART1, baudrate, databits, parity, stopbits, flowctl)`. parity: 0 none, 1 even, 2 odd"""

    UART0, UART1, UART2, UART3 = 0, 1, 2, 3

    def __init__(self, port, baudrate=115200, databits=8, parity=0, stopbits=1, flowctl=0):
        self._uart = machine.UART(port, baudrate, bits=databits, parity=(None, 0, 1)[parity], stop=stopbits)

    def read(self, count):
        return self._uart.read(count) or b""

    def any(self):
        blocking.breathe()
        return self._uart.any()

    def close(self):
        self._uart.deinit()
        return 0

    def __getattr__(self, name):
        return getattr(self._uart, name)
