"""Looks through load modules for what would fail, or hold up the node, on a board.

Only what is certain from the source is told. A line that ends with `# lint: ok` is left alone.
"""
from __future__ import annotations

import ast
import re
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from toolkit.compile import cross_compiler, shipped_source
from toolkit.errors import UsageError
from toolkit.simulator.boards import BOARDS

PREFIX = "LM_"
PARDON = "# lint: ok"
COMPILE_S = 20.0
ASYNC_SLEEP_S = 0.02        # more than this in an async function holds up everybody for nothing
LOOP_SLEEP_S = 0.05         # each time round
SLEEP_S = 0.25              # a person notices

# Modules of stock firmware (docs.micropython.org/en/v1.28.0/library, manifests of ports/esp32 and ports/rp2).
_FIRMWARE = frozenset((
    "_asyncio", "_thread", "array", "asyncio", "binascii", "bluetooth", "builtins", "cmath", "collections",
    "cryptolib", "deflate", "dht", "ds18x20", "errno", "flashbdev", "framebuf", "gc", "hashlib", "heapq", "io",
    "json", "lwip", "machine", "math", "micropython", "mip", "neopixel", "network", "ntptime", "onewire", "os",
    "platform", "random", "re", "requests", "select", "socket", "ssl", "struct", "sys", "time", "tls",
    "uctypes", "umqtt", "upysh", "urequests", "vfs", "webrepl", "websocket", "zlib",
))
_ESP32 = frozenset(("aioespnow", "apa106", "btree", "esp", "esp32", "espnow"))
_TINYPICO = frozenset(("dotstar", "micropython_dotstar", "tinypico"))
_OF_BOARD: dict[str, frozenset[str]] = {
    **{name: _ESP32 for name, kind in BOARDS.items() if kind.platform == "esp32"},
    "tinypico": _ESP32 | _TINYPICO, "rp2": frozenset({"rp2"}),
}
# Modules of CPython that people reach for, and what serves instead.
_INSTEAD = {
    "abc": "a plain class", "argparse": "arguments of the function", "concurrent": "Common.micro_task",
    "copy": "list(x) or dict(x)", "csv": "text.split(',')", "ctypes": "uctypes", "dataclasses": "a plain class",
    "datetime": "time.localtime()", "enum": "const()", "functools": "a closure", "itertools": "a loop",
    "logging": "Debug.errlog_add", "multiprocessing": "Common.micro_task", "numpy": "array", "pathlib": "os and text",
    "pickle": "json, or Common.Saved", "queue": "a list with a bound", "serial": "machine.UART",
    "shutil": "os", "statistics": "math", "string": "text itself", "subprocess": "a function of another load module",
    "tempfile": "a file with a name", "threading": "Common.micro_task", "traceback": "Debug.trace",
    "typing": "no annotations: the board does not read them", "urllib": "urequests", "uuid": "machine.unique_id()",
}
# (where it comes from, function) -> which of its arguments names pins.
_PIN_ARGUMENTS = {
    ("LogicalPins", "physical_pin"): 0, ("LogicalPins", "physical_pins"): 0, ("LogicalPins", "pinmap_dump"): 0,
    ("SmartADC", "get_singleton"): 0, ("Inputs", "Input"): 0, ("Drives", "outputs"): 0, ("Lamp", "Lamp"): 2,
}
_CATCHES_IMPORT = {"ImportError", "ModuleNotFoundError", "Exception"}
_SLEEPS = {"sleep": 1.0, "sleep_ms": 1e-3, "sleep_us": 1e-6}        # to seconds
_CLOCKS = ("time", "utime")
_PROMISE = re.compile(r"(?<!\S)([A-Za-z]\w*)=")
_WHERE = re.compile(r"line (\d+)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """path:line: what, expected, how to mend it. rule: one word."""

    path: Path
    line: int
    rule: str
    what: str
    expected: str
    mend: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; expected {self.expected}; {self.mend}"

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "path": str(self.path)}


@dataclass(frozen=True)
class Text:
    """A text in a source, and where."""

    value: str
    lineno: int


@dataclass
class Module:
    """A load module that parses. board: a name of BOARDS, None for any of them."""

    path: Path
    tree: ast.Module
    board: str | None
    constants: dict[str, ast.expr] = field(init=False)       # of module level
    functions: dict[str, Function] = field(init=False)       # of module level, private ones too
    bound: set[str] = field(init=False)                      # all names that module level gives a value to
    parents: dict[ast.AST, ast.AST] = field(init=False)

    def __post_init__(self) -> None:
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        top = [node for node in ast.walk(self.tree) if self.function_of(node) is None and not self._in_class(node)]
        self.constants = {name: value for node in top if isinstance(node, ast.Assign)
                          for target in node.targets for name, value in _assigned(target, node.value)}
        self.functions = {node.name: node for node in top if isinstance(node, Function)}
        self.bound = set(self.functions) | {node.id for node in top if isinstance(node, ast.Name)
                                            and isinstance(node.ctx, ast.Store)}

    def finding(self, node: ast.AST | Text, rule: str, what: str, expected: str, mend: str) -> Finding:
        return Finding(self.path, getattr(node, "lineno", 1), rule, what, expected, mend)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        while node := self.parents.get(node):      # type: ignore[assignment]
            yield node

    def function_of(self, node: ast.AST) -> Function | None:
        """The function that a node stands in, the innermost."""
        return next((each for each in self.ancestors(node) if isinstance(each, Function)), None)

    def _in_class(self, node: ast.AST) -> bool:
        return any(isinstance(each, ast.ClassDef) for each in self.ancestors(node))

    def value(self, node: ast.expr | None) -> ast.expr | None:
        """A constant of the module for its name, const() taken off."""
        if isinstance(node, ast.Name) and node.id in self.constants:
            node = self.constants[node.id]
        if isinstance(node, ast.Call) and _name_of(node.func) == "const" and node.args:
            node = node.args[0]
        return node

    def number(self, node: ast.expr | None) -> float | None:
        """What a number is, None when only the run tells."""
        node = self.value(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return float(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
            left, right = self.number(node.left), self.number(node.right)
            if left is not None and right:
                return left * right if isinstance(node.op, ast.Mult) else left / right
        return None

    def texts(self, *nodes: ast.expr | None) -> Iterator[Text]:
        """The texts of texts, and of tuples and lists of them."""
        for node in map(self.value, nodes):
            if isinstance(node, (ast.Tuple, ast.List)):
                yield from self.texts(*node.elts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield Text(node.value, node.lineno)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for each, part in zip(target.elts, value.elts, strict=True):
            yield from _assigned(each, part)


def _name_of(function: ast.expr) -> str:
    """The last name of `a.b.c` or `c`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def check(path: Path, board: str | None = None) -> list[Finding]:
    """All findings in one load module, by line. Raises UsageError when it is none or cannot be read."""
    if board is not None and board not in BOARDS:
        raise UsageError(f"unknown board {board!r}; there are: {', '.join(sorted(BOARDS))}")
    if not path.name.startswith(PREFIX) or path.suffix != ".py":
        raise UsageError(f"{path} is no load module: expected a file {PREFIX}<name>.py")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    module, findings = _parsed(path, source, board)
    if module and not findings:
        findings = [found for rule in RULES for found in rule(module)]
    lines = source.splitlines()
    pardoned = {number for number, line in enumerate(lines, 1) if line.rstrip().endswith(PARDON.encode())}
    left = {each for each in findings if each.line not in pardoned}
    return sorted(left, key=lambda each: (each.line, each.what))


def _parsed(path: Path, source: bytes, board: str | None) -> tuple[Module | None, list[Finding]]:
    line, why = _compiled(path)
    if not why:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return Module(path, ast.parse(source), board), []
        except (SyntaxError, ValueError) as error:
            line, why = getattr(error, "lineno", None) or 1, getattr(error, "msg", str(error))
    return None, [Finding(path, line, "syntax", f"the board's compiler says: {why}",
                          "source that MicroPython compiles", "mend this line, or the one before")]


def _compiled(path: Path) -> tuple[int, str]:
    """(line, why not) by mpy-cross; (0, "") when it compiles."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [cross_compiler(), "-s", path.name, "-o", Path(scratch, "out.mpy"), path.absolute()],
            capture_output=True, text=True, errors="replace", timeout=COMPILE_S)
    if not done.returncode:
        return 0, ""
    where = _WHERE.findall(done.stderr)
    return int(where[-1]) if where else 1, (done.stderr.strip().splitlines() or ["it crashed"])[-1]


def _pins(module: Module) -> Iterator[Finding]:
    maps = _pin_maps()
    known = set().union(*maps.values()) if module.board is None else maps[module.board]
    origins = {alias.asname or alias.name: (node.module, alias.name) for node in ast.walk(module.tree)
               if isinstance(node, ast.ImportFrom) for alias in node.names}
    for call in _calls(module):
        origin = origins.get(getattr(call.func, "id", ""))
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            origin = call.func.value.id, call.func.attr
        at = _PIN_ARGUMENTS.get(origin, len(call.args))     # type: ignore[arg-type]
        for text in module.texts(*call.args[at:at + 1]):
            if text.value not in known:
                yield module.finding(
                    text, "pin", f"{module.board} has no pin {text.value}"
                    if module.board else f"no board has a pin {text.value}",
                    "a name of boards/LP_*.py", f"use one, or tell users to set cstmpmap {text.value}:<number>")


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _pin_maps() -> dict[str, set[str]]:
    """Board -> the names in its map."""
    maps = {}
    for path in (shipped_source() / "boards").glob("LP_*.py"):
        lines = ast.parse(path.read_bytes()).body
        maps[path.stem.removeprefix("LP_")] = {
            target.id for line in lines if isinstance(line, ast.Assign)
            for target in line.targets if isinstance(target, ast.Name)}
    return maps


def _imports(module: Module) -> Iterator[Finding]:
    there = _importable(module)
    for node in ast.walk(module.tree):
        names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                 else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        for name in names:
            if not there(name) and not _is_guarded(module, node):
                first = name.split(".")[0]
                yield module.finding(
                    node, "import", f"{module.board or 'no board'} has {'no' if module.board else 'a'} module {name}",
                    "one of the firmware, of micrOS, or beside this file",
                    f"use {_INSTEAD[first]}" if first in _INSTEAD else "or catch ImportError where it may be missing")


def _importable(module: Module) -> Callable[[str], bool]:
    source = shipped_source()
    boards = [module.board] if module.board else list(BOARDS)
    firmware = _FIRMWARE.union(*(_OF_BOARD[board] for board in boards))
    folders = (source, source / "modules", source / "boards", source / "quec", module.path.parent)

    def there(name: str) -> bool:
        first, *rest = name.split(".")
        if first in firmware or first[:1] == "u" and first[1:] in firmware:      # ujson, utime: their older names
            return True
        places = [folder.joinpath(first, *rest) for folder in folders]
        return any(place.is_dir() or place.with_suffix(".py").is_file() for place in places)
    return there


def _is_guarded(module: Module, node: ast.AST) -> bool:
    """True inside a try that catches a missing module."""
    inner = node
    for outer in module.ancestors(node):
        if isinstance(outer, ast.Try) and inner in outer.body and any(map(_catches_import, outer.handlers)):
            return True
        inner = outer
    return False


def _catches_import(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or _name_of(each) in _CATCHES_IMPORT for each in caught)


def _sleeps(module: Module) -> Iterator[Finding]:
    clocks, direct = _clock_names(module.tree)
    for call in _calls(module):
        unit_s = _sleep_unit(call.func, clocks, direct)
        if unit_s is not None:
            yield from _held_up(module, call, unit_s)


def _clock_names(tree: ast.Module) -> tuple[set[str], dict[str, str]]:
    """Names of the module time, and {name: function of it} of what is imported from it."""
    clocks: set[str] = set()
    direct: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            clocks |= {alias.asname or alias.name for alias in node.names if alias.name in _CLOCKS}
        elif isinstance(node, ast.ImportFrom) and node.module in _CLOCKS:
            direct |= {alias.asname or alias.name: alias.name for alias in node.names}
    return clocks, direct


def _sleep_unit(function: ast.expr, clocks: set[str], direct: dict[str, str]) -> float | None:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return _SLEEPS.get(function.attr) if function.value.id in clocks else None
    return _SLEEPS.get(direct.get(getattr(function, "id", ""), ""))


def _held_up(module: Module, call: ast.Call, unit_s: float) -> Iterator[Finding]:
    number = module.number(call.args[0]) if call.args else None
    seconds = None if number is None else number * unit_s
    function = module.function_of(call)
    is_async = isinstance(function, ast.AsyncFunctionDef)
    limit_s = ASYNC_SLEEP_S if is_async else LOOP_SLEEP_S if _in_loop(module, call, function) else SLEEP_S
    if seconds is None and not is_async or seconds is not None and seconds <= limit_s:
        return
    lasts = f"for {seconds:g} s" if seconds is not None else "for a time that only the run tells"
    yield module.finding(
        call, "blocking", f"{_name_of(call.func)}() holds up the whole node {lasts}",
        f"at most {limit_s:g} s{' in an async function' if is_async else ''}",
        f"{'write' if is_async else 'make it an async function with'} await asyncio.sleep_ms(...)")


def _in_loop(module: Module, node: ast.AST, function: Function | None) -> bool:
    for outer in module.ancestors(node):
        if outer is function:
            return False
        if isinstance(outer, (ast.For, ast.While)):
            return True
    return False


def _inputs(module: Module) -> Iterator[Finding]:
    bound = module.bound | {alias.asname or alias.name for node in ast.walk(module.tree)
                            if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
    for call in _calls(module):
        if isinstance(call.func, ast.Name) and call.func.id == "input" and "input" not in bound:
            yield module.finding(call, "blocking", "input() waits for the serial line, and the whole node with it",
                                 "an argument of the function", "take the value as an argument")


def _endless(module: Module) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.While) or not isinstance(node.test, ast.Constant) or not node.test.value:
            continue
        inside = list(_own_nodes(node.body))
        leaves = any(isinstance(each, (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)) for each in inside)
        waits = any(isinstance(each, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for each in inside)
        if not leaves and not waits and not _breaks(node.body):
            yield module.finding(node, "blocking", "a loop without end and without await: nothing else runs ever again",
                                 "an await in it, or a way out",
                                 "make it an async function with await asyncio.sleep_ms(...) in the loop, "
                                 "or do one round a call and let `module function &&` repeat it")


def _own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but those of functions defined there."""
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield node
            yield from _own_nodes(list(ast.iter_child_nodes(node)))


def _breaks(body: Sequence[ast.AST]) -> bool:
    """True for a break that leaves this very loop."""
    return any(isinstance(node, ast.Break) or _breaks(_not_of_inner_loops(node)) for node in body)


def _not_of_inner_loops(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, (ast.For, ast.While, ast.AsyncFor)):
        return list(node.orelse)
    return [] if isinstance(node, Function | ast.ClassDef) else list(ast.iter_child_nodes(node))


def _help(module: Module) -> Iterator[Finding]:
    if "help" not in module.bound:
        yield module.finding(module.tree, "help", "no function help()",
                             "one that returns a tuple of texts, a function with its arguments each",
                             'add def help(): return ("function argument=<0-100>",)')
        return
    for node in ast.walk(module.functions.get("help", module.tree.body[0])):
        if isinstance(node, ast.Return):
            for text in module.texts(node.value):
                yield from _row(module, text)


def _row(module: Module, text: Text) -> Iterator[Finding]:
    name = (text.value.split() or [""])[0]
    function = module.functions.get(name)
    if name.startswith("_"):
        yield module.finding(text, "help", f"help() names {name!r}, which is private", "functions that can be called",
                             "leave the row out, or take the _ off the function")
    elif name not in module.bound:
        yield module.finding(text, "help", f"help() names {name!r}, which this module does not define",
                             "functions of this module", "write the name as the function has it, or leave the row out")
    elif function and not function.decorator_list and function.args.kwarg is None:
        given = {each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        for promised in _PROMISE.findall(text.value):
            if promised not in given:
                yield module.finding(text, "help", f"help() offers {promised}= to {name}(), which does not take it",
                                     f"one of {', '.join(sorted(given)) or 'no arguments'}", "write both alike")


def _state(module: Module) -> Iterator[Finding]:
    for call in _calls(module):
        if isinstance(call.func, ast.Name) and call.func.id == "open" and call.args:
            modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
            is_written = any(set(mode.value) & set("wax+") for mode in module.texts(*modes))
            for name in module.texts(call.args[0]):
                if is_written and name.value.endswith(".pds"):
                    yield module.finding(
                        call, "state", f"{name.value} is written in place: a power cut leaves half of it",
                        "Common.Saved, which writes beside and renames", "keep the state in a Saved")


RULES: tuple[Callable[[Module], Iterator[Finding]], ...] = (_pins, _imports, _sleeps, _inputs, _endless, _help, _state)
