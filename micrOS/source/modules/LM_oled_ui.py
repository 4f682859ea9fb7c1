"""Pages on an OLED, turned by one button on pin `oleduibttn`: a short press turns on, a long one acts on the page."""
import asyncio
from machine import Pin
from micropython import const

from Common import once
from Inputs import InputError
from LogicalPins import physical_pins, pinmap_dump
from Part import WIRES
from TaskManager import finished, manager
from Time import seconds

_TASK, _WORK = "oled_ui.page", "oled_ui.command"
_BOUNCE_MS = const(20)
_LONG_MS = const(700)            # a press that lasts longer is a long one
_REFRESH_S = const(10)
_BUTTON = "oleduibttn"
_MOST_COMMANDS = const(8)        # pages of one's own
_TYPES = {"ssd1306": "LM_oled", "sh1106": "LM_oled_sh1106"}
_CONTROLS = ("next", "prev", "press", "on", "off")


class Pages:
    """What is seen. Raises PinError for a board that has not all pins.

    page       the one that is turned to, from 0
    commands   pages of one's own: [line, what it answered last]
    dark_after_s   without a press; None: never
    """

    def __init__(self):
        from OledPages import PAGES
        number = physical_pins(WIRES + (_BUTTON,))[-1]
        has_adc = pinmap_dump("genadc")["genadc"] is not None
        self._named = [name for name in PAGES if name != "adc" or has_adc]
        _forget()
        self._display = None             # that of LM_oled or LM_oled_sh1106: they draw on the same; None: not begun
        self.page = 0
        self.commands = []
        self.dark_after_s = None
        self._message = None             # text that covers the page until something is pressed
        self._used_s = seconds()
        self._flag = asyncio.ThreadSafeFlag()
        self._button = Pin(number, Pin.IN, Pin.PULL_DOWN)
        self._button.irq(self._on_edge, Pin.IRQ_RISING | Pin.IRQ_FALLING)

    def begin(self, oled_type, page):
        """The first call counts. Starts the task that watches the button, should it not run."""
        if self._display is None:
            self._display = __import__(_TYPES[oled_type])._made()
            self.page = page % len(self._named)
        task = manager().get(_TASK)
        if not task or not task.active:
            manager().start(_TASK, self.run())

    def draw(self):
        """Raises InputError when the display does not answer."""
        import OledPages
        try:
            if self._message is not None:
                OledPages.box(self._display, self._message)
            else:
                own = self._own()
                OledPages.draw(self._display, own or self._named[self.page], self.page, self._count())
        finally:
            _forget()
        self._display.show()

    def control(self, word):
        """word: of _CONTROLS. Raises InputError."""
        self.touch()
        covered, self._message = self._message is not None, None
        if word == "next" or word == "prev":
            self.page = (self.page + (1 if word == "next" else -1)) % self._count()
            self._run()
        elif word == "press" and not covered:
            self._run()
        self._display.is_on = word != "off"
        self.draw()

    def touch(self):
        """Somebody is there: the time until it goes dark begins anew."""
        self._used_s = seconds()

    def show(self, message):
        self._message = message
        self.touch()
        self._display.is_on = True
        self.draw()

    def add(self, line):
        """A page that tells what a command answers; run when it is turned to, and by a long press."""
        if len(self.commands) >= _MOST_COMMANDS:
            raise ValueError("{} pages of commands are there; that is all".format(_MOST_COMMANDS))
        self.commands.append([line, "..."])

    def state(self):
        return "page: {} pwr: {}".format(self.page, self._display.is_on)

    async def run(self):
        """Until cancelled: the button, the clock, the dark."""
        while True:
            try:
                await asyncio.wait_for(self._flag.wait(), min(_REFRESH_S, self._left_s()))
                await self._pressed()
            except asyncio.TimeoutError:
                self._quietly(self._due)

    def _count(self):
        return len(self._named) + len(self.commands)

    def _own(self):
        """[line, answer] when the page is one of those."""
        at = self.page - len(self._named)
        return self.commands[at] if at >= 0 else None

    def _run(self):
        if self._own():
            running = manager().get(_WORK)
            if not running or not running.active:
                manager().start(_WORK, self._answer(self._own()))

    async def _answer(self, page):
        from Modules import CallError
        streamed = []
        try:
            answer = await finished(manager().execute(page[0], streamed.append))
            page[1] = "\n".join(streamed + [answer] if answer else streamed)
        except CallError as error:
            page[1] = str(error).split(": ", 1)[-1]
        if self._own() is page and self._display.is_on:
            self._quietly(self.draw)

    def _left_s(self):
        """Until it goes dark; longer than the pause between two looks at the clock when it does not."""
        if self.dark_after_s is None or not self._display.is_on:
            return _REFRESH_S
        return max(0, self._used_s + self.dark_after_s - seconds())

    def _due(self):
        if self._display.is_on and not self._left_s():
            self._display.power(False)
        elif self._display.is_on:
            self.draw()

    async def _pressed(self):
        """An edge was seen."""
        await asyncio.sleep_ms(_BOUNCE_MS)
        if not self._button.value():
            return
        try:
            await asyncio.wait_for_ms(self._released(), _LONG_MS)
            word = "next"
        except asyncio.TimeoutError:
            word = "press"
        # in the dark a press only lights, and over a message it only takes that away
        if not self._display.is_on or self._message is not None:
            word = "on"
        self._quietly(self.control, word)
        await self._released()

    async def _released(self):
        while self._button.value():
            await self._flag.wait()
            await asyncio.sleep_ms(_BOUNCE_MS)

    def _quietly(self, function, *args):
        """Here nobody is told; the display has made its alarm."""
        try:
            function(*args)
        except InputError:
            pass

    def _on_edge(self, _):
        self._flag.set()


def _forget():
    from pure.lazy import unload
    unload("OledPages")


@once
def _made():
    return Pages()


def _pages():
    _made().begin("ssd1306", 0)
    return _made()


def pageui(pwr_sec=None, oled_type="ssd1306", page=0):
    """Draw the active page; the first call makes the pages and begins to watch the button.

    pwr_sec     dark after so many seconds without a press, 1-86400; None: as it is, at first never
    oled_type   of the first call: ssd1306 or sh1106
    page        of the first call: where to begin
    """
    if oled_type not in _TYPES:
        raise ValueError("oled_type is ssd1306 or sh1106, got {}".format(oled_type))
    if pwr_sec is not None and (not isinstance(pwr_sec, int) or not 1 <= pwr_sec <= 86400):
        raise ValueError("pwr_sec is 1-86400 s or None, got {}".format(pwr_sec))
    if not isinstance(page, int):
        raise ValueError("page is a whole number, got {}".format(page))
    _made().begin(oled_type, page)
    if pwr_sec is not None:
        _made().dark_after_s = pwr_sec
        _made().touch()
    _made().draw()


def control(cmd="next"):
    """next and prev turn the page, press runs its command, on and off. Returns `page: <n> pwr: <True|False>`."""
    if cmd not in _CONTROLS:
        return "Invalid command {}! Hint: {}".format(cmd, _CONTROLS)
    _pages().control(cmd)
    return _pages().state()


def msgbox(msg="micrOS msg"):
    """Show a message until the button is pressed, or another control comes."""
    _pages().show(str(msg))
    return "Show msg"


def intercon_genpage(cmd=None):
    """A page with the answer of another node. cmd: "host module function ..." """
    host, _, line = str(cmd or "").strip().partition(" ")
    if not line:
        raise ValueError('takes "host module function ..."')
    _pages().add("{} >>{}".format(line, host))
    _pages().draw()
    return True


def cmd_genpage(cmd=None):
    """A page with the answer of a command. cmd: "module function ..." """
    if len(str(cmd or "").split()) < 2:
        raise ValueError('takes "module function ..."')
    _pages().add(cmd)
    _pages().draw()
    return True


def lmdep():
    return "oled", "oled_sh1106"


def pinmap():
    return pinmap_dump(WIRES + (_BUTTON, "genadc"))


def help():
    return ("pageui pwr_sec=None oled_type=<ssd1306,sh1106> page=0", "control cmd=<next,prev,press,on,off>",
            "msgbox msg='micrOS msg'", "intercon_genpage 'host module function'", "cmd_genpage 'module function'",
            "lmdep", "pinmap")
