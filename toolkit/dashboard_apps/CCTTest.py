"""White lamp: colour, brightness, switch; the state must follow."""
from __future__ import annotations

from toolkit.apps import Node, Steps, follow


def app(devfid: str | Node | None = None) -> Steps:
    return follow(
        devfid, "cct",
        ("white cw=300 ww=600 smooth=False", {"CW": 300, "WW": 600, "S": 1}),
        ("brightness 100 smooth=False", {"CW": 500, "WW": 1000, "S": 1}),
        ("toggle False smooth=False", {"S": 0}),
        ("toggle smooth=False", {"CW": 500, "WW": 1000, "S": 1}),
        ("toggle False smooth=False", {"S": 0}),
    )
