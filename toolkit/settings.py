"""The settings of a node as they are kept, compared and given back; secrets are never shown."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Protocol

from toolkit import archive
from toolkit.archive import Config
from toolkit.errors import RefusedError

FILE = "node_config.json"
OFFLOADED = "..."              # a value that lies in a file of its own, .<key>.key: micrOS/SPEC.md
OF_THE_BOARD = ("hwuid", "version", "devip")       # the node writes them
MASK = "********"
ABSENT = "-"
_SECRET = re.compile(r"pwd|pass|telegram|token|secret|_key$", re.IGNORECASE)

Row = tuple[str, str, str]     # key, there, here


class Reader(Protocol):
    """A file session with a node, over the air or a cable."""

    def get(self, name: str) -> bytes:
        """Raises RefusedError when there is no such file."""


def config_of(node: Reader) -> bytes:
    """The whole configuration of a node, as the file would be with every value in it."""
    config = node.get(FILE)
    values = archive.parsed(config, f"{FILE} of the node")
    apart = {key: _apart(node, key) for key, value in values.items() if value == OFFLOADED}
    told = {key: value for key, value in apart.items() if value is not None}
    return json.dumps({**values, **told}).encode() if told else config


def _apart(node: Reader, key: str) -> str | None:
    try:
        return node.get(f".{key}.key").decode("utf-8", "replace")
    except RefusedError:
        return None


def is_secret(key: str) -> bool:
    return bool(_SECRET.search(key))


def differences(ours: Config, theirs: Config) -> list[Row]:
    """Rows (key, in ours, in theirs) of what differs; of a secret only that it does."""
    keys = [key for key in dict.fromkeys([*ours, *theirs]) if key not in OF_THE_BOARD]
    return [(key, shown(ours, key), shown(theirs, key)) for key in keys
            if (key in ours, ours.get(key)) != (key in theirs, theirs.get(key))]


def shown(config: Mapping[str, object], key: str) -> str:
    if key not in config:
        return ABSENT
    value = config[key]
    return MASK if is_secret(key) and value not in ("", "n/a", OFFLOADED) else str(value)


def restored(kept: Config, current: Config) -> Config:
    """What a node gets: the archived values, but for those that its board writes, and those that were not kept."""
    values = {key: current.get(key, value) if value == OFFLOADED else value for key, value in kept.items()}
    return {**values, **{key: current[key] for key in OF_THE_BOARD if key in current}}
