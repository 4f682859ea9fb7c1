"""Software packages for things: looked into before they are stored, built from a folder or from a set of files.

Two kinds. Of hosts: `.zip` or `.tar.gz` with update.json at its root (name, version, install; pre_install,
post_install, error_action, reboot, description). Of boards, `.set`:
    `micrOS set 1\\n` | a line for each file, `<path> <size> <SHA-256>` or `<path> 0 -` | `\\n` | the files' bytes
"""
from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from toolkit.errors import UsageError

METHOD = "software_update"
MANIFEST = "update.json"
MAGIC = b"micrOS set 1\n"
MOST_BYTES = 64 << 20
MOST_UNPACKED = 512 << 20
MOST_ENTRIES = 10_000
MANIFEST_BYTES = 64 * 1024
COMMANDS = ("pre_install", "install", "post_install", "error_action")


class BadPackageError(UsageError):
    """Raised for a package that no thing should get."""


@dataclass(frozen=True)
class Package:
    """kind: host, board; files: how many there are in it; crc32: as things check it"""

    kind: str
    name: str
    version: str
    files: int
    size: int
    crc32: int


def checked(file_name: str, data: bytes) -> Package:
    """What a package is. Raises BadPackageError with what is wrong."""
    if len(data) > MOST_BYTES:
        raise BadPackageError(f"a package has up to {MOST_BYTES >> 20} MiB, got {len(data) >> 20}")
    if data.startswith(MAGIC):
        return _board(data)
    if not file_name.endswith((".zip", ".tar.gz")):
        raise BadPackageError(f"a package is a .zip, a .tar.gz or a set of a board, got {file_name[-40:]!r}")
    return _host(file_name, data)


def built(folder: Path) -> bytes:
    """A .tar.gz of a folder with update.json. Raises BadPackageError."""
    if not (folder / MANIFEST).is_file():
        raise BadPackageError(f"{folder} has no {MANIFEST}")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, str(path.relative_to(folder)), recursive=False)
    checked("x.tar.gz", buffer.getvalue())
    return buffer.getvalue()


def board_set(files: Mapping[str, bytes]) -> bytes:
    """A package of a board. files: path on the board -> its bytes. Raises BadPackageError."""
    rows = [f"{path} {len(data)} {hashlib.sha256(data).hexdigest()}\n".encode() for path, data in files.items()]
    whole = b"".join([MAGIC, *rows, b"\n", *files.values()])
    checked("x.set", whole)
    return whole


def _host(file_name: str, data: bytes) -> Package:
    try:
        entries = list(_zip(data) if file_name.endswith(".zip") else _tar(data))
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error, ValueError, RuntimeError,
            NotImplementedError) as error:
        if isinstance(error, BadPackageError):
            raise
        raise BadPackageError(f"{file_name[-40:]!r} cannot be unpacked: {error}") from None
    manifest = next((body for name, body in entries if name == MANIFEST), None)
    if manifest is None:
        raise BadPackageError(f"a package has {MANIFEST} at its root")
    told = _manifest(manifest)
    return Package("host", str(told.get("name", "")), str(told.get("version", "")), len(entries), len(data),
                   zlib.crc32(data))


def _manifest(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadPackageError(f"{MANIFEST} is no JSON: {error}") from None
    if not isinstance(told, dict) or not told.get("install"):
        raise BadPackageError(f"{MANIFEST} is an object and says how to install")
    for name in COMMANDS:
        if not isinstance(told.get(name, ""), str):
            raise BadPackageError(f"{name} of {MANIFEST} is a command, a text")
    if told.get("reboot", "no") not in ("yes", "no"):
        raise BadPackageError(f'reboot of {MANIFEST} is "yes" or "no"')
    return told


def _zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = archive.infolist()
        _check_size(len(rows), sum(row.file_size for row in rows))
        for row in rows:
            if row.external_attr >> 28 == 0xA:
                raise BadPackageError(f"{row.filename[:60]!r} is a link")
            name = _checked_path(row.filename)
            yield name, archive.open(row).read(MANIFEST_BYTES) if name == MANIFEST else b""


def _tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    count = size = 0
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for row in archive:
            count, size = count + 1, size + row.size
            _check_size(count, size)
            if not (row.isfile() or row.isdir()):
                raise BadPackageError(f"{row.name[:60]!r} is a link or a device")
            name = _checked_path(row.name)
            body = archive.extractfile(row) if name == MANIFEST else None
            yield name, body.read(MANIFEST_BYTES) if body else b""


def _check_size(count: int, size: int) -> None:
    if count > MOST_ENTRIES or size > MOST_UNPACKED:
        raise BadPackageError(f"a package unpacks to up to {MOST_ENTRIES} files and {MOST_UNPACKED >> 20} MiB")


def _checked_path(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or re.match("[A-Za-z]:", name):
        raise BadPackageError(f"a path of a package stays within it, got {name[:60]!r}")
    return str(path)


def _board(data: bytes) -> Package:
    head, found, body = data[len(MAGIC):].partition(b"\n\n")
    if not found:
        raise BadPackageError("the rows of a set end with an empty line")
    at = 0
    rows = head.split(b"\n")
    for row in rows:
        match = re.fullmatch(rb"(\S+) (\d{1,9}) ([0-9a-f]{64}|-)", row)
        if match is None or len(row) > 255:
            raise BadPackageError(f"a row of a set is `<path> <size> <SHA-256>`, got {row[:60]!r}")
        path = match[1].decode("utf-8", "replace")
        if path.startswith(".") or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
            raise BadPackageError(f"a path of a set is like modules/LM_x.mpy, got {path[:60]!r}")
        if match[3] != b"-":
            piece = body[at:at + int(match[2])]
            at += int(match[2])
            if hashlib.sha256(piece).hexdigest().encode() != match[3]:
                raise BadPackageError(f"{path} is not what its SHA-256 says")
    if at != len(body):
        raise BadPackageError(f"the files of a set take {at} bytes, and {len(body)} are there")
    return Package("board", "", "", len(rows), len(data), zlib.crc32(data))
