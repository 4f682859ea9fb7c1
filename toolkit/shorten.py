"""Short private names for a compiled set: on a board each name that was ever seen stays in the heap, some 25 bytes.

What starts with one underscore is meant for its own file, so every file can call its private things `_0`, `_1`, ...:
all files share these few. Lines stay where they are, so a traceback still leads to the place.
"""
from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping

PRIVATE = re.compile(r"_[A-Za-z]\w*$")
# a remark, a text (whatever its prefix), or a private name
_PIECE = re.compile(r'''#[^\n]*|("""|\'\'\'|"|')(?:\\.|(?!\1).)*\1|\b_[A-Za-z]\w*''', re.DOTALL)


def shortened(sources: Mapping[str, str]) -> dict[str, str]:
    """The same files with shorter names, but for those that one file takes from another."""
    names = short_names(sources)
    return {path: renamed(source, names[path]) for path, source in sources.items()}


def short_names(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Names of each file that can be short."""
    files = {path: _Names(_parsed(source)) for path, source in sources.items()}
    kept = _kept(files)
    return {path: file.own() - kept[path] for path, file in files.items()}


def _kept(files: Mapping[str, _Names]) -> dict[str, set[str]]:
    """Names of each file that another may mean: one that it imports or that lies in its folder, else whoever has it."""
    definers: dict[str, set[str]] = {}
    for path, file in files.items():
        for name in file.defined:
            definers.setdefault(name, set()).add(path)
    kept = {path: file.foreign() for path, file in files.items()}
    for path, file in files.items():
        near = {other for other in files if _folder(other) == _folder(path) or _stem(other) in file.imported}
        for name in filter(PRIVATE.match, file.foreign() | file.reached):
            others = definers.get(name, set()) - {path}
            for each in others & near or others:
                kept[each].add(name)
            if others:
                kept[path].add(name)
        for name in filter(PRIVATE.match, file.overriding()):
            for each in definers.get(name, set()) & _ancestors(path, files):
                kept[each].add(name)
    return kept


def _ancestors(path: str, files: Mapping[str, _Names]) -> set[str]:
    """What a file imports, and what that imports: a class of it may be the base of a base."""
    found: set[str] = set()
    news = {path}
    while news:
        stems = set().union(*(files[each].imported for each in news))
        news = {each for each in files if _stem(each) in stems} - found - {path}
        found |= news
    return found


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _parsed(source: str) -> ast.Module:
    """A file that is wrong has no names here: the compiler will tell."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def renamed(source: str, names: Collection[str]) -> str:
    """A source with short names, numbered in the order in which they first stand there."""
    short: dict[str, str] = {}

    def name_of(piece: re.Match[str]) -> str:
        return short.setdefault(piece[0], f"_{len(short)}") if piece[0] in names else piece[0]

    return _PIECE.sub(name_of, source)


class _Names:
    """The names of one file.

    defined    functions, classes, variables, parameters, and attributes that are set on `self`
    imported   modules, and what is taken from them
    used       attributes and keywords
    reached    those of them that are not `self`'s, nor of a class of this file
    """

    def __init__(self, tree: ast.Module) -> None:
        self.defined: set[str] = set()
        self.imported: set[str] = set()
        self.used: set[str] = set()
        self.reached: set[str] = set()
        self._of_imported: set[str] = set()
        self._spelled: set[object] = set()
        self._bases: set[str] = set()
        self._members: set[str] = set()
        nodes = list(ast.walk(tree))
        self._own_objects = {"self", *(node.name for node in nodes if isinstance(node, ast.ClassDef))}
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                self.imported |= set((node.module or "").split("."))
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    self.imported |= {*alias.name.split("."), alias.asname or alias.name}
        for node in nodes:
            self._see(node)

    def own(self) -> set[str]:
        """Private names that this file defines; none when a class has its base in another file, with whose they would
        meet.
        """
        if self._has_foreign_base:
            return set()
        return {name for name in self.defined if PRIVATE.match(name)} - self._spelled

    def overriding(self) -> set[str]:
        """Names of a class that may stand in for those of its base in another file, which calls them."""
        return self._members if self._has_foreign_base else set()

    def foreign(self) -> set[str]:
        """Names of other files: imported, or used and not defined here."""
        return self.imported | self._of_imported | (self.used - self.defined)

    @property
    def _has_foreign_base(self) -> bool:
        return bool(self._bases & self.imported)

    def _see(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.defined.add(node.name)
            case ast.ClassDef():
                self.defined.add(node.name)
                self._bases |= {_root(base) for base in node.bases}
                self._members |= {name for each in node.body for name in _bound(each)}
            case ast.arg():
                self.defined.add(node.arg)
            case ast.Name(ctx=ast.Store()):
                self.defined.add(node.id)
            case ast.keyword(arg=str()):
                self.used.add(str(node.arg))
            case ast.Constant(value=str()):
                self._spelled.add(node.value)
            case ast.Attribute():
                self._see_attribute(node)

    def _see_attribute(self, node: ast.Attribute) -> None:
        is_of_self = isinstance(node.value, ast.Name) and node.value.id in self._own_objects
        self.used.add(node.attr)
        if is_of_self and isinstance(node.ctx, ast.Store):
            self.defined.add(node.attr)
            self._members.add(node.attr)
        if not is_of_self:
            self.reached.add(node.attr)
        if _root(node.value) in self.imported:
            self._of_imported.add(node.attr)


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement of a class gives it: a method's, or those assigned."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _root(node: ast.expr) -> str:
    """The name that an expression such as a.b.c starts with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
