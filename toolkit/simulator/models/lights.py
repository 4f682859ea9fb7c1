"""Lamps on a board's pins, as an eye sees them: colour and brightness out of duties and pixels.

A lamp asks the board whenever it is looked at. Each can be told to fail: an open LED is dark, and so are a broken pixel
and all behind it. Pins are numbers or logical names.

    lamp = RgbLamp(board)
    board.shell("rgb color 1000 0 0 smooth=False")
    assert lamp.color == (249, 0, 0) and lamp.brightness_pct > 97
"""
from collections.abc import Sequence

from toolkit.simulator.api import Pin, VirtualBoard

FULL_DUTY = 1023
Color = tuple[int, int, int]
DARK: Color = (0, 0, 0)

# centres of the nominal white of LEDs, x and y of CIE 1931 (ANSI C78.377, table 1)
WARM_XY = (0.4578, 0.4101)         # 2700 K
COLD_XY = (0.3123, 0.3282)         # 6500 K


def lightness(color: Color) -> float:
    """How bright light of that colour looks, 0-100: L* of CIE 1976. color: linear, 0-255 each.

    Source: weights of ITU-R BT.709 for the luminance, CIE 15 for L*.
    """
    luminance = sum(weight * value / 255 for weight, value in zip((0.2126, 0.7152, 0.0722), color, strict=True))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


class PwmLamp:
    """LEDs on PWM channels, one behind each pin. broken: pins whose LED is open."""

    def __init__(self, board: VirtualBoard, pins: Sequence[Pin]) -> None:
        self._board = board
        self._pins = tuple(pins)
        self.broken: set[Pin] = set()

    @property
    def shares(self) -> tuple[float, ...]:
        """Light of each LED, 0.0-1.0."""
        return tuple(0.0 if pin in self.broken else self._board.pwm[pin].duty / FULL_DUTY for pin in self._pins)

    @property
    def brightness_pct(self) -> float:
        """Of the brightest LED, in percent of its full light."""
        return max(self.shares) * 100

    @property
    def flickers(self) -> bool:
        """True when an eye or a camera could see the pulses: some LED is on below 1 kHz."""
        return any(share > 0 and self._board.pwm[pin].freq_hz < 1000
                   for pin, share in zip(self._pins, self.shares, strict=True))


class Dimmable(PwmLamp):
    """One lamp on one channel."""

    def __init__(self, board: VirtualBoard, pin: Pin = "dim_1") -> None:
        super().__init__(board, (pin,))


class RgbLamp(PwmLamp):
    """Red, green and blue in one housing."""

    def __init__(self, board: VirtualBoard, red: Pin = "redgb", green: Pin = "rgreenb", blue: Pin = "rgbue") -> None:
        super().__init__(board, (red, green, blue))

    @property
    def color(self) -> Color:
        """Linear, 0-255 each."""
        red, green, blue = (round(share * 255) for share in self.shares)
        return red, green, blue


class WhiteLamp(PwmLamp):
    """A cold and a warm LED of the same power, mixed."""

    def __init__(self, board: VirtualBoard, cold: Pin = "cwhite", warm: Pin = "wwhite") -> None:
        super().__init__(board, (cold, warm))

    @property
    def temperature_k(self) -> int | None:
        """Correlated colour temperature, None in the dark.

        Light mixes along the line between both whites, as their shares divided by y (CIE 15). Temperature of what
        comes out: C. S. McCamy, Color Res. Appl. 17 (1992) 142.
        """
        cold, warm = (share / xy[1] for share, xy in zip(self.shares, (COLD_XY, WARM_XY), strict=True))
        if not cold + warm:
            return None
        x, y = ((cold * COLD_XY[axis] + warm * WARM_XY[axis]) / (cold + warm) for axis in (0, 1))
        n = (x - 0.3320) / (0.1858 - y)
        return round(449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33)


class Strip:
    """A chain of pixels on one data pin. broken_at: the first pixel that is dead, with all behind it; None: none is."""

    def __init__(self, board: VirtualBoard, pin: Pin) -> None:
        self._board = board
        self._pin = pin
        self.broken_at: int | None = None

    @property
    def colors(self) -> list[Color]:
        """What shines, pixel by pixel: linear, 0-255 each. [] before the first frame."""
        alive = [self._light(pixel) for pixel in self._board.pixels(self._pin)]
        if self.broken_at is not None:
            alive[self.broken_at:] = [DARK] * len(alive[self.broken_at:])
        return alive

    @property
    def lit(self) -> list[int]:
        """Numbers of the pixels that shine."""
        return [number for number, color in enumerate(self.colors) if color != DARK]

    @property
    def brightness_pct(self) -> float:
        """Of the brightest channel of all pixels."""
        return max((max(color) for color in self.colors), default=0) * 100 / 255

    def _light(self, pixel: tuple[int, ...]) -> Color:
        return pixel[0], pixel[1], pixel[2]


class Ws2812Strip(Strip):
    """Pixels without a clock line."""

    def __init__(self, board: VirtualBoard, pin: Pin = "neop") -> None:
        super().__init__(board, pin)


class Apa102Strip(Strip):
    """Pixels with a clock line and a brightness of 0-31 each; the one of a TinyPICO has a power switch, low is on."""

    STEPS = 31

    def __init__(self, board: VirtualBoard, pin: Pin = 2, power: Pin | None = 13) -> None:
        super().__init__(board, pin)
        self._power = power

    @property
    def has_power(self) -> bool:
        return self._power is None or not self._board.pins[self._power]

    def _light(self, pixel: tuple[int, ...]) -> Color:
        if not self.has_power:
            return DARK
        red, green, blue = (round(value * pixel[3] / self.STEPS) for value in pixel[:3])
        return red, green, blue
