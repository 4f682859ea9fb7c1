"""APA102 strips: each pixel goes to the host as (r, g, b, brightness 0-31), under the data pin."""
from _vboard import tell


class DotStar:
    def __init__(self, spi, n, *, brightness=1.0, auto_write=True, pixel_order=(0, 1, 2)):
        self._pin = spi.mosi
        self._n = n
        self.brightness = brightness
        self.auto_write = auto_write
        self._pixels = [(0, 0, 0, 31)] * n
        self.show()

    def __len__(self):
        return self._n

    def __setitem__(self, index, colour):
        level = colour[3] if len(colour) > 3 else 1.0
        self._pixels[index] = (colour[0], colour[1], colour[2], int(31 * level))
        if self.auto_write:
            self.show()

    def __getitem__(self, index):
        return self._pixels[index][:3]

    def fill(self, colour):
        was, self.auto_write = self.auto_write, False
        for index in range(self._n):
            self[index] = colour
        self.auto_write = was
        if was:
            self.show()

    def show(self):
        # the verb takes green first; the driver multiplies by its own brightness when it shows
        row = [bytes((g, r, b, level)) for r, g, b, level in
               [[int(value * self.brightness) for value in pixel[:3]] + [pixel[3]] for pixel in self._pixels]]
        tell("pixels %d 4 %s\n" % (self._pin, b"".join(row).hex()))

    def deinit(self):
        self.fill((0, 0, 0))
        self.show()
