"""Reads the transcripts that were recorded from micrOS 1.20.7."""
import ast
import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent.parent / "vectors" / "transcripts"
_ROW = re.compile(r"\[(\w)\] (CONNECT -> |> |< )(.*)", re.DOTALL)


class Step(NamedTuple):
    """client: A, B ...; sent: None when it connects; answer: what came back, `<<EOF>>` when 1.20 closed."""

    client: str
    sent: str | None
    answer: str


def steps(name: str) -> list[Step]:
    """All steps of a transcript, in their order."""
    found: list[Step] = []
    sent: str | None = None
    for line in (FOLDER / f"v1207_{name}.txt").read_text().splitlines():
        row = _ROW.match(line)
        if not row:
            continue
        client, kind, text = row.groups()
        value = ast.literal_eval(text.strip())
        if kind == "> ":
            sent = value
        else:
            found.append(Step(client, sent if kind == "< " else None, value.decode()))
    return found
