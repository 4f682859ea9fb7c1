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


def text(string="text", x=0, y=0):
    """Write, in signs of 8 x 8 pixels. x, y: of the upper left corner, from the upper left of the display."""
    _display().text(string, x, y)
    return True


def invert():
    """Dark on light, and back; at once."""
    _display().invert()
    return True


def clean(state=0):
    """Take away all that was drawn. state: 1 for all pixels lit"""
    _display().fill(state)
    return True


def line(sx, sy, ex, ey, state=1):
    """state: 0 for dark"""
    _display().line(sx, sy, ex, ey, state)
    return True


def rect(x, y, w, h, state=1, fill=False):
    """w, h: pixels. state: 0 for dark"""
    _display().rect(x, y, w, h, state, fill)
    return True


def pixel(x, y, state=1):
    """state: 0 for dark"""
    _display().pixel(x, y, state)
    return True


def poweron():
    """Light up again with what it showed; at once."""
    _display().power(True)
    return True


def poweroff():
    """Dark, at once; what is drawn is kept."""
    _display().power(False)
    return True


def flip():
    """Upside down, and back; at once, with all that was drawn."""
    _display().turn()
    return True


def show():
    """Put what was drawn onto the display."""
    _display().show()


def pinmap():
    from Part import WIRES
    return pinmap_dump(WIRES)


def help():
    return ("text string='text' x=0 y=0", "invert", "clean state=0", "line sx sy ex ey state=1",
            "rect x y w h state=1 fill=False", "pixel x y state=1", "flip", "poweron", "poweroff", "show", "pinmap")
