"""An OLED of 128 x 64 pixels on the I2C bus, address 0x3C: what is drawn into its memory, and sent to its glass."""
from framebuf import MONO_VLSB, FrameBuffer
from micropython import const

from Part import Part

WIDTH, HEIGHT = 128, 64
_ADDRESS = const(0x3C)
_PAGES = const(8)
_STRIDE = const(129)                 # a page is sent with a byte before it, which says: data
_COMMANDS, _DATA = b"\x00", const(0x40)
_FARTHEST = const(1000)              # a line is drawn point by point, seen or not

# (first column of the glass, 0-15, setup). SSD1306 rev 1.1: section 9, and the application note behind it.
# 64 lines, none shifted, wired in turns, picture upright, contrast, charge pump, page after page
SSD1306 = 0, b"\xa8\x3f\xd3\x00\x40\xda\x12\xd5\x80\xd9\xf1\xdb\x40\x81\xcf\xa4\x8d\x14\x20\x02"
# SH1106 v2.3, command table: the same, with its own converter, and 132 columns
SH1106 = 2, b"\xa8\x3f\xd3\x00\x40\xda\x12\xd5\x80\xd9\x22\xdb\x35\x81\x80\xa4\xad\x8b"
_MIRRORED, _INVERTED, _POWER = const(0xA0), const(0xA6), const(0xAE)       # and 1 for yes
_SCAN_UP, _SCAN_DOWN, _PAGE, _COLUMN_HIGH = const(0xC0), const(0xC8), const(0xB0), const(0x10)


class Display:
    """name: of the load module; kind: SSD1306 or SH1106. Raises PinError without the pins of the bus.

    The setup goes out with every picture, so that one that was unplugged comes back with the next.
    What draws or changes the look returns True, as the functions of 1.20 do.
    """

    def __init__(self, name, kind):
        self._part = Part(name, _ADDRESS)
        self._first_column, self._setup = kind
        self._memory = bytearray(_STRIDE * _PAGES)
        for page in range(_PAGES):
            self._memory[page * _STRIDE] = _DATA
        self._drawing = FrameBuffer(memoryview(self._memory)[1:], WIDTH, HEIGHT, MONO_VLSB, _STRIDE)
        self.is_on = True
        self.is_inverted = self.is_turned = self._answers = False

    def ready(self):
        """Itself; at first, and after it failed, with its picture on. Raises InputError."""
        if not self._answers:
            self.show()
        return self

    def show(self):
        """Send all that was drawn. Raises InputError."""
        self._answers = False
        scan = _SCAN_UP if self.is_turned else _SCAN_DOWN
        self._command(self._setup + bytes((_MIRRORED | (not self.is_turned), scan)))
        picture = memoryview(self._memory)
        for page in range(_PAGES):
            self._command(bytes((_PAGE | page, self._first_column, _COLUMN_HIGH)))
            self._part.send(picture[page * _STRIDE:(page + 1) * _STRIDE])
        return self._look()

    def power(self, is_on):
        """Dark, or as before. Raises InputError, as the next two."""
        self.is_on = is_on
        return self._look()

    def invert(self):
        """Dark on light, or back."""
        self.is_inverted = not self.is_inverted
        return self._look()

    def turn(self):
        """Upside down, or back."""
        self.is_turned = not self.is_turned
        return self.show()

    def text(self, text, x, y):
        """x, y: pixels to its upper left corner; a sign is 8 x 8."""
        self._drawing.text(str(text), _pixels("x", x), _pixels("y", y))
        return True

    def big(self, text, x, y, scale):
        """The same with each pixel as a square of so many."""
        small = FrameBuffer(bytearray(8 * len(text)), 8 * len(text), 8, MONO_VLSB)
        small.text(text, 0, 0)
        for at in range(64 * len(text)):
            if small.pixel(at >> 3, at & 7):
                self._drawing.fill_rect(x + (at >> 3) * scale, y + (at & 7) * scale, scale, scale, 1)

    def fill(self, state):
        self._drawing.fill(_state(state))
        return True

    def pixel(self, x, y, state):
        self._drawing.pixel(_pixels("x", x), _pixels("y", y), _state(state))
        return True

    def line(self, sx, sy, ex, ey, state):
        self._drawing.line(_pixels("sx", sx), _pixels("sy", sy), _pixels("ex", ex), _pixels("ey", ey), _state(state))
        return True

    def rect(self, x, y, w, h, state, fill):
        draw = self._drawing.fill_rect if fill else self._drawing.rect
        draw(_pixels("x", x), _pixels("y", y), _pixels("w", w, 0), _pixels("h", h, 0), _state(state))
        return True

    def _look(self):
        self._answers = False
        self._command(bytes((_INVERTED | self.is_inverted, _POWER | self.is_on)))
        self._answers = True
        self._part.works()
        return True

    def _command(self, codes):
        self._part.send(_COMMANDS + codes)


def _pixels(name, value, lowest=-_FARTHEST):
    if not isinstance(value, int) or not lowest <= value <= _FARTHEST:
        raise ValueError("{} is a number of pixels, {} to {}, got {}".format(name, lowest, _FARTHEST, value))
    return value


def _state(state):
    if state not in (0, 1):
        raise ValueError("state is 0 or 1, got {}".format(state))
    return int(state)
