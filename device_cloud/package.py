"""A package of software on the disk: taken apart with an eye on where its files want to go."""
from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from device_cloud.constants import (
    STATUS_BAD_PARAMETER,
    STATUS_BAD_REQUEST,
    STATUS_FULL,
    STATUS_IO_ERROR,
    STATUS_NOT_SUPPORTED,
)

ORDERS = "update.json"
COMMANDS = ("pre_install", "install", "post_install", "error_action")
RUNNABLE = 0o755
_PLAIN = 0o644


class PackageError(Exception):
    """Raised when a package cannot be used; status: for the cloud."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class _File:
    path: PurePosixPath
    size: int
    mode: int
    member: Any


def unpack(path: Path, folder: Path) -> None:
    """Lay out an archive in a folder, which is made. Raises PackageError, OSError."""
    with _opened(path) as (files, read):
        if sum(file.size for file in files) > shutil.disk_usage(folder.parent).free:
            raise PackageError(STATUS_FULL, f"no room for {path.name}")
        folder.mkdir()
        for file in files:
            target = folder.joinpath(*file.path.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with read(file.member) as source, target.open("wb") as written:
                shutil.copyfileobj(source, written)
            target.chmod(RUNNABLE if file.mode & 0o100 else _PLAIN)


def orders(folder: Path) -> dict[str, Any]:
    """update.json of a package, checked. Raises PackageError."""
    try:
        found = json.loads((folder / ORDERS).read_bytes())
    except OSError:
        raise PackageError(STATUS_BAD_PARAMETER, f"no {ORDERS} at the root of the package") from None
    except ValueError:
        raise PackageError(STATUS_IO_ERROR, f"{ORDERS} is no JSON") from None
    if not isinstance(found, dict) or not found.get("install"):
        raise PackageError(STATUS_BAD_PARAMETER, f"{ORDERS} is to be an object with install")
    for name in COMMANDS:
        if not isinstance(found.get(name, ""), str):
            raise PackageError(STATUS_BAD_PARAMETER, f"{name} of {ORDERS} is to be a text")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[_File], Any]]:
    """(files, function(member) -> file) of an archive."""
    try:
        if path.name.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                yield [_File(_checked(row.filename), row.file_size, row.external_attr >> 16, row)
                       for row in archive.infolist() if not row.is_dir()], archive.open
        elif path.name.endswith(".tar.gz"):
            with tarfile.open(path, "r:gz") as archive:
                yield list(_of_tar(archive)), archive.extractfile
        else:
            raise PackageError(STATUS_NOT_SUPPORTED, f"a package is .zip or .tar.gz, got {path.name}")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        raise PackageError(STATUS_IO_ERROR, f"{path.name} cannot be read: {error}") from None


def _of_tar(archive: tarfile.TarFile) -> Iterator[_File]:
    for row in archive:
        if row.isfile():
            yield _File(_checked(row.name), row.size, row.mode, row)
        elif not row.isdir():
            raise PackageError(STATUS_BAD_REQUEST, f"a package has files and folders only, {row.name[:80]} is neither")


def _checked(name: str) -> PurePosixPath:
    """A path below the package. Raises PackageError for one that leads out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name or (os.name == "nt" and ":" in name):
        raise PackageError(STATUS_BAD_REQUEST, f"the package wants to write {name[:80]}")
    return path
