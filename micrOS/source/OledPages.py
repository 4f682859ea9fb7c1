"""What the pages of a display tell, and how they look; in memory only while one is drawn."""
import gc
import time
from collections import OrderedDict

from ConfigHandler import cfgget
from Display import HEIGHT, WIDTH
from pure.lazy import unload

_SIGN = 8                        # pixels of a sign, in both directions
_COLUMNS = WIDTH // _SIGN
_TOP, _ROW = 14, 10              # first row below the headline, and from row to row
_ROWS = 5


def _clock(display):
    now = time.localtime()
    display.big("{:02}:{:02}".format(now[3], now[4]), 4, 18, 3)
    _centred(display, "{}-{:02}-{:02}".format(*now[:3]), 52)


def _network(display):
    from Network import net
    address, _, gateway, _ = net().ifconfig()
    _list(display, [{"STA": "joined", "AP": "own network"}.get(net().mode, "none"), address, "by", gateway])


def _node(display):
    import Clockwork
    unload("Clockwork")
    gc.collect()
    used = gc.mem_alloc()
    memory_pct = 100 * used // (used + gc.mem_free())
    _list(display, ["micrOS", cfgget("version"), "memory {} %".format(memory_pct), "up " + Clockwork.uptime()])


def _tasks(display):
    from TaskManager import manager
    _list(display, [task.tag for task in manager().tasks if task.active])


def _nodes(display):
    from InterConnect import dump_cache
    _list(display, sorted(dump_cache()) or ["none found", "so far"])


def _adc(display):
    from Analog import SmartADC
    values = SmartADC.get_singleton("genadc").get()
    _list(display, ["{} V".format(values["volt"]), "{} %".format(values["percent"])])
    display.rect(4, 50, 120, 10, 1, False)
    display.rect(4, 50, int(1.2 * values["percent"]), 10, 1, True)


PAGES = OrderedDict((("clock", _clock), ("network", _network), ("node", _node), ("tasks", _tasks), ("nodes", _nodes),
                     ("adc", _adc)))


def draw(display, page, at, count):
    """One page. page: a name of PAGES, or (title, text); at: its place, from 0, of so many."""
    display.fill(0)
    is_named = isinstance(page, str)
    title = page if is_named else page[0]
    place = "{}/{}".format(at + 1, count)
    if title == "clock":
        title = cfgget("devfid")
    display.text(_plain(title)[:_COLUMNS - 1 - len(place)], 0, 0)
    display.text(place, WIDTH - _SIGN * len(place), 0)
    display.line(0, 10, WIDTH - 1, 10, 1)
    if not is_named:
        _list(display, page[1].split("\n"))
        return
    try:
        PAGES[page](display)
    except Exception as error:       # outer wall: a page that fails tells why, the others can still be turned to
        _list(display, [str(error) or type(error).__name__])


def box(display, text):
    """A message, in a frame."""
    display.fill(0)
    display.rect(0, 0, WIDTH, HEIGHT, 1, False)
    display.rect(2, 2, WIDTH - 4, HEIGHT - 4, 1, False)
    rows = _wrapped(text.split("\n"), _COLUMNS - 2)
    top = (HEIGHT - _ROW * len(rows)) // 2
    for at, row in enumerate(rows):
        _centred(display, row, top + _ROW * at)


def _centred(display, text, y):
    display.text(text, (WIDTH - _SIGN * len(text)) // 2, y)


def _list(display, rows):
    for at, row in enumerate(_wrapped(rows, _COLUMNS)):
        display.text(row, 0, _TOP + _ROW * at)


def _wrapped(rows, columns):
    """As many rows as there is room for, cut between words where that can be."""
    cut = []
    for row in rows:
        row = _plain(row).strip()
        while len(row) > columns:
            at = row.rfind(" ", 0, columns + 1)
            cut.append(row[:at if at > 0 else columns])
            row = row[at if at > 0 else columns:].lstrip()
        cut.append(row)
    return cut[:_ROWS]


def _plain(text):
    """Signs that the font does not have left out: `ºC` becomes `C`."""
    return "".join([sign for sign in text if " " <= sign <= "~"])
