"""Small light: an RGB lamp that wanders from colour to colour."""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    wander = [step for _ in range(5) for step in ("rgb random", 1.0)]
    return play(devfid, "rgb load_n_init", *wander, "rgb transition 0 0 0 sec=1", 1.5, "rgb toggle False")
