"""The same inputs on the board's interpreter: one MicroPython process, outcomes side by side."""
import json
import math
import subprocess
import tempfile
from pathlib import Path

from tests.fuzz.outcomes import outcome
from tests.micropython import command

ROOT = Path(__file__).parents[2]
BATCH = 20_000                       # inputs of one process


def differences(cases):
    """(case, here, there) where CPython and MicroPython disagree. cases: list of (kind, input)."""
    found = []
    for at in range(0, len(cases), BATCH):
        batch = cases[at:at + BATCH]
        here = [json.loads(json.dumps(outcome(*case))) for case in batch]
        there = on_micropython(batch)
        found += [row for row in zip(batch, here, there, strict=True) if not alike(row[1], row[2])]
    return found


def on_micropython(cases):
    """Outcomes of the cases, as outcomes.py prints them."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
        file.flush()
        words = [*command(), "-X", "heapsize=16M", "tests/fuzz/outcomes.py", file.name]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=50)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line]


def alike(one, other):
    """Equal but for the order of a dict and the last digit of a float."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and (_tagged if one and one[0] in list(_TAGGED) else _all)(one, other)
    return type(one) is type(other) and one == other


def _tagged(one, other):
    return one[0] == other[0] and _TAGGED[one[0]](one[1], other[1])


def _all(one, other):
    return all(map(alike, one, other))


def _floats(one, other):
    one, other = float(one), float(other)
    return math.isclose(one, other, rel_tol=1e-13, abs_tol=1e-300) or (one != one and other != other)


def _dicts(one, other):
    rest = list(other)
    for pair in one:
        twin = next((candidate for candidate in rest if _all(pair, candidate)), None)
        if twin is None:
            return False
        rest.remove(twin)
    return not rest


_TAGGED = {"float": _floats, "dict": _dicts, "list": alike, "tuple": alike, "bytes": alike, "value": alike,
           "broken": lambda one, other: one.split(":")[0] == other.split(":")[0]}
