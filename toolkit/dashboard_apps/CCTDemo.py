"""White lamp: warm, cold and slowly from one to the other."""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    return play(
        devfid,
        "cct white cw=0 ww=800", 1, "cct white cw=800 ww=0", 1,
        "cct hue_transition 0 sec=2 wake=True", 2.5, "cct hue_transition 100 sec=2", 2.5,
        "cct random", 1, "cct toggle False",
    )
