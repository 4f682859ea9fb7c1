"""Pixel strip: colours, brightness, one segment, switch; the state must follow."""
from __future__ import annotations

from toolkit.apps import Node, Steps, follow


def app(devfid: str | Node | None = None) -> Steps:
    return follow(
        devfid, "neopixel",
        ("color 200 0 0 smooth=False", {"R": 200, "G": 0, "B": 0, "S": 1}),
        ("color 0 200 0 smooth=False", {"R": 0, "G": 200, "B": 0, "S": 1}),
        ("color 0 0 200 smooth=False", {"R": 0, "G": 0, "B": 200, "S": 1}),
        ("brightness 20 smooth=False", {"S": 1}),
        ("segment 90 90 90 s=3", {}),
        ("toggle False smooth=False", {"S": 0}),
    )
