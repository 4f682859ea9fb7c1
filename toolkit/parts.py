"""Optional parts of the set: what a board with a small flash can do without.

A part claims folders and load modules. With it comes whatever of the tree only it imports, told from the imports: a
new file below `pure/` needs no row here.
"""
from __future__ import annotations

import ast
import fnmatch
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path, PurePosixPath

BLOCK_BYTES = 4096             # of littlefs; a file takes whole ones
FOLDER_BYTES = 2 * BLOCK_BYTES
ALL, NONE = "all", "none"
ALONE = ("main.py", "modules/", "boards/")         # what a node starts by itself, or when a person names it
ON_PATH = ("", "modules")      # where an import finds a name without dots: micrOS/source/Paths.py


@dataclass(frozen=True)
class Part:
    """claims: patterns of paths in the source tree, `*` takes slashes too."""

    name: str
    about: str
    claims: tuple[str, ...]

    def has(self, path: str) -> bool:
        return any(fnmatch.fnmatchcase(path, claim) for claim in self.claims)


def _modules(*names: str) -> tuple[str, ...]:
    return tuple(f"modules/LM_{name}.py" for name in names)


PARTS = (
    Part("usr", "programs of QuecPython: Heliosservice, QFrame",
         ("usr/*", "quec/*", "queue.py", *_modules("quec", "qframe", "gpio", "log", "media", "net", "pm", "watchdog"))),
    Part("meter", "electricity meters, DLMS/COSEM", ("meter/*", *_modules("meter"))),
    Part("vsoa", "VSOA servers and clients", ("vsoa/*", *_modules("vsoa"))),
    Part("cloud", "the Device Cloud agent, MQTT and its connectors",
         ("cloud/*", "device_cloud*", *_modules("cloud*", "device_cloud*", "mqtt"))),
)
NAMES = tuple(part.name for part in PARTS)


def chosen(words: str) -> tuple[str, ...]:
    """Names of parts, from `usr,meter`, `all` or `none`. Raises ArgumentTypeError that lists them."""
    if words in (ALL, NONE):
        return NAMES if words == ALL else ()
    wanted = [word.strip() for word in words.split(",")]
    unknown = [word for word in wanted if word not in NAMES]
    if unknown:
        raise ArgumentTypeError(f"no part {unknown[0]!r}; there are: {', '.join(NAMES)}; or {ALL}, or {NONE}")
    return tuple(name for name in NAMES if name in wanted)


def source_of(path: str) -> str:
    """Path in the source tree of a file of the set, compiled or not."""
    return PurePosixPath(path).with_suffix(".py").as_posix()


def part_of(path: str) -> str | None:
    """Name of the part that claims a file of the set."""
    return next((part.name for part in PARTS if part.has(source_of(path))), None)


def on_board(ours: Iterable[str], there: Collection[str]) -> tuple[str, ...]:
    """Parts that a board has. One file may be a person's own: it takes more than half of what we ship."""
    held = set(map(source_of, there))
    claimed = [(name, source_of(path) in held) for path in ours if (name := part_of(path))]
    return tuple(name for name in NAMES
                 if (found := [is_there for each, is_there in claimed if each == name]) and 2 * sum(found) > len(found))


def fitting(among: Sequence[str], fits: Callable[[Sequence[str]], bool]) -> Sequence[str] | None:
    """As many of some parts as fit, None when not even a set without them does."""
    for count in range(len(among) - 1, -1, -1):
        for some in combinations(among, count):
            if fits(some):
                return some
    return None


def advice(among: Sequence[str], fits: Callable[[Sequence[str]], bool]) -> str:
    """What to type when a set with these parts does not fit, "" when leaving them out does not help."""
    some = fitting(among, fits)
    if some is None:
        return ""
    out = ", ".join(name for name in among if name not in some)
    return f"leave out {out} with --parts {','.join(some) or NONE}"


def left_out(source: Path, parts: Collection[str]) -> frozenset[str]:
    """Paths in a source tree that a set with these parts does without."""
    if set(parts) == set(NAMES):
        return frozenset()
    links = _links(source)
    claimed = {path: name for path in links if (name := part_of(path))}
    foreign = frozenset(path for path, name in claimed.items() if name not in parts)
    below_parts = _reached(links, claimed, frozenset())
    core = [path for path in links if path not in claimed and (path not in below_parts or path.startswith(ALONE))]
    return frozenset(links) - _reached(links, {*core, *claimed} - foreign, foreign)


def room_of(sizes: Mapping[str, int]) -> int:
    """Bytes of a flash that files take, and the folders they lie in. sizes: path on the board -> bytes"""
    folders = {folder for path in sizes for folder in PurePosixPath(path).parents if folder != PurePosixPath(".")}
    return sum(map(blocks_of, sizes.values())) + FOLDER_BYTES * len(folders)


def blocks_of(size: int) -> int:
    """Bytes of the blocks that a file takes."""
    return max(1, -(-size // BLOCK_BYTES)) * BLOCK_BYTES


# -- who imports whom


def _reached(links: Mapping[str, frozenset[str]], begin: Iterable[str], foreign: frozenset[str]) -> frozenset[str]:
    """begin and what it imports, through all that is not foreign."""
    reached = set(begin)
    waiting = list(reached)
    while waiting:
        for path in links[waiting.pop()] - reached - foreign:
            reached.add(path)
            waiting.append(path)
    return frozenset(reached)


@lru_cache(maxsize=4)
def _links(source: Path) -> dict[str, frozenset[str]]:
    """Path of each file -> those that it imports, at once, later, or by a name that stands there as text."""
    from toolkit.compile import source_files

    files = source_files(source)
    found = {name: path for path in files for name in _names(path)}
    return {path: frozenset(found[name] for name in _imports(path, file) if name in found) - {path}
            for path, file in files.items()}


def _names(path: str) -> list[str]:
    """What an import may call a file."""
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    dotted = ".".join(parts)
    return [dotted, parts[-1]] if "/".join(parts[:-1]) in ON_PATH else [dotted]


def _imports(path: str, file: Path) -> set[str]:
    """Dotted names; a file that is wrong has none: the compiler will tell."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                home = ".".join(filter(None, [*_above(path, node.level), node.module]))
                names |= {home, *(f"{home}.{alias.name}" for alias in node.names)}
            case ast.Constant(value=str(text)):
                names.add(text)
    return names | {name.rpartition(".")[0] for name in names}


def _above(path: str, level: int) -> Sequence[str]:
    """Folders that a relative import starts from."""
    return PurePosixPath(path).parts[:-level] if level else ()
