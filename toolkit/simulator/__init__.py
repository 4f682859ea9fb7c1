"""The virtual board: the device's code on real MicroPython, with the world around it in a test's hands.

    from toolkit.simulator import VirtualBoard

    with VirtualBoard() as board:
        print(board.shell("hello"))
"""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.simulator.api import Pwm, VirtualBoard

__all__ = ["Pwm", "VirtualBoard"]


def __getattr__(name: str) -> object:
    # the board's own process imports this package and needs nothing of the API
    if name in __all__:
        from toolkit.simulator import api
        return getattr(api, name)
    raise AttributeError(name)
