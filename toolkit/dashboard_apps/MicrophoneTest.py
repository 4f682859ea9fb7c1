"""Microphone: what it hears for two seconds, as bars; make some noise."""
from __future__ import annotations

from toolkit.apps import Node, Steps, hear


def app(devfid: str | Node | None = None) -> Steps:
    heard = yield from hear(devfid, seconds=2)
    for at_ms, percent, is_noise in heard:
        yield f"{at_ms:>7} ms  {percent:5.1f} %  {'#' * round(percent / 2)}{' noise' if is_noise else ''}"
    return 0
