"""What load modules offer and what pins boards have, for people and programs that look things up."""
from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.docs.source import AnyFunction, Source, Tree, texts_in, value_of

PREFIX = "LM_"
STREAMED = "msgobj"            # a parameter that the node itself fills in
CONVENTIONS = {                # what is the same in every module, where it says nothing of its own
    "help": "Lists the functions with what they take.",
    "pinmap": "The pins that the module uses: {logical name: number on this board}.",
    "lmdep": "Names of the load modules that it works through.",
}
GROUPS = (
    ("Lights", ("rgb", "cct", "dimmer", "neopixel", "neoeffects", "tinyrgb")),
    ("Motion and sound", ("servo", "roboarm", "stepper", "L298N_DCmotor", "L9110_DCmotor", "catgame", "pet_feeder",
                          "switch", "buzzer")),
    ("Sensors", ("dht11", "dht22", "ds18", "bme280", "co2", "ph_sensor", "light_sensor", "distance", "VL53L0X",
                 "presence", "rencoder", "esp32")),
    ("Displays", ("oled", "oled_sh1106", "oled_ui")),
    ("Pins and buses", ("genIO", "i2c")),
    ("Node and network", ("system", "watchdog", "bus", "log", "intercon", "telegram", "lmpacman", "robustness",
                          "demo")),
)
ORIGINS = ("Numbers:", "Source:", "Pins:")     # how sentences in a pin map begin that say where it comes from
OTHERS = "More"                # where a module stands that no group names


@dataclass(frozen=True)
class Function:
    """parameters: pairs (name, default as it is typed, None: has to be given); doc: contract or empty."""

    name: str
    parameters: tuple[tuple[str, str | None], ...]
    doc: str
    is_streaming: bool = False

    @property
    def words(self) -> str:
        """Parameters as they are typed in the shell: `r=None g=None`."""
        return " ".join(name if default is None else f"{name}={default}" for name, default in self.parameters)


@dataclass(frozen=True)
class Module:
    """One load module. pins: logical names; needs: other load modules; usage: rows of its help by function."""

    name: str
    doc: str
    functions: tuple[Function, ...]
    pins: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    usage: dict[str, str] = field(default_factory=dict)

    @property
    def purpose(self) -> str:
        """The first line of its docstring."""
        return self.doc.split("\n", 1)[0]

    @property
    def group(self) -> str:
        return next((group for group, names in GROUPS if self.name in names), OTHERS)


@dataclass(frozen=True)
class Board:
    """A pin map. doc: without where its numbers come from; pins: logical name -> number, or the text that machine.Pin
    takes; notes: what the map remarks on a pin."""

    name: str
    doc: str
    pins: dict[str, int | str]
    notes: dict[str, str]

    def number(self, name: str) -> int | str | None:
        """A lamp that is lit when its pin is low has a minus before its number in the map."""
        number = self.pins.get(name)
        return abs(number) if isinstance(number, int) else number

    def names_by_number(self) -> dict[int | str, list[str]]:
        """Numbers in order, texts last, each with the names that share it."""
        found: dict[int | str, list[str]] = {}
        for name in self.pins:
            found.setdefault(self.number(name) or 0, []).append(name)
        return dict(sorted(found.items(), key=lambda row: (isinstance(row[0], str), row[0])))


@dataclass(frozen=True)
class Catalogue:
    """version: of the firmware."""

    version: str
    modules: tuple[Module, ...]
    boards: tuple[Board, ...]

    def groups(self) -> Iterator[tuple[str, list[Module]]]:
        """Groups with the modules that are there, in the order of the table."""
        for group, names in (*GROUPS, (OTHERS, ())):
            found = [module for module in self.modules if module.group == group]
            if found:
                yield group, sorted(found, key=lambda module: (names.index(module.name) if names else 0, module.name))

    def module(self, name: str) -> Module:
        return next(module for module in self.modules if module.name == name)


def read(root: Path) -> Catalogue:
    """The catalogue of a device's source tree."""
    tree = Tree(root)
    boards = tuple(_board(Source(path)) for path in sorted((root / "boards").glob("LP_*.py")))
    known = list(dict.fromkeys(name for board in boards for name in board.pins))
    paths = sorted((root / "modules").glob(PREFIX + "*.py"), key=lambda path: path.name.lower())
    modules = tuple(_module(tree, path.stem, known) for path in paths)
    shell = tree.module("InterpreterShell")
    return Catalogue(str(shell.constant("VERSION") if shell else ""), modules, boards)


# -- boards

def _board(source: Source) -> Board:
    pins = {name: source.constant(name) for name in source.bound if not name.endswith("_kind")}
    sentences = re.split(r"(?<=[.)])\s+(?=[A-Z])", source.doc)
    notes = dict(re.findall(r"^(\w+) = .*?# (.*)$", source.path.read_text(encoding="utf-8"), re.MULTILINE))
    return Board(source.path.stem[3:], " ".join(row for row in sentences if not row.startswith(ORIGINS)),
                 {name: value for name, value in pins.items() if isinstance(value, int | str)},
                 {name: note for name, note in notes.items() if name in pins})


# -- modules

def _module(tree: Tree, stem: str, pins: list[str]) -> Module:
    source = tree.module(stem)
    assert source
    functions = tuple(sorted(_functions(tree, source), key=lambda function: function.name in CONVENTIONS))
    needs = {module[len(PREFIX):] for module, _ in source.imported.values() if module.startswith(PREFIX)}
    needs |= set(_texts_returned(source, "lmdep"))
    usage = {row.split()[0]: row for row in _texts_returned(source, "help") if row.strip()}
    named = set(tree.texts_behind(source, "pinmap"))
    return Module(stem[len(PREFIX):], source.doc, functions, tuple(pin for pin in pins if pin in named),
                  tuple(sorted(needs)), usage)


def _functions(tree: Tree, source: Source) -> Iterator[Function]:
    """Public functions that the module itself defines, or takes over from an object it makes, as they stand there."""
    for node in source.tree.body:
        if isinstance(node, AnyFunction) and not node.name.startswith("_"):
            yield _function(tree, node.name, node, source)
    for node in source.tree.body:
        if isinstance(node, ast.Assign):
            yield from _taken_over(tree, source, node)


def _taken_over(tree: Tree, source: Source, node: ast.Assign) -> Iterator[Function]:
    """`on, off = _lamp.doors()`: methods of a class, as that one returns them."""
    targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else []
    first: object = 0
    call = node.value
    if isinstance(call, ast.Subscript) and isinstance(call.slice, ast.Slice):
        first, call = value_of(call.slice.lower), call.value
    if not (targets and isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return
    where = _class_of(tree, source, call.func.value)
    if where is None:
        return
    methods = {method.name: method for method in where[1].body if isinstance(method, AnyFunction)}
    offered = [part.attr for part in _in_source_order(methods[call.func.attr]) if part.attr in methods]
    for target, name in zip(targets, offered[first if isinstance(first, int) else 0:], strict=False):
        if isinstance(target, ast.Name) and not target.id.startswith("_"):
            yield _function(tree, target.id, methods[name], where[0], is_method=True)


def _class_of(tree: Tree, source: Source, node: ast.expr) -> tuple[Source, ast.ClassDef] | None:
    """Class of what a name at the top level was made by."""
    made = source.bound.get(node.id) if isinstance(node, ast.Name) else None
    maker = made.value.func if isinstance(made, ast.Assign) and isinstance(made.value, ast.Call) else None
    where = tree.follow(source, maker.id) if isinstance(maker, ast.Name) else None
    return (where[0], where[1]) if where and isinstance(where[1], ast.ClassDef) else None


def _in_source_order(node: ast.AST) -> list[ast.Attribute]:
    found = [part for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    return sorted(found, key=lambda part: (part.lineno, part.col_offset))


def _function(tree: Tree, name: str, node: AnyFunction, source: Source, is_method: bool = False) -> Function:
    parameters = list(_parameters(tree, node.args, source))[int(is_method):]
    shown = tuple(pair for pair in parameters if pair[0] != STREAMED)
    return Function(name, shown, ast.get_docstring(node) or CONVENTIONS.get(name, ""), len(shown) < len(parameters))


def _parameters(tree: Tree, args: ast.arguments, source: Source) -> Iterator[tuple[str, str | None]]:
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults)) + [*args.defaults]
    for arg, default in zip(plain, defaults, strict=True):
        yield arg.arg, _typed(tree, default, source)
    if args.vararg:
        yield f"*{args.vararg.arg}", None
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield arg.arg, _typed(tree, default, source)


def _typed(tree: Tree, default: ast.expr | None, source: Source) -> str | None:
    """A default as it is typed; the value of a constant rather than its name."""
    home, name = (source, default.id) if isinstance(default, ast.Name) else (None, "")
    if isinstance(default, ast.Attribute) and isinstance(default.value, ast.Name):
        home, name = tree.module(source.imported.get(default.value.id, ("", ""))[0]), default.attr
    value = home.constant(name) if home else None
    return repr(value) if value is not None else ast.unparse(default) if default else None


def _texts_returned(source: Source, function: str) -> list[str]:
    """Texts in what a function of the module returns."""
    node = source.bound.get(function)
    if not isinstance(node, AnyFunction):
        return []
    return [text for part in ast.walk(node) if isinstance(part, ast.Return) and part.value
            for text in texts_in(part.value)]
