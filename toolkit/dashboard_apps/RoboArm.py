"""Robot arm: looks around, draws a square with the laser, shakes, parks."""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    return play(
        devfid,
        "roboarm load_n_init", 1, "roboarm boot_move", 3,
        "roboarm play 60 60 95 60 95 95 60 95 60 60 s=5 delay=200 deinit=False", 4,
        "roboarm jiggle", 1, "roboarm standby",
    )
