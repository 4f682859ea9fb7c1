"""Numbers and facts in what nodes answer to system info, esp32 temp, system alarms, and to any module."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_VERDICT = re.compile(r"(N?OK) alarm\W+(\d+)")
_BOOTS = "Boots, newest first: "               # how it came to start, which is nothing to complain of
_UPTIME = re.compile(r"(\d+) (\d+):(\d+):(\d+)")


@dataclass(frozen=True)
class Info:
    """What `system info` tells. heap, flash: in use, percent; None: not told."""

    heap_used_pct: float | None = None
    flash_used_pct: float | None = None
    cpu_mhz: float | None = None
    uptime_s: float | None = None
    micropython: str = ""
    board: str = ""
    mac: str = ""


@dataclass(frozen=True)
class Alarms:
    """verdict: the node's own line; count: None when it told none; boots: why it started, the newest first."""

    verdict: str = ""
    count: int | None = None
    log: list[str] = field(default_factory=list)
    boots: list[str] = field(default_factory=list)


def info(text: str) -> Info:
    """Of the rows `name: value`; what is not there stays unknown."""
    rows = {name.strip(): value.strip() for name, colon, value in _rows(text) if colon}
    return Info(number(rows.get("Mem usage", "")), number(rows.get("FS usage", "")), number(rows.get("CPU clock", "")),
                _uptime_s(rows.get("uptime", "")), rows.get("upython", ""), rows.get("board", ""), rows.get("mac", ""))


def alarms(text: str) -> Alarms:
    told = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in told if not line.startswith(_BOOTS)]
    boots = [word for line in told if line not in lines for word in line.removeprefix(_BOOTS).split(", ")]
    found = [(line, match) for line in lines if (match := _VERDICT.search(line))]
    if not found:
        return Alarms(log=lines, boots=boots)
    verdict, match = found[-1]
    return Alarms(verdict, int(match[2]), [line for line in lines if line != verdict], boots)


def number(text: str) -> float | None:
    """The first number in a text."""
    found = _NUMBER.search(text)
    return float(found[0]) if found else None


def values(text: str) -> Iterator[tuple[str, float]]:
    """(name, number) of every figure in an answer: JSON, `name: value` rows, or one number, which is named value."""
    try:
        yield from _of_json("", json.loads(text))
        return
    except ValueError:
        pass
    rows = [(name.strip(), _plain(value)) for name, colon, value in _rows(text) if colon]
    if rows:
        yield from ((name, figure) for name, figure in rows if figure is not None)
    elif (alone := _plain(text)) is not None:
        yield "value", alone


def _of_json(name: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _of_json(f"{name}_{key}" if name else str(key), each)
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _of_json(f"{name or 'value'}_{at}", each)
    elif isinstance(value, bool | int | float):
        yield name or "value", float(value)
    elif isinstance(value, str) and (figure := _plain(value)) is not None:
        yield name or "value", figure


def _plain(text: str) -> float | None:
    """A text that is a number, perhaps with a unit: `53.3`, `21 C`, not `node01`."""
    found = re.fullmatch(rf"({_NUMBER.pattern})\s*\W?\w{{0,4}}\W?", text.strip())
    return float(found[1]) if found else None


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(": ") for line in text.splitlines())


def _uptime_s(text: str) -> float | None:
    found = _UPTIME.search(text)
    if not found:
        return None
    days, hours, minutes, seconds = map(int, found.groups())
    return 86400.0 * days + 3600 * hours + 60 * minutes + seconds
