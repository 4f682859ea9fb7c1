"""WS2812 strips: the pixels go to the host as they lie in the buffer."""
from _vboard import tell


class NeoPixel:
    ORDER = (1, 0, 2, 3)       # the wire wants green first

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)
        pin.init(pin.OUT)

    def __len__(self):
        return self.n

    def _at(self, index):
        if not -self.n <= index < self.n:
            raise IndexError("bytearray index out of range")
        return index % self.n * self.bpp

    def __setitem__(self, index, colour):
        at = self._at(index)
        for i in range(self.bpp):
            self.buf[at + self.ORDER[i]] = colour[i]

    def __getitem__(self, index):
        at = self._at(index)
        return tuple(self.buf[at + self.ORDER[i]] for i in range(self.bpp))

    def fill(self, colour):
        for index in range(self.n):
            self[index] = colour

    def write(self):
        tell("pixels %d %d %s\n" % (self.pin.id, self.bpp, self.buf.hex()))
