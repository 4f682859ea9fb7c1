"""Microphone: what it hears for five seconds, as a picture: microphone_<node>.png in this folder."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.apps import AppError, Node, Sample, Steps, hear, node

WIDTH, HEIGHT, MARGIN = 800, 300, 30
NOISE, LINE, FRAME = "#c62828", "#1565c0", "#9e9e9e"


def app(devfid: str | Node | None = None) -> Steps:
    pillow()                       # nobody makes noise for a picture that cannot be drawn
    with node(devfid) as board:
        samples = yield from hear(board, seconds=5)
        path = Path(f"microphone_{Path(board.name).name}.png")
    draw(samples, path)
    yield f"{len(samples)} samples, {sum(each.is_noise for each in samples)} of them noise: {path}"
    return 0


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Percent over time as a line, noise as red dots."""
    image_module, drawing = pillow()
    image = image_module.new("RGB", (WIDTH, HEIGHT), "white")
    pen = drawing.Draw(image)
    pen.rectangle((MARGIN, MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN), outline=FRAME)
    last_ms = max(1, max((each.at_ms for each in samples), default=1))
    points = [(_along(each.at_ms / last_ms, WIDTH), HEIGHT - _along(each.percent / 100, HEIGHT)) for each in samples]
    if len(points) > 1:
        pen.line(points, fill=LINE)
    for (x, y), each in zip(points, samples, strict=True):
        if each.is_noise:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=NOISE)
    pen.text((MARGIN, 10), f"microphone, percent; 0 to {last_ms} ms", fill="black")
    image.save(path)


def _along(part: float, length: int) -> float:
    """part: 0-1 of the way between the margins."""
    return MARGIN + part * (length - 2 * MARGIN)


def pillow() -> tuple[Any, Any]:
    """(Image, ImageDraw). Raises AppError without Pillow, which only this app needs."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise AppError("drawing needs Pillow: pip install Pillow; MicrophoneTest shows bars without it") from None
    return Image, ImageDraw
