"""machine.SoftSPI: a bus on three pins that nobody listens to; drivers of chips tell the host themselves."""
from machine import Pin


class SoftSPI:
    MSB, LSB = 0, 1

    def __init__(self, baudrate=500000, *, polarity=0, phase=0, bits=8, firstbit=0, sck=None, mosi=None, miso=None):
        self.mosi = mosi.id
        for pin in (sck, mosi):
            pin.init(Pin.OUT, value=0)
        miso.init(Pin.IN)

    def init(self, **settings):
        pass

    def deinit(self):
        pass

    def write(self, data):
        pass

    def read(self, count, write=0):
        return bytes(count)

    def readinto(self, buffer, write=0):
        buffer[:] = bytes(len(buffer))

    def write_readinto(self, data, buffer):
        if len(data) != len(buffer):
            raise ValueError("buffers must be the same length")
        self.readinto(buffer)
