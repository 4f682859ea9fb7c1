"""The conversations in tests/sessions, typed into a fresh node.

A line that starts with a prompt is typed; what follows is the answer. `<number>`, `<hex>` and `<text>` stand for what
varies, a `<text>` alone on a line for any number of lines; the lines of a dict may come in any order.
"""
import re
from pathlib import Path

import pytest

SESSIONS = sorted((Path(__file__).parents[1] / "sessions").glob("*.txt"))
TYPED = re.compile(r"^((?:\[\w+\] )*node01 \$ )(.+)$")
HOLES = {"<number>": r"-?\d+(\.\d+)?", "<hex>": r"[0-9a-f]+", "<text>": r".*"}


def turns(path):
    """Pairs [line typed, [lines of the answer]]."""
    found = []
    for line in path.read_text().splitlines():
        typed = TYPED.match(line)
        if typed:
            found.append([typed.group(2), []])
        elif not line.startswith("# "):
            found[-1][1].append(line)
    return found


def pattern(line):
    if line == "<text>":
        return r"(.*\n)*"
    text = re.escape(line)
    for hole, regex in HOLES.items():
        text = text.replace(re.escape(hole), regex)
    return text + r"\n"


def fits(expected, answer):
    if expected and all(line.startswith(" ") and ": " in line for line in expected):
        return len(expected) == len(answer) and all(
            any(re.fullmatch(pattern(line), got + "\n") for got in answer) for line in expected)
    if len(expected) == 1 and expected[0].startswith("{"):
        return sorted(expected[0]) == sorted("\n".join(answer))
    return re.fullmatch("".join(pattern(line) for line in expected), "".join(line + "\n" for line in answer))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_the_session_goes_as_written(path, make_board):
    with make_board().session() as session:
        for typed, expected in turns(path):
            answer = session.send(typed).rstrip("\n").split("\n")
            while expected and not expected[-1]:
                expected.pop()
            assert fits(expected or [""], answer), f"{typed}\nexpected: {expected}\ngot:      {answer}"
