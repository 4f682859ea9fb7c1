"""A board as an SVG: the edge with its pins, and at each pin the names that the pin map gives it."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from toolkit.docs.catalogue import Board

WIDTH, EDGE, LEFT = 460, 92, 130       # of the picture; of the board in it; where names begin
ROW, TOP, CHIP = 30, 56, 22            # a pin, the first one, height of a name
SIGN, PADDING, GAP = 7.25, 8, 6        # width of a sign in 12 px monospace


def svg(board: Board, kind_of: Callable[[str], str], target_of: Callable[[str], str | None]) -> str:
    """kind_of(name): CSS class of a name; target_of(name): where it leads, None: nowhere."""
    y, pins = TOP, []
    for number, names in board.names_by_number().items():
        lines = list(_lines(names))
        pins.append(_pin(number, lines, y, kind_of, target_of))
        y += ROW + (len(lines) - 1) * (CHIP + 4)
    height = y + 8
    return (f'<svg class="board" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="Pins of {escape(board.name)}">'
            f'<rect class="plate" x="4" y="4" width="{EDGE}" height="{height - 8}" rx="10"/>'
            f'<rect class="chip" x="20" y="14" width="60" height="26" rx="4"/>'
            f'<text class="mark" x="50" y="31">{escape(board.name)}</text>{"".join(pins)}</svg>')


def _lines(names: list[str]) -> Iterator[list[tuple[float, str]]]:
    """Names with the place where each begins, as many in a line as there is room for."""
    line: list[tuple[float, str]] = []
    x: float = LEFT
    for name in names:
        if line and x + _width(name) > WIDTH - 2:
            yield line
            line, x = [], LEFT
        line.append((x, name))
        x += _width(name) + GAP
    yield line


def _width(name: str) -> float:
    return len(name) * SIGN + 2 * PADDING


def _pin(number: int | str, lines: list[list[tuple[float, str]]], y: int, kind_of: Callable[[str], str],
         target_of: Callable[[str], str | None]) -> str:
    middle = y + CHIP / 2
    parts = [f'<text class="number" x="68" y="{middle + 4.5}">{escape(str(number))}</text>',
             f'<path class="trace" d="M84 {middle}H{LEFT}"/><circle class="pad" cx="84" cy="{middle}" r="6.5"/>']
    for at, line in enumerate(lines):
        parts += [_name(x, y + at * (CHIP + 4), name, kind_of(name), target_of(name)) for x, name in line]
    return f"<g>{''.join(parts)}</g>"


def _name(x: float, y: int, name: str, kind: str, target: str | None) -> str:
    drawn = (f'<rect x="{x:g}" y="{y}" width="{_width(name):g}" height="{CHIP}" rx="11"/>'
             f'<text x="{x + PADDING:g}" y="{y + 15.5:g}" textLength="{len(name) * SIGN:g}">{escape(name)}</text>')
    tag, link = ("a", f' href="{escape(target)}"') if target else ("g", "")
    return f'<{tag} class="name {kind}"{link}>{drawn}</{tag}>'
