"""Python source read as text: what a module binds, where a name leads, which texts are in it. Nothing is run."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """One file. tree: its syntax tree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"), str(path))

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @cached_property
    def bound(self) -> dict[str, ast.AST]:
        """Name at the top level -> the statement that binds it."""
        found: dict[str, ast.AST] = {}
        for node in self.tree.body:
            for name in names_bound(node):
                found[name] = node
        return found

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """Name -> (module, name in it, empty for the module itself), those inside functions too."""
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})
            elif isinstance(node, ast.Import):
                found.update({alias.asname or alias.name: (alias.name, "") for alias in node.names})
        return found

    def constant(self, name: str) -> object:
        """Value of `name = 5` or `name = const(5)`, None for anything else."""
        node = self.bound.get(name)
        return value_of(node.value) if isinstance(node, ast.Assign) else None


def names_bound(node: ast.AST) -> list[str]:
    """Names that a statement binds, in order: a function, a class, or targets of an assignment."""
    if isinstance(node, AnyFunction | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign):
        return []
    target = node.targets[0]
    return [item.id for item in (target.elts if isinstance(target, ast.Tuple) else [target])
            if isinstance(item, ast.Name)]


def value_of(node: ast.expr | None) -> object:
    """Value of a literal, `const()` around it or not; None for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const" and node.args:
        node = node.args[0]
    try:
        return ast.literal_eval(node) if node else None
    except ValueError:
        return None


def texts_in(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


@dataclass
class Tree:
    """The source of a device: its files by the name that they are imported by."""

    root: Path
    _known: dict[str, Source | None] = field(default_factory=dict)

    def module(self, name: str) -> Source | None:
        """None for what is not ours: the firmware has it."""
        if name not in self._known:
            places = [self.root / folder / f"{name}.py" for folder in ("", "modules", "boards")]
            path = next((path for path in places if path.is_file()), None)
            self._known[name] = Source(path) if path else None
        return self._known[name]

    def follow(self, source: Source, name: str) -> tuple[Source, ast.AST] | None:
        """Where a name leads: the statement that binds it, here or in the file that it is imported from."""
        if name in source.bound:
            return source, source.bound[name]
        module, inner = source.imported.get(name, ("", ""))
        other = self.module(module)
        return self.follow(other, inner) if other and inner else None

    def texts_behind(self, source: Source, name: str) -> Iterator[str]:
        """Texts in what a name leads to, and in what that uses; classes are not entered."""
        seen: set[ast.AST] = set()
        waiting = [self.follow(source, name)]
        while waiting:
            where = waiting.pop()
            if where is None or where[1] in seen or isinstance(where[1], ast.ClassDef):
                continue
            seen.add(where[1])
            yield from texts_in(where[1])
            waiting += self._used(*where)

    def _used(self, source: Source, node: ast.AST) -> Iterator[tuple[Source, ast.AST] | None]:
        """What the names in a statement lead to; `module.name`, too."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                other = self.module(source.imported.get(part.value.id, ("", ""))[0])
                if other:
                    yield self.follow(other, part.attr)
            elif isinstance(part, ast.Name):
                yield self.follow(source, part.id)
