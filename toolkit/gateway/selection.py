"""Which nodes a job is for: `name=lamp* version<2.1 tag=hall not board=rp2`.

    choice = both { "or" both }        both = each { each }        each = "not" each | "(" choice ")" | term
    term   = key op value | value      a value alone is a name or a uid; `*` and `?` stand for what varies
    key    = name uid tag version board address state        op = = != < <= > >=, the last four for version only
A value with blanks stands in double quotes. `all` is every node.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt

from toolkit.errors import UsageError
from toolkit.fileport import numbers

MOST_CHARS = 1000
MOST_DEPTH = 20
HELP = "name=lamp* version<2.1 tag=hall not board=rp2, with and, or, not and brackets; or: all"


@dataclass(frozen=True)
class Facts:
    """What is known of a node. state: up, down, or what the gateway calls it; version, board: "" = not known"""

    uid: str
    name: str
    address: str
    port: int = 9008
    version: str = ""
    board: str = ""
    state: str = ""
    tags: tuple[str, ...] = ()


Test = Callable[[Facts], bool]

_TOKEN = re.compile(r'\s*(?:(?P<mark>[()])|(?P<word>(?:"[^"]*"|[^\s()"])+)|(?P<bad>\S))')
_TERM = re.compile(r"(?P<key>[a-z]+)(?P<op>!=|<=|>=|=|<|>)(?P<value>.*)", re.DOTALL)
_ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge}
_KEYS: dict[str, Callable[[Facts], tuple[str, ...]]] = {
    "name": lambda node: (node.name,),
    "uid": lambda node: (node.uid,),
    "tag": lambda node: node.tags,
    "version": lambda node: (node.version,),
    "board": lambda node: (node.board,),
    "address": lambda node: (node.address,),
    "state": lambda node: (node.state,),
}


def select(expression: str, nodes: Iterable[Facts]) -> list[Facts]:
    """The nodes that an expression means, in their order. Raises UsageError with the place of a mistake."""
    test = parsed(expression)
    return [node for node in nodes if test(node)]


def parsed(expression: str) -> Test:
    if len(expression) > MOST_CHARS:
        raise UsageError(f"a selection has up to {MOST_CHARS} characters, got {len(expression)}")
    parser = _Parser(expression)
    test = parser.choice(0)
    parser.expect_end()
    return test


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        for found in _TOKEN.finditer(text):
            if found["bad"]:
                raise UsageError(f"a quote is not closed at character {found.start('bad') + 1} of {text!r}")
            self._tokens.append((found["mark"] or found["word"], found.end()))
        self._text = text
        self._at = 0

    def choice(self, depth: int) -> Test:
        tests = [self._both(depth)]
        while self._is_next("or"):
            tests.append(self._both(depth))
        return lambda node: any(test(node) for test in tests)

    def expect_end(self) -> None:
        if self._at < len(self._tokens):
            self._fail("nothing more")

    def _both(self, depth: int) -> Test:
        tests = [self._each(depth)]
        while self._is_next("and") or self._peek() not in (None, "or", ")"):
            tests.append(self._each(depth))
        return lambda node: all(test(node) for test in tests)

    def _each(self, depth: int) -> Test:
        if depth > MOST_DEPTH:
            raise UsageError(f"a selection has up to {MOST_DEPTH} brackets and nots inside each other")
        if self._is_next("not"):
            test = self._each(depth + 1)
            return lambda node: not test(node)
        if self._is_next("("):
            inner = self.choice(depth + 1)
            if not self._is_next(")"):
                self._fail("a closing bracket")
            return inner
        token = self._peek()
        if token in (None, "and", "or", ")"):
            self._fail(f"a term such as {HELP.split(' ')[0]}")
        self._at += 1
        return _term(str(token))

    def _peek(self) -> str | None:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else None

    def _is_next(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _fail(self, expected: str) -> None:
        got = self._peek() or "the end"
        raise UsageError(f"the selection {self._text!r} wants {expected} where it has {got!r}. Examples: {HELP}")


def _term(text: str) -> Test:
    if text == "all":
        return lambda node: True
    found = _TERM.fullmatch(text)
    if not found:
        pattern = text.replace('"', "")
        return lambda node: fnmatchcase(node.name, pattern) or node.uid == pattern
    key, op, value = found["key"], found["op"], found["value"].replace('"', "")
    if key not in _KEYS:
        raise UsageError(f"a selection knows {', '.join(_KEYS)}, got {key!r}. Examples: {HELP}")
    if op in _ORDER:
        return _ordered(key, op, value)
    get = _KEYS[key]
    if op == "=":
        return lambda node: any(fnmatchcase(each, value) for each in get(node))
    return lambda node: not any(fnmatchcase(each, value) for each in get(node))


def _ordered(key: str, op: str, value: str) -> Test:
    """Of a version that is not known nothing is said, so it fits neither < nor >."""
    if key != "version" or not numbers(value):
        raise UsageError(f"{op} compares versions: version{op}2.1, got {key}{op}{value}")
    compare, limit = _ORDER[op], _trimmed(value)
    return lambda node: bool(numbers(node.version)) and compare(_trimmed(node.version), limit)


def _trimmed(version: str) -> list[int]:
    """Numbers without zeros at the end: 2.0 is 2.0.0-0."""
    digits = numbers(version)
    while digits and digits[-1] == 0:
        digits.pop()
    return digits
