"""machine.TouchPad: a count that falls when a finger is near."""
from machine import Pin
from _vboard import ask


class TouchPad:
    def __init__(self, pin):
        self._pin = Pin(pin).id
        self.read()

    def config(self, threshold):
        pass

    def read(self):
        return ask("touch %d\n" % self._pin)
