"""Effects on the strip of LM_neopixel; each call draws one frame, a loop plays them: `neoeffects rainbow &&50`."""
from Common import once
from Lamp import more
from LM_neopixel import _lamp, load_n_init, pinmap as _pinmap
from pure.color import cycle as _cycle, dimmed, meteor as _meteor, wheel, window

_LEDS = 24                # also: as many as the strip has
_FIRE_PCT = (40, 100)     # how far a flame flickers


class Player:
    """Where the effects stand: they all move with the same frame count."""

    frame = 0

    def strip(self, leds):
        """The NeoPixel, that long if leds are another number than the usual one; nothing else paints it now."""
        if leds != _LEDS and leds != _lamp.wires.n:
            load_n_init(ledcnt=leds)
        _lamp.stop()
        return _lamp.wires

    def draw(self, leds, colors, shift):
        """Show one frame. colors: function(number of pixels, frame), (r, g, b) of each. Returns how many pixels."""
        strip = self.strip(leds)
        for at, color in enumerate(colors(strip.n, self.frame % strip.n)):
            strip[at] = color
        strip.write()
        self.frame += shift
        return strip.n

    def shades(self, name, values, shift, leds, levels):
        """Show one frame of one colour. levels: function(number of pixels, frame) that gives percents."""
        color = _lamp.mixed(values)
        count = self.draw(leds, lambda count, frame: [dimmed(color, level) for level in levels(count, frame)], shift)
        return "{} R{}:G{}:B{} N:{}".format(name, color[0], color[1], color[2], count)


@once
def _player():
    return Player()


def meteor(r=None, g=None, b=None, shift=True, ledcnt=24):
    """A bright pixel with a tail. shift: it moves on with the next call. None: the colour of the strip's state."""
    return _player().shades("Meteor", (r, g, b), int(shift), ledcnt, _meteor)


def cycle(r=None, g=None, b=None, shift=True, ledcnt=24):
    """One pixel with faint neighbours that goes round."""
    return _player().shades("Cycle", (r, g, b), int(shift), ledcnt, _cycle)


def fire(r=None, g=None, b=None, ledcnt=24):
    """Each pixel flickers by itself."""
    from random import randint
    return _player().shades("fire", (r, g, b), 1, ledcnt, lambda count, _: [randint(*_FIRE_PCT) for _ in range(count)])


def rainbow(step=1, br=50, ledcnt=24):
    """All colours at once, turned by step of 256 with each call. br: brightness, 0-100 %."""
    if not 0 <= br <= 100:
        raise ValueError("br is 0-100, got {}".format(br))
    player = _player()
    turn = player.frame
    player.draw(ledcnt, lambda count, _: [dimmed(wheel(at * 256 // count + turn), br) for at in range(count)], step)
    return "Rainbow"


def shader(size=6, offset=0, shift=False, ledcnt=24):
    """Only size pixels from offset on are lit. shift: they move on with the next call."""
    count = _player().strip(ledcnt).n
    if not 0 < size <= count:
        return "Shader invalid size: {} ({})".format(size, count)
    at = (offset + (_player().frame if shift else 0)) % count
    _player().shades("", (), int(shift), ledcnt, lambda count, _: window(count, size, at))
    return "Shader size: {} ->{} ({})".format(size, at, count)


def color(r=None, g=None, b=None):
    """The colour of the next frames, 0-255 each; the strip's state takes it, its pixels wait. Returns the state."""
    more("keep", _lamp, _lamp.mixed((r, g, b)))
    return _lamp.status()


def random(max_val=255):
    """A colour by chance for the next frames, each channel up to max_val."""
    from random import randint
    if not 0 <= max_val <= 255:
        raise ValueError("max_val is 0-255, got {}".format(max_val))
    state = color(randint(0, max_val), randint(0, max_val), randint(0, max_val))
    return "Set random: R:{} G:{} B:{}".format(state["R"], state["G"], state["B"])


def lmdep():
    return "neopixel"


def pinmap():
    return _pinmap()


def help():
    return ("meteor r=<0-255> g b shift=True ledcnt=24", "cycle r=<0-255> g b shift=True ledcnt=24",
            "rainbow step=1 br=<0-100> ledcnt=24", "shader size=6 offset=0 shift=False ledcnt=24",
            "fire r=<0-255> g b ledcnt=24", "color r=<0-255> g b", "random max_val=255", "lmdep", "pinmap")
