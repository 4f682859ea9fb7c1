"""A new set of files by way of the cloud: downloaded, taken apart, and put in place as an update over the air is.

A package is  `micrOS set 1\\n` | the rows of the manifest, `<path> <size> <SHA-256>` or `<path> 0 -`, a line each |
`\\n` | the bytes of the files, one behind the other in the order of the rows.  Source of the rows: Staging.py.
"""
import asyncio

from micropython import const

from Files import remove
from Folders import make_folders
from Staging import ACTIVATE, STAGED, answer, discard, restart
from TaskManager import manager

from . import ground
from .ground import tr50
from pure.lazy import unload
from pure.tr50_status import text

_MAGIC = b"micrOS set 1\n"
_PACKAGE = const("/.package")
_LINE_BYTES = const(256)
_ALARM = const("software_update")
_BAD = const(15)                  # status: parsing error
_LEAVE_S = const(10)
_LOOK_S = 0.1
_TAG = const("cloud.update")


class OTAHandler:
    """The action software_update, as programs of a host register it; one update at a time."""

    def __init__(self, offline=False, reboot=None):
        if offline or reboot:
            raise ValueError("a node fetches its packages and restarts by itself: no offline, no reboot")

    def update_callback(self, client, params, user_data, request):
        """params: package (a file of the cloud)"""
        package = (params or {}).get("package")
        if not isinstance(package, str) or not package:
            _forget()
            return tr50.BAD_PARAMETER, "package is missing"
        if manager().start(_TAG, Update(client, package, request.request_id).run()) is None:
            return tr50.FAILURE, "Software update already in progress!"
        return tr50.INVOKED, ""

    def is_running(self):
        task = manager().get(_TAG)
        return bool(task and task.active)

    async def join(self, timeout=None):
        """Returns when none runs, or after so many seconds."""
        try:
            await asyncio.wait_for(self._over(), timeout)
        except asyncio.TimeoutError:
            pass

    async def _over(self):
        while self.is_running():
            await asyncio.sleep(_LOOK_S)


class Update:
    """ident: of the mail that asked for it"""

    def __init__(self, client, package, ident):
        self._client, self._package, self._ident = client, package, ident

    async def run(self):
        """Download, check, put in place, tell, restart."""
        self._tell("Started OTA Update", 0)
        status, why = await self._done()
        remove(_PACKAGE)
        _forget()
        if status:
            discard(STAGED)
            self._tell("Update Failed", 6, why)
            self._client.action_acknowledge(self._ident, status, why)
        else:                            # the last words, and then the boot that takes the set over
            self._tell("Update Successful", 5)
            await self._client.agent.ask(tr50.mailbox_ack(self._ident, 0, ""), _LEAVE_S)
            await self._client.disconnect()
            await restart()

    async def _done(self):
        """(status, why)"""
        status = tr50.NOT_FOUND
        for is_global in (True, False):
            status = await self._client.file_download(self._package, _PACKAGE, True, None, 0, is_global)
            if status != tr50.NOT_FOUND:
                break
        if status:
            return status, text(status)
        self._tell("Running Install", 2)
        try:
            discard(STAGED)
            await unpack(_PACKAGE)
            await answer(ACTIVATE)
        except (ValueError, OSError) as error:
            self._tell("Install Failed", 4, str(error))
            return _BAD, str(error) or type(error).__name__
        return tr50.SUCCESS, ""

    def _tell(self, what, state, why=""):
        client = self._client
        client.action_progress_update(self._ident, what)
        client.event_publish("OTA: {}{}".format(what, ": " + why if why else ""))
        client.alarm_publish(_ALARM, state, "package: {}".format(self._package))


def _forget():
    """Modules of an update leave memory."""
    ground.forget("board_update", "files")
    unload("Staging", "Folders")


async def unpack(path):
    """Lay out .staged/ from a package. Raises ValueError for what is none, OSError."""
    with open(path, "rb") as package:
        if package.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("a package begins with `micrOS set 1`")
        rows = _manifest(package)
        for name, size, digest in rows:
            if digest != "-":
                await _laid_out(package, STAGED + "/" + name, size)
        if package.read(1):
            raise ValueError("the package is longer than its manifest says")


def _manifest(package):
    """[(path, size, digest)]; writes the manifest."""
    make_folders(STAGED + "/")
    rows = []
    with open(STAGED + "/manifest", "wb") as manifest:
        while True:
            line = package.readline()
            if line == b"\n":
                return rows
            words = line.split()
            if len(words) != 3 or len(line) > _LINE_BYTES or not line.endswith(b"\n") or not words[1].isdigit():
                raise ValueError("a row is `<path> <size> <SHA-256>`, got {}".format(line[:40]))
            rows.append((_checked(str(words[0], "utf-8")), int(words[1]), str(words[2], "utf-8")))
            manifest.write(line)


def _checked(path):
    """A path below the root, without ways up. Raises ValueError."""
    if path[:1] in "/." or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError("a path of a package is like modules/LM_x.mpy, got {}".format(path[:40]))
    return path


async def _laid_out(package, path, size):
    make_folders(path)
    with open(path, "wb") as file:
        while size:
            data = package.read(min(size, ground.CHUNK_BYTES))
            if not data:
                raise ValueError("the package ends too early")
            file.write(data)
            size -= len(data)
            await asyncio.sleep(0)
