"""What an installation of micrOS 1.20 has left of a user's data, taken over into the data folder of today.

1.20 kept both inside its package:  toolkit/user_data/device_conn_cache.json
                                    toolkit/user_data/node_config_archive/<devfid>-node_config.json
Copies only: nothing of today's is overwritten.
"""
from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit import archive
from toolkit.errors import UsageError
from toolkit.inventory import FILE_NAME, Inventory

USER_DATA = Path("toolkit", "user_data")


@dataclass(frozen=True)
class Taken:
    """devices, configs: how many were taken over from folder"""

    folder: Path
    devices: int
    configs: int


def found(places: Iterable[str] | None = None) -> Iterator[Path]:
    """Folders with user data of 1.20, where Python looks for packages: an upgrade leaves them there."""
    for place in dict.fromkeys(sys.path if places is None else places):
        folder = Path(place or ".", USER_DATA)
        if folder.is_dir():
            yield folder


def folder_of(given: Path) -> Path:
    """The user data in a folder that a person names: itself, a checkout of 1.20, or a site-packages.

    Raises UsageError when there is none.
    """
    for folder in (given / USER_DATA, given / "user_data", given):
        if (folder / FILE_NAME).is_file() or (folder / archive.FOLDER).is_dir():
            return folder
    raise UsageError(f"{given} holds no user data of micrOS 1.20: expected {USER_DATA / FILE_NAME} or "
                     f"{USER_DATA / archive.FOLDER} in it")


def take(folder: Path) -> Taken:
    """Take over devices and configurations that are not known yet."""
    inventory = Inventory()
    known = {device.uid for device in inventory}
    news = [device for device in Inventory(folder / FILE_NAME) if device.uid not in known]
    inventory.keep(*news)
    configs = sorted((folder / archive.FOLDER).glob("*" + archive.SUFFIX))
    return Taken(folder, len(news), sum(map(_take_config, configs)))


def _take_config(path: Path) -> bool:
    """False for one whose name is in the archive already, and for what is no configuration."""
    content = path.read_bytes()
    try:
        name = archive.checked_name(archive.parsed(content, str(path)).get("devfid"))
    except UsageError:
        return False
    if name in archive.archived():
        return False
    archive.archive(content)
    return True
