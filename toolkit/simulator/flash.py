"""What lies on a board's flash: brings the shipped files there and never touches a user's."""
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.compile import MissingCompilerError, build, compile_all, digest, short_names, source_files
from toolkit.shorten import renamed

RECORD = ".deployed"
CONFIG = "node_config.json"


@dataclass
class Report:
    """What provisioning did, by path. kept: files of the user's that stand where we have a newer one."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def shipped_set(source: Path, mpy: bool) -> dict[str, bytes]:
    """Path on the board -> content; with mpy a mirror of the tree, compiled."""
    return {path: file.read_bytes() for path, file in build(mpy=mpy, source=source).files.items()}


def shims() -> dict[str, bytes]:
    """The files of /rom: compiled if there is a compiler, since compiled code runs in place."""
    folder = Path(__file__).parent / "rom"
    files = {path: file.read_text() for path, file in source_files(folder).items()}
    names = short_names(files)
    short = {path: renamed(source, names[path]).encode() for path, source in files.items()}
    try:
        return {path[:-len("py")] + "mpy": data for path, data in compile_all(short).items()}
    except MissingCompilerError:
        return short


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
