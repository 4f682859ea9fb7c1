"""Cat toy: a game of ten swings, then the servo is let go."""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    return play(devfid, "catgame game repeat=10 delta=25", 5, "catgame live_game chance=100", 3, "catgame stop")
