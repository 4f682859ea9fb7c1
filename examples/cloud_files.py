"""Keep a folder in the cloud: every file that is new or changed goes up, the action `fetch` brings one back.

    devToolKit.py --cloud config --app files --host cloud.example
    python examples/cloud_files.py FOLDER
"""
from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import device_cloud

LOOK_S = 5.0


class Folder:
    """What of a folder is in the cloud."""

    def __init__(self, client: device_cloud.Client, path: Path) -> None:
        self._client, self._path = client, path
        self._sent: dict[Path, int] = {}

    def fetch(self, client: device_cloud.Client, params: dict[str, Any] | None) -> tuple[int, str]:
        name = str((params or {}).get("name", ""))
        if not name or "/" in name or "\\" in name:
            return device_cloud.STATUS_BAD_PARAMETER, "name is a file's, without folders"
        status = client.file_download(name, str(self._path / name), blocking=True, timeout=60)
        if status == device_cloud.STATUS_SUCCESS:
            self._sent[self._path / name] = (self._path / name).stat().st_mtime_ns
        return status, device_cloud.status_string(status)

    def send_new(self) -> None:
        for path in sorted(self._path.iterdir()):
            changed_ns = path.stat().st_mtime_ns
            # what download writes until it is whole ends in .part
            if not path.is_file() or path.suffix == ".part" or self._sent.get(path) == changed_ns:
                continue
            status = self._client.file_upload(str(path.absolute()), path.name, blocking=True, timeout=60)
            self._client.event_publish(f"{path.name}: {device_cloud.status_string(status)}")
            if status == device_cloud.STATUS_SUCCESS:
                self._sent[path] = changed_ns


def main(words: list[str]) -> None:
    if len(words) != 1 or not Path(words[0]).is_dir():
        sys.exit(__doc__)
    client = device_cloud.Client("files")
    client.initialize()
    folder = Folder(client, Path(words[0]))
    client.action_register_callback("fetch", folder.fetch)
    try:
        if client.connect() != device_cloud.STATUS_SUCCESS:
            sys.exit("the cloud refuses: see the log")
        while client.is_alive():
            folder.send_new()
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        pass
    finally:
        client.disconnect()


if __name__ == "__main__":
    main(sys.argv[1:])
