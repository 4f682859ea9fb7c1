"""Servo demo: both servos from end to end and back, then let go."""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    turns = [step for duty in (40, 115, 75) for step in (f"servo sduty {duty}", f"servo s2duty {duty}", 0.7)]
    return play(devfid, *turns, "servo sdemo", 2, "servo deinit")
