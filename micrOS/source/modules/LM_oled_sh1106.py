"""Drawing on an OLED of 128 x 64 pixels with an SH1106: on the I2C bus, address 0x3C."""
from Common import once
from LogicalPins import pinmap_dump


@once
def _made():
    from Display import SH1106, Display
    return Display("oled_sh1106", SH1106)


def _display():
    """Raises InputError when it does not answer."""
    return _made().ready()


def pixel(x, y, state=1):
    """One pixel. state: 0 for dark"""
    return _display().pixel(x, y, state)


def rect(x, y, w, h, state=1, fill=False):
    """A frame, or filled. x, y: its upper left corner; w, h: pixels. state: 0 for dark"""
    return _display().rect(x, y, w, h, state, fill)


def line(sx, sy, ex, ey, state=1):
    """From one pixel to another, both included. state: 0 for dark"""
    return _display().line(sx, sy, ex, ey, state)


def text(string="text", x=0, y=0):
    """Write, in signs of 8 x 8 pixels. x, y: of the upper left corner, from the upper left of the display."""
    return _display().text(string, x, y)


def show():
    """Put what was drawn onto the display."""
    _display().show()


def clean(state=0):
    """Take away all that was drawn. state: 1 for all pixels lit"""
    return _display().fill(state)


def flip():
    """Upside down, and back; at once, with all that was drawn."""
    return _display().turn()


def invert():
    """Dark on light, and back; at once."""
    return _display().invert()


def poweroff():
    """Dark, at once; what is drawn is kept."""
    return _display().power(False)


def poweron():
    """Light up again with what it showed; at once."""
    return _display().power(True)


def pinmap():
    from Part import WIRES
    return pinmap_dump(WIRES)


def help():
    return ("text string='text' x=0 y=0", "invert", "clean state=0", "line sx sy ex ey state=1",
            "rect x y w h state=1 fill=False", "pixel x y state=1", "flip", "poweron", "poweroff", "show", "pinmap")
