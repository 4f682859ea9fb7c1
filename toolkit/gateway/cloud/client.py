"""For commands: bytes to and from a gateway's files, beside the JSON of remote.Remote."""
from __future__ import annotations

import urllib.error
import urllib.request
import zlib
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from toolkit.errors import LinkError, RefusedError
from toolkit.gateway.remote import TIMEOUT_S, Remote


def thing_path(key: str, *more: str) -> str:
    """Path of a thing, or of what it has."""
    return "/api/v1/things/" + "/".join(quote(word, safe="") for word in (key, *more))


def bring(remote: Remote, owner: str, name: str, data: bytes) -> None:
    """Store a file. owner: a thing key, or all. Raises LinkError, RefusedError."""
    way = remote.ask("POST", thing_path(owner, "files"), {"name": name, "crc32": zlib.crc32(data)})
    _sent(remote, way["path"], data)


def fetch(remote: Remote, owner: str, name: str) -> bytes:
    """Raises LinkError, RefusedError, UnknownDeviceError."""
    way = remote.ask("GET", thing_path(owner, "files", name))
    data = _sent(remote, way["path"], None)
    if zlib.crc32(data) != way["file"]["crc32"]:
        raise LinkError(f"{name} did not arrive as it was stored: try again")
    return data


def safe_name(name: str) -> str:
    """The last part of a name that a thing has chosen: it is to be no way out of a folder of ours."""
    return PurePosixPath(name.replace("\\", "/").replace(":", "_")).name or "file"


def outcome(action: dict[str, Any]) -> str:
    """A line for people."""
    words = [action["state"], "" if action["code"] is None else f"status {action['code']}", action["message"] or "",
             str(action["out"]) if action["out"] else "", f"({action['tries']} tries)" if action["tries"] > 1 else ""]
    return " ".join(word for word in words if word)


def _sent(remote: Remote, path: str, data: bytes | None) -> bytes:
    request = urllib.request.Request(remote.address + path, data, method="GET" if data is None else "POST",
                                     headers={"Content-Type": "application/octet-stream"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise RefusedError(f"the gateway answered {error.code}: {error.read(300).decode('utf-8', 'replace')}") from None
    except OSError as error:
        raise LinkError(f"the gateway at {remote.address} was lost: {getattr(error, 'reason', error)}") from None
