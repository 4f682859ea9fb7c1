"""How long a changed load module takes from the desk to its first answer, without a reboot."""
import time
from collections.abc import Generator
from itertools import count

from boards import node
from row import Budget, Sample, row

from toolkit.link.webrepl import FileLink

PASSWORD = "ADmin123"          # `appwd` of a fresh node
JAGUAR_MS = 2000.0             # "under two seconds", github.com/toitlang/jaguar
PAUSE_S = 0.05                 # until the seat of the drop before is free: who comes at once waits for it, 20 ms
BUDGET = Budget(500.0, of_ratio=False)

MODULE = '''"""A lamp in a hurry: {number}"""


class Lamp:
    def __init__(self):
        self.is_on = False
        self.turns = {number}

    def toggle(self):
        self.is_on = not self.is_on
        self.turns += 1
        return {{"on": self.is_on, "turns": self.turns}}


_lamp = Lamp()


def toggle():
    return _lamp.toggle()


def answer():
    return {number}


def help():
    return "toggle", "answer"
'''


@row("drop", "login, put LM_x.py, first answer", "Jaguar, under 2 s", "ms", BUDGET, rounds=15)
def drop() -> Generator[Sample, None, None]:
    for login_ms, put_ms in _drops():
        yield login_ms + put_ms, JAGUAR_MS


@row("drop-put", "the same, already logged in", "Jaguar, under 2 s", "ms", BUDGET, rounds=15)
def drop_put() -> Generator[Sample, None, None]:
    for _, put_ms in _drops():
        yield put_ms, JAGUAR_MS


def _drops() -> Generator[tuple[float, float], None, None]:
    """(ms of connecting and login, ms from the put to the answer); each drop answers another number than the last."""
    with node() as board, board.session() as shell:
        for number in count():
            begun = time.perf_counter()
            with FileLink(board.address, PASSWORD, board.webrepl_port) as files:
                ready = time.perf_counter()
                files.put("LM_bench.py", MODULE.format(number=number).encode())
                answer = shell.send("bench answer")
                answered = time.perf_counter()
            if answer != str(number):
                raise AssertionError(f"drop {number} answered {answer!r}: not replaced")
            if number:                         # 0 warms up
                yield 1000 * (ready - begun), 1000 * (answered - ready)
            time.sleep(PAUSE_S)
