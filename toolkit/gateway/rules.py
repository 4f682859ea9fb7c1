"""The rules of settings, for forms: read from the table of this release, `Settings.py`, without running it."""
from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass, field

from toolkit.compile import shipped_source

_REMARK = re.compile(r'^    \("(\w+)",.*\),\s+# (.*)$', re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    """What a key takes. least, most: of a number; choices: empty, anything of the default's kind."""

    default: bool | int | str | None = None
    least: int | None = None
    most: int | None = None
    choices: list[str] = field(default_factory=list)
    doc: str = ""


@functools.cache
def rules() -> dict[str, Rule]:
    """Key -> its rule. A rule that is a function only the node can tell: its refusal says what it expects."""
    source = (shipped_source() / "Settings.py").read_text(encoding="utf-8")
    remarks = dict(_REMARK.findall(source))
    table = next(node.value for node in ast.parse(source).body if isinstance(node, ast.Assign)
                 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "SETTINGS")
    assert isinstance(table, ast.Tuple)
    rows = [each.elts for each in table.elts if isinstance(each, ast.Tuple)]
    return {key: _rule(_value(default), _value(rule), remarks.get(key, ""))
            for name, default, rule in rows if isinstance(key := _value(name), str)}


def _rule(default: object, rule: object, doc: str) -> Rule:
    kept = default if isinstance(default, bool | int | str) else None
    if isinstance(rule, tuple) and all(isinstance(each, str) for each in rule):
        return Rule(kept, choices=list(rule), doc=doc)
    if isinstance(rule, tuple) and len(rule) == 2:
        return Rule(kept, rule[0], rule[1], doc=doc)
    return Rule(kept, doc=doc)


def _value(node: ast.expr) -> object:
    """A constant, or a tuple of them; None for what only a run tells."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
