"""Short private names for a compiled set: on a board each name that was ever seen stays in the heap, some 25 bytes.

What starts with one underscore is meant for its own file, so every file can call its private things `_0`, `_1`, ...:
all files share these few. Lines stay where they are, so a traceback still leads to the place.
"""
import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping

PRIVATE = re.compile(r"_[A-Za-z]\w*$")


def shortened(sources: Mapping[str, str]) -> dict[str, str]:
    """The same files with shorter names, but for those that one file takes from another."""
    trees = {path: ast.parse(source) for path, source in sources.items()}
    defined = Counter(name for tree in trees.values() for name in set(_defined(tree)))
    shared = {name for tree in trees.values() for name in _foreign(tree)}
    shared |= {name for tree in trees.values() for name in _reached(tree) if defined[name] > 1}
    return {path: _renamed(source, _own(trees[path]) - shared) for path, source in sources.items()}


def _renamed(source: str, names: set[str]) -> str:
    """Numbered in the order in which they first stand there."""
    found = [token for token in tokenize.generate_tokens(io.StringIO(source).readline)
             if token.type == tokenize.NAME and token.string in names]
    short = {name: f"_{number}" for number, name in enumerate(dict.fromkeys(token.string for token in found))}
    lines = source.splitlines(keepends=True)
    for token in reversed(found):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + short[token.string] + line[token.end[1]:]
    return "".join(lines)


def _own(tree: ast.Module) -> set[str]:
    """Private names that a file defines; none when a class has its base in another file, with whose they would meet."""
    imported = set(_imported(tree))
    if any(_root(base) in imported for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases):
        return set()
    spelled = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {name for name in _defined(tree) if PRIVATE.match(name)} - spelled


def _foreign(tree: ast.Module) -> Iterator[str]:
    """Names that belong to another file: imported, or an attribute or keyword that is not defined here."""
    imported, defined = set(_imported(tree)), set(_defined(tree))
    yield from imported
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (node.attr not in defined or _root(node.value) in imported):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg not in defined:
            yield node.arg or ""


def _reached(tree: ast.Module) -> Iterator[str]:
    """Attributes of what is not `self`: whose they are is plain only when one file alone defines the name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
            yield node.attr


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield from alias.name.split(".")
                yield alias.asname or alias.name


def _defined(tree: ast.Module) -> Iterator[str]:
    """Functions, classes, variables, parameters, and attributes that are set on `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _root(node) == "self":
            yield node.attr


def _root(node: ast.expr) -> str:
    """The name that an expression such as a.b.c starts with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
