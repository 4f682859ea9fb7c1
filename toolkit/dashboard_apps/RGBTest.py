"""RGB lamp: each colour, brightness, switch; the state must follow."""
from __future__ import annotations

from toolkit.apps import Node, Steps, follow


def app(devfid: str | Node | None = None) -> Steps:
    return follow(
        devfid, "rgb",
        ("color 600 0 0 smooth=False", {"R": 600, "G": 0, "B": 0, "S": 1}),
        ("color 0 600 0 smooth=False", {"R": 0, "G": 600, "B": 0, "S": 1}),
        ("color 0 0 600 smooth=False", {"R": 0, "G": 0, "B": 600, "S": 1}),
        ("brightness 100 smooth=False", {"B": 1000, "S": 1}),
        ("toggle False smooth=False", {"S": 0}),
        ("toggle smooth=False", {"B": 1000, "S": 1}),
        ("toggle False smooth=False", {"S": 0}),
    )
