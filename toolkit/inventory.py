"""The devices this machine has met: a small file that maps uid to address, port and name.

The file is the one of 1.20, JSON:  {"<uid>": ["<address>", <port>, "<name>"], ...}, the latest last.
"""
from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.paths import ADVICE, data_dir

FILE_NAME = "device_conn_cache.json"
PLACEHOLDERS = ("__devuid__", "__localhost__")      # rows every 1.20 cache begins with; no such devices exist

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A node as it introduced itself, and where."""

    uid: str
    address: str
    port: int
    name: str

    @property
    def where(self) -> str:
        return f"{self.address}:{self.port}"

    def goes_by(self, tag: str) -> bool:
        """True for its name, uid, address or address:port."""
        return tag in (self.name, self.uid, self.address, self.where)


@dataclass(frozen=True)
class Introduction:
    """What a node told when the network was asked. files_port: 0 = none; version, board: "" = not told."""

    device: Device
    files_port: int
    version: str
    locked: bool
    board: str


class Inventory:
    """The cache in memory; `save` writes it."""

    def __init__(self, path: Path | None = None) -> None:
        """path: the file, None for the one in the user's data folder. A missing file is an empty cache."""
        self.path = path or data_dir() / FILE_NAME
        self._devices = self._load()

    def __iter__(self) -> Iterator[Device]:
        return iter(list(self._devices.values()))

    def __len__(self) -> int:
        return len(self._devices)

    def find(self, tag: str) -> Device | None:
        """The device that goes by a name, uid, address or address:port; the latest when two do."""
        return next((device for device in reversed(self._devices.values()) if device.goes_by(tag)), None)

    def keep(self, *devices: Device) -> None:
        """Add or renew devices, and save if that changed anything."""
        news = [device for device in devices if self._devices.get(device.uid) != device]
        for device in news:
            self._devices.pop(device.uid, None)
            self._devices[device.uid] = device
        if news:
            self.save()

    def save(self) -> None:
        """Write the file; where that cannot be, the devices are known for this run only, which is told."""
        try:
            self._write()
        except OSError as error:
            log.warning("%s cannot be written (%s): devices are not remembered; %s", self.path, error.strerror, ADVICE)

    def _write(self) -> None:
        """Beside, and renamed: a reader sees the old or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = {device.uid: [device.address, device.port, device.name] for device in self}
        handle, beside = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=4, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.replace(beside, self.path)
        except OSError:
            os.unlink(beside)
            raise

    def forget(self, uid: str) -> None:
        """Of one device, and save; it may be found again."""
        if self._devices.pop(uid, None):
            self.save()

    def clean(self) -> int:
        """Forget every device and delete the file. Returns how many there were."""
        count = len(self)
        self._devices.clear()
        try:
            self.path.unlink(missing_ok=True)
        except NotADirectoryError:        # there is no such folder, so there is no file
            pass
        except OSError as error:
            raise UsageError(f"{self.path} cannot be deleted: {error.strerror}") from None
        return count

    def _load(self) -> dict[str, Device]:
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))
            return {uid: _device(uid, row) for uid, row in rows.items() if uid not in PLACEHOLDERS}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            log.warning("%s cannot be read (%s): no device is known", self.path, error.strerror)
            return {}
        except (ValueError, TypeError, AttributeError) as error:
            return self._set_aside(error)

    def _set_aside(self, error: Exception) -> dict[str, Device]:
        bad = self.path.with_name(self.path.name + ".bad")
        with contextlib.suppress(OSError):      # then it stays, and is told of each time
            os.replace(self.path, bad)
        log.warning("%s was no device cache (%s): kept as %s, starting with an empty one", self.path, error, bad.name)
        return {}


def _device(uid: str, row: list[object]) -> Device:
    """Raises ValueError or TypeError when row is not [address, port, name]."""
    address, port, name = row
    if not isinstance(address, str) or not isinstance(name, str):
        raise TypeError(f"expected [address, port, name] for {uid}, got {row}")
    return Device(uid, address, int(str(port)), name)
