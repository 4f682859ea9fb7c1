"""A module to look at first: greetings, a calculator, a die."""
from random import randint

from Common import once
from LogicalPins import detect_platform
from Modules import modules
from pure.lazy import unload

_DICE = "⚀⚁⚂⚃⚄⚅"
_OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: round(a / b, 3),
}


class Counter:
    """How many calls this module has served."""

    def __init__(self):
        self.calls = 0

    def count(self):
        self.calls += 1


@once
def _counter():
    return Counter()


def hello(name="MrNobody"):
    _counter().count()
    return ("Hello {}! This is a micrOS smart endpoint, running on {}.\n"
            "For more info call `demo links` function :D".format(name, detect_platform()))


def calculator(a, b, op="+"):
    """`a op b = result`; op: + - * /"""
    _counter().count()
    if op not in _OPERATIONS:
        raise ValueError("op is one of + - * /, got {}".format(op))
    return "{} {} {} = {}".format(a, op, b, _OPERATIONS[op](a, b))


def dice_cube():
    _counter().count()
    number = randint(1, 6)
    return "{} {}".format(_DICE[number - 1], number)


def yes_no():
    _counter().count()
    return "YES" if randint(0, 1) else "NO"


def links():
    _counter().count()
    return ("Platform: {}\n"
            "MicroPython: https://micropython.org\n"
            "micrOS 1.20, whose commands this node speaks: https://github.com/BxNxM/micrOS".format(detect_platform()))


def source():
    """Where to read this module."""
    _counter().count()
    return modules().path("demo")


def exec_info():
    import Clockwork
    unload("Clockwork")
    _counter().count()
    return "Under {}: {} cmd served.".format(Clockwork.uptime(), _counter().calls)


def help():
    return ('hello name="MrNobody"', 'calculator a b op="+"', "dice_cube", "yes_no", "links", "source", "exec_info")
