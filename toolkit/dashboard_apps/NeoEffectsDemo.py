"""Pixel strip: meteor, cycle, rainbow, shader, fire; then dark."""
from __future__ import annotations

from toolkit.apps import Node, Step, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    effects = ("meteor 90 0 120", "cycle 0 90 40", "rainbow", "shader", "fire 120 40 0")
    frames: list[Step] = []
    for effect in effects:
        frames += (f"neoeffects {effect}", 0.1, f"neoeffects {effect}", 0.1, f"neoeffects {effect}", 0.5)
    return play(devfid, "neopixel load_n_init", *frames, "neopixel toggle False")
