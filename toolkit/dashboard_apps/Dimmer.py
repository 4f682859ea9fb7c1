"""Dimmer: up in steps, slowly down, off."""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    levels = [step for value in (50, 200, 500, 1000) for step in (f"dimmer set_value {value}", 0.5)]
    return play(devfid, *levels, "dimmer transition 50 sec=2", 2.5, "dimmer toggle False")
