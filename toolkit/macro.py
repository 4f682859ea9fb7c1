"""Macros: a text file of commands for one node.

    #microscript <device> [<password>] [debug|safe]      the first line
    # a remark                                           also an empty line
    wait 1.5                                             seconds, 0 to 86400
    rgb color r=100                                      anything else is a command, sent as it stands
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.link.shell import ShellLink
from toolkit.session import failed

MARK = "#microscript"
MODES = ("debug", "safe")
LONGEST_WAIT_S = 86400.0


@dataclass(frozen=True)
class Line:
    """One step. wait_s: None for a command."""

    number: int
    command: str
    wait_s: float | None = None


@dataclass(frozen=True)
class Macro:
    """What a file says. mode: "", "debug" or "safe"."""

    path: Path
    device: str
    password: str | None
    mode: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Answer:
    """What the node said to the command of a line."""

    line: Line
    text: str
    failed: bool


def load(path: Path) -> Macro:
    """Read a file whole. Raises UsageError that names the first line that cannot be."""
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8") from None
    device, password, mode = _head(path, texts[0] if texts else "")
    rows = ((number, text.strip()) for number, text in enumerate(texts[1:], 2))
    lines = tuple(_line(path, number, text) for number, text in rows if text and not text.startswith("#"))
    return Macro(path, device, password, mode, lines)


def _head(path: Path, text: str) -> tuple[str, str | None, str]:
    words = text.split()
    mode = words.pop() if len(words) > 2 and words[-1] in MODES else ""
    if not 2 <= len(words) <= 3 or words[0] != MARK:
        # the line may hold a password: it is not repeated here
        raise UsageError(f"{path}:1: expected {MARK} <device> [debug|safe], got another first line")
    return words[1], words[2] if len(words) == 3 else None, mode


def _line(path: Path, number: int, text: str) -> Line:
    if text.split()[0] != "wait":
        return Line(number, text)
    try:
        (seconds,) = map(float, text.split()[1:])
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise UsageError(f"{path}:{number}: expected wait <0-{LONGEST_WAIT_S:g} seconds>, got {text!r}")
    return Line(number, text, seconds)


def play(
    macro: Macro, connect: Callable[[], ShellLink], sleep: Callable[[float], None],
    reconnect: Callable[[Callable[[], ShellLink]], ShellLink],
) -> Iterator[Answer]:
    """Run it, giving each answer; in safe mode the first refused command is the last.

    connect     makes a session
    reconnect   the same for a node that restarts: a command closed the session, and more follow
    Raises LinkError when the node goes away.
    """
    link = connect()
    try:
        for line in macro.lines:
            if line.wait_s is not None:
                sleep(line.wait_s)
                continue
            if link.closed:
                link = reconnect(connect)
            text = link.ask(line.command)
            answer = Answer(line, text, failed(text))
            yield answer
            if answer.failed and macro.mode == "safe":
                return
    finally:
        link.close()
