"""Versions of the node, its MicroPython and its board."""
from __future__ import annotations

from toolkit.apps import Node, Steps, node


def app(devfid: str | Node | None = None) -> Steps:
    with node(devfid) as board:
        yield f"{board.name}  micrOS {board.ask('version')}"
        for line in board.ask("system info").splitlines():
            if line.startswith(("upython:", "board:")):
                yield line
    return 0
