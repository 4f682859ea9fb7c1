"""How much of the heap four kinds of lamp take that share what they can: rgb, cct, dimmer, neopixel, all at work."""
import re
import time
from collections.abc import Generator

from probe import PROBE
from row import Budget, Sample, row

from toolkit.simulator.api import VirtualBoard

LAMPS = ("rgb", "cct", "dimmer", "neopixel")
PINS = {"cstmpmap": "neop:13"}      # on an ESP32 rgbue and neop share a pin
OLD_BYTES = 24_781.0                # 24.2 KB: the same four of 1.20.5 on the same 64-bit VM; shared/DESIGN.md, 9
BUDGET = Budget(14_848, of_ratio=False)
WAIT_S = 5.0
READING = re.compile(r"^heap (\d+) \S+\r?\nqstr pool: n_pool=\d+, n_qstr=\d+, "
                     r"n_str_data_bytes=(\d+), n_total_bytes=(\d+)", re.MULTILINE)


@row("heap-lamps", "heap of 4 lamps, .mpy set", "micrOS 1.20.5", "B", BUDGET, rounds=3)
def heap_lamps() -> Generator[Sample, None, None]:
    while True:
        with VirtualBoard(mpy=True, files={"boot.py": PROBE}, config=PINS) as board:
            board.shell("modules")          # so that the names of the built-in commands are known before
            before = _bytes(board)
            for lamp in LAMPS:
                if not board.shell(f"{lamp} load_n_init").startswith("CACHE: True"):
                    raise RuntimeError(f"{lamp} is not loaded: {board.console()[-500:]}")
            yield float(_bytes(board) - before), OLD_BYTES


def _bytes(board: VirtualBoard) -> int:
    """In use when nobody is connected; but for the slots of the table of names, with the text of the names.

    The slots grow by doubling, 3.6 or 7.1 KB at once, at whoever happens to bring the name that is one too many; the
    lamps fill about 116 of them, 11 bytes each.
    """
    used, text, table = _reading(board)
    return used - table + text


def _reading(board: VirtualBoard) -> tuple[int, int, int]:
    """The third from now: one may have been under way, and what the session left needs another to be gone."""
    seen, deadline = len(READING.findall(board.console())), time.monotonic() + WAIT_S
    while len(told := READING.findall(board.console())) < seen + 3:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the probe said nothing in {WAIT_S} s")
        time.sleep(0.01)
    used, text, table = map(int, told[-1])
    return used, text, table
