"""A drop through the gateway: names and sizes checked, load modules looked through, then sent over the file port."""
from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit import lint
from toolkit.commands.drop import placed
from toolkit.errors import RefusedError, UsageError
from toolkit.fileport import FileDoor
from toolkit.gateway.events import Events
from toolkit.gateway.nodes import Node
from toolkit.gateway.settings import Settings
from toolkit.inventory import Device
from toolkit.link.webrepl import NAME_BYTES, FileLink, Held

MOST_FILES = 100
_NAME = re.compile(r"(?!\.)[\w.-]+(?:/(?!\.)[\w.-]+){0,5}", re.ASCII)

Told = Callable[[str, int, int], None]      # file, bytes sent, bytes in all


@dataclass(frozen=True)
class Parcel:
    """A file to be sent under a name."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Sent:
    """A file that is on the node. sent: False, it was there already."""

    name: str
    bytes: int
    sent: bool
    seconds: float


def checked_name(name: str | None) -> str:
    """A name to use on the node. Raises UsageError for what would leave its place."""
    if not name or not _NAME.fullmatch(name) or len(name.encode()) > NAME_BYTES:
        raise UsageError(f"a file's name is letters, digits, _ - . and /, up to {NAME_BYTES} bytes and without a "
                         f"leading dot; got {(name or '')[:60]!r}")
    return name


def check(parcel: Sequence[Parcel], limits: Settings) -> None:
    """Raises UsageError when a file, or all of them, are too large, or two have one name."""
    for each in parcel:
        if len(each.data) > limits.max_file_bytes:
            raise UsageError(f"{each.name} is larger than {limits.max_file_bytes} bytes, which is all a node is sent")
    if sum(len(each.data) for each in parcel) > limits.max_upload_bytes:
        raise UsageError(f"these files have over {limits.max_upload_bytes} bytes together: send them in several drops")
    if len({each.name for each in parcel}) < len(parcel):
        raise UsageError("two of these files have one name")


def findings(parcel: Sequence[Parcel]) -> list[lint.Finding]:
    """What `--lint` finds in the load modules of a parcel."""
    with tempfile.TemporaryDirectory(prefix="micros-") as scratch:
        found: list[lint.Finding] = []
        for each in parcel:
            base = each.name.rpartition("/")[2]
            if base.startswith(lint.PREFIX) and base.endswith(".py"):
                path = Path(scratch) / base
                path.write_bytes(each.data)
                found += lint.check(path)
        return found


def held(device: Device, port: int) -> Held:
    """What a node holds. Raises LinkError, RefusedError."""
    with FileDoor(device, port=port).open() as link:
        return link.held()


async def send(node: Node, parcel: Sequence[Parcel], events: Events) -> list[Sent]:
    """All of them, one after the other, in a thread; events `drop.progress`, `drop.done`, `drop.failed` tell of it."""
    loop = asyncio.get_running_loop()
    whose = {"uid": node.uid, "name": node.name}

    def told(name: str, done: int, total: int) -> None:
        loop.call_soon_threadsafe(events.publish, "drop.progress", {**whose, "file": name, "bytes": done, "of": total})

    try:
        sent = await asyncio.to_thread(_send_all, node.device, node.files_port, parcel, told)
    except Exception as error:
        events.publish("drop.failed", {**whose, "why": str(error)})
        raise
    node.link.forget_answers()
    events.publish("drop.done", {**whose, "files": [each.name for each in sent]})
    return sent


def _send_all(device: Device, port: int, parcel: Sequence[Parcel], told: Told) -> list[Sent]:
    with FileDoor(device, port=port).open() as link:
        there = _held_by(link)
        for folder in sorted({each.name.rpartition("/")[0] for each in parcel if "/" in each.name}):
            link.make_folder(folder)
        return [_send_one(link, each, there, told) for each in parcel]


def _held_by(link: FileLink) -> dict[str, tuple[int, str]]:
    """Nothing, of a node that does not tell hashes."""
    try:
        return dict(link.held().files)
    except RefusedError:
        return {}


def _send_one(link: FileLink, each: Parcel, there: dict[str, tuple[int, str]], told: Told) -> Sent:
    begun, place = time.monotonic(), placed(each.name)
    is_there = there.get(place) == (len(each.data), hashlib.sha256(each.data).hexdigest())
    if not is_there:
        link.put(each.name, each.data, lambda done, total: told(place, done, total))
    return Sent(place, len(each.data), not is_there, round(time.monotonic() - begun, 3))
