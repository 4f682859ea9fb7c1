"""The APA102 pixel on a TinyPICO; it has its own power switch. Drivers: `tinypico` and `dotstar` of that firmware."""
from Common import once


class Pixel:
    """power: 0, 1; brightness: 0.0-1.0; color: (r, g, b), 0-255."""

    def __init__(self, board, dots):
        self._board = board          # the module tinypico
        self.dots = dots             # DotStar
        self.color = (0, 0, 0)
        self.brightness = 0.5
        self.position = 0            # on the colour wheel, 0-255
        self.switch(1)

    def switch(self, power):
        self.power = power
        self._board.set_dotstar_power(power)
        self.show()

    def show(self):
        if self.power:               # the lines of a pixel without power must stay still
            self.dots[0] = self.color + (self.brightness,)

    def set(self, color, brightness):
        """Show a colour; None keeps brightness. Returns the text that tells it. Raises ValueError."""
        for value in color:
            if not isinstance(value, int) or not 0 <= value <= 255:
                raise ValueError("a channel is 0-255, got {}".format(value))
        if brightness is not None:
            if not 0 <= brightness <= 1:
                raise ValueError("br is 0.0-1.0, got {}".format(brightness))
            self.brightness = brightness
        self.color = color
        self.show()
        return "RGB: {}:{}:{} ({}%)".format(color[0], color[1], color[2], self.brightness * 100.0)

    def turn(self, brightness):
        """The next colour of the wheel."""
        self.position = (self.position + 1) % 256
        return self.set(tuple(self._board.dotstar_color_wheel(self.position)), brightness)


@once
def _pixel():
    import tinypico
    from dotstar import DotStar
    from LogicalPins import physical_pin
    from machine import Pin, SoftSPI
    physical_pin("builtin")              # the progress LED gives it up
    bus = SoftSPI(sck=Pin(tinypico.DOTSTAR_CLK), mosi=Pin(tinypico.DOTSTAR_DATA), miso=Pin(tinypico.SPI_MISO))
    return Pixel(tinypico, DotStar(bus, 1))


def setrgb(r=None, g=None, b=None, br=None):
    """Show a colour, 0-255 each, at br: 0.0-1.0; None keeps one. Returns `RGB: r:g:b (50.0%)`."""
    color = [old if new is None else new for old, new in zip(_pixel().color, (r, g, b))]
    return _pixel().set(tuple(color), br)


def getstate():
    """(DotStar, [power 0 or 1, brightness 0.0-1.0])"""
    return _pixel().dots, [_pixel().power, _pixel().brightness]


def toggle(state=None):
    """Power of the pixel on or off; without state the other way round."""
    _pixel().switch(int(not _pixel().power if state is None else bool(state)))
    return "Turn ON" if _pixel().power else "Turn OFF"


def wheel(br=None):
    """The next colour of the wheel, at br: 0.0-1.0. Returns `RGB: r:g:b (50.0%)`."""
    return _pixel().turn(br)


def help():
    return "setrgb r=<0-255> g b br=<0.0-1.0>", "getstate", "toggle state=<True,False>", "wheel br=<0.0-1.0>"
