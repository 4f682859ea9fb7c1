"""The progress LED where it is a pixel, as on TinyPICO and ESP32-S3: each step shows the next colour of a wheel."""
from micropython import const
from pure.lazy import once

_STEP = const(16)                 # of 256 that are the wheel
_FULL = const(31)                 # of 255: it is looked at from near


def wheel(position):
    """(r, g, b), dim. position: 0-255, red at 0, green and blue at the thirds."""
    third, into = divmod(position * 3, 256)
    up = into * _FULL // 256
    down = _FULL - up
    return ((down, up, 0), (0, down, up), (up, 0, down))[third]


class Pixel:
    """strip: DotStar or NeoPixel of one pixel."""

    def __init__(self, strip):
        self._strip = strip
        self._position = 0        # on the wheel, 0-255

    def __call__(self, level):
        """1: the next colour; 0: it stays; None: dark."""
        if level:
            self._position = (self._position + _STEP) % 256
            self._show(wheel(self._position))
        elif level is None:
            self._show((0, 0, 0))

    def _show(self, color):
        self._strip[0] = color
        if hasattr(self._strip, "write"):        # a DotStar shows at once
            self._strip.write()


def pixel(kind, number):
    """The Pixel at a pin. Raises KeyError for a kind that no board has."""
    return _KINDS[kind](number)


def _ws2812(number):
    from machine import Pin
    from neopixel import NeoPixel
    return Pixel(NeoPixel(Pin(number), 1))


@once
def dotstar():
    """The Pixel of a TinyPICO, with power. Drivers: `tinypico` and `dotstar` of that firmware."""
    import tinypico
    from dotstar import DotStar
    from machine import Pin, SoftSPI
    tinypico.set_dotstar_power(True)
    bus = SoftSPI(sck=Pin(tinypico.DOTSTAR_CLK), mosi=Pin(tinypico.DOTSTAR_DATA), miso=Pin(tinypico.SPI_MISO))
    return Pixel(DotStar(bus, 1))


def step():
    """The next colour."""
    dotstar()(1)


_KINDS = {"WS2812": _ws2812, "APA102": lambda number: dotstar()}
