"""QFrame's LED on a GPIO."""
from quec.door import machine

import blocking
from LogicalPins import physical_pin
from usr.qframe.threading import Thread


class Led:
    """n: number of the GPIO"""

    def __init__(self, n):
        self._pin = machine.Pin(physical_pin(n), machine.Pin.OUT)
        self._left = 0                   # blinks; -1: for ever
        self._how = (0, 0)
        self._blinker = Thread(self._blink)

    def on(self):
        self._pin.value(1)

    def off(self):
        self._pin.value(0)

    def blink(self, on_ms, off_ms, count):
        """In the background; a new call takes the place of the last one. count: -1 for ever"""
        self._how, self._left = (on_ms, off_ms), count
        self._blinker.start()

    def _blink(self):
        while self._left:
            self._left -= self._left > 0
            self.on()
            blocking.sleep_ms(self._how[0])
            self.off()
            blocking.sleep_ms(self._how[1])
