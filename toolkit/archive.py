"""The archive of node configurations on this machine: `<devfid>-node_config.json`, for its owner's eyes only."""
from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.paths import data_dir

FOLDER = "node_config_archive"
SUFFIX = "-node_config.json"
ACCESS_SUFFIX = "-access.json"
LOCKED, OPEN = "locked", "open"
NAME = re.compile(r"[A-Za-z0-9._-]{1,32}", re.ASCII)      # the rule of `devfid` on the node

Config = dict[str, Any]


def folder() -> Path:
    return data_dir() / FOLDER


def parsed(config: bytes, origin: str) -> Config:
    """Settings of a node_config.json. Raises UsageError that names origin when they cannot be a node's."""
    try:
        values = json.loads(config)
    except ValueError as error:
        raise UsageError(f"{origin} is no node configuration: {error}") from None
    if not isinstance(values, dict):
        raise UsageError(f"{origin} is no node configuration: expected a JSON object, got {type(values).__name__}")
    return values


def checked_name(name: object) -> str:
    """A devfid that a node takes, and that is safe as a file name. Raises UsageError."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UsageError(f"a node's name (devfid) is 1 to 32 letters, digits, - _ . and not {name!r}")
    return name


def archive(config: bytes) -> Path:
    """Keep a node's configuration under its name, in place of an older one. Returns the file.

    Raises UsageError when it is no configuration or names no node.
    """
    name = checked_name(parsed(config, "what came from the node").get("devfid"))
    path = folder() / (name + SUFFIX)
    write_whole(path, config)
    return path


def archived() -> dict[str, Path]:
    """{name: file} of all configurations in the archive, by name."""
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder().glob("*" + SUFFIX))}


def load(name: str) -> Config:
    """The archived configuration of a node. Raises UsageError that lists those there are."""
    path = archived().get(name)
    if path is None:
        known = ", ".join(archived()) or "none yet"
        raise UsageError(f"no configuration of {name!r} in the archive; there are: {known}")
    return parsed(path.read_bytes(), str(path))


def keep_access(name: str, access: str) -> None:
    """Note whether a node is to be locked or open: a word for the host, which the node's own file has no key for."""
    write_whole(folder() / (checked_name(name) + ACCESS_SUFFIX), json.dumps({"access": access}).encode())


def access_of(name: str) -> str | None:
    """What was chosen for a node, None when nobody was asked."""
    try:
        chosen = json.loads((folder() / (checked_name(name) + ACCESS_SUFFIX)).read_bytes())
        return str(chosen["access"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_whole(path: Path, data: bytes) -> None:
    """Write beside and rename: a reader sees the old or the new. For its owner only: there may be passwords in it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".")     # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
