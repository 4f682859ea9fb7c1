"""Template: copy this file, change the commands, run it with --applications ./my_app.py.

Texts are commands for the node, numbers are seconds to wait; toolkit/apps.py has more to begin with.
"""
from __future__ import annotations

from toolkit.apps import Node, Steps, play


def app(devfid: str | Node | None = None) -> Steps:
    return play(devfid, "hello", "system heartbeat", 0.5, "system clock")
