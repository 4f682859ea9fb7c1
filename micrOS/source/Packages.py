"""Installs and removes packages of mip: all files of one or none; in memory only while it works.

What is installed stands in one file. It is also the journal: what is still to be renamed and removed is written there
first, so that a power cut in the middle is tidied up by the next call.
"""
import hashlib
import json
import os
import sys
from binascii import hexlify

from micropython import const

from Files import exists, read, remove, write_whole
from Folders import make_folders
from Http import WebError, fetch, stream
from Modules import PREFIX, modules
from pure import mip
from pure.lazy import unload
from pure.mip import PackageError

_RECORDS = const("/lib/packages.json")
_MOST_PACKAGES = const(8)         # with all that one needs
_MOST_FILES = const(32)
_MOST_BYTES = const(65536)        # of a file
_SPARE_BYTES = const(32768)       # of the flash, that a package leaves free
_OK = const(200)


class Store:
    """packages: {name: {"url", "version", "files": [path], "deps": [name]}}"""

    def __init__(self):
        records = _loaded()
        self.packages = records.get("packages", {})
        self._finish(records.get("rename", ()), records.get("remove", ()))

    def begin(self, paths):
        """These files will be fetched, as `<path>.new`. Should the power fail, they are removed."""
        self._write((), [path + ".new" for path in paths])

    def undo(self, paths):
        """What begin() announced shall not be."""
        self._finish((), [path + ".new" for path in paths])

    def commit(self, rename, remove):
        """Make the packages true: `<path>.new` becomes path, what is to be removed goes. One write decides."""
        self._write(rename, remove)
        self._finish(rename, remove)

    def _write(self, rename, remove):
        make_folders(_RECORDS)
        write_whole(_RECORDS, (json.dumps({"packages": self.packages, "rename": rename, "remove": remove}),))

    def _finish(self, rename, remove_paths):
        for path in rename:
            if exists(path + ".new"):
                os.rename(path + ".new", path)
        for path in remove_paths:
            remove(path)
            _remove_empty(path.rpartition("/")[0])
        for path in list(rename) + list(remove_paths):
            _forget(path)
        if rename or remove_paths:
            self._write((), ())

    def owner(self, path):
        for name, package in self.packages.items():
            if path in package["files"]:
                return name
        return None


class Plan:
    """What one install brings: packages as in the Store, and their files."""

    def __init__(self, store):
        self._store = store
        self.packages = {}
        self.files = []               # (path, URL, hash or None)

    async def add(self, address, version):
        """A package and what it needs. Returns its name. Raises PackageError."""
        name = mip.name(address)
        url = mip.url(address, version)
        known = self.packages.get(name) or self._store.packages.get(name)
        if known and known["url"].rpartition("/")[0] != url.rpartition("/")[0]:      # another version is welcome
            raise PackageError("{} is there from another address; uninstall it first".format(name))
        if name not in self.packages:
            if len(self.packages) >= _MOST_PACKAGES:
                raise PackageError("it needs more than {} packages".format(_MOST_PACKAGES - 1))
            await self._read(name, url, version)
        return name

    async def _read(self, name, url, version):
        manifest = await _manifest(name, url)
        files = mip.files(manifest, url, version)
        record = {"url": url, "version": mip.version(manifest), "files": [path for path, _, _ in files], "deps": []}
        self.packages[name] = record
        self.files += files
        for path in record["files"]:
            self._check(name, path)
        for address, wanted in mip.dependencies(manifest):
            record["deps"].append(await self.add(mip.dependency(address, wanted, url), wanted))

    def _check(self, name, path):
        """Raises PackageError when the place of a file is taken."""
        if len(self.files) > _MOST_FILES or [one for one, _, _ in self.files].count(path) > 1:
            raise PackageError("{} is there twice, or there are more than {} files".format(path, _MOST_FILES))
        there = path
        if path.startswith(mip.MODULES + PREFIX):
            there = modules().path(mip.imported_as(path)[len(PREFIX):]) or path
        if exists(there) and self._store.owner(there) != name:
            raise PackageError("{} is there already, and not of the package {}".format(there, name))

    def outdated(self):
        """Files of the versions before that the new ones have not."""
        new = [path for path, _, _ in self.files]
        old = [path for name in self.packages for path in self._store.packages.get(name, {}).get("files", ())]
        return [path for path in old if path not in new]


async def install(address, version=None):
    """Text that says what was installed. Raises PackageError, OSError; then all is as before."""
    if not isinstance(address, str) or not mip.is_address(address):
        raise PackageError("a package has an address: http://..., https://..., github:..., got {}".format(address))
    store = Store()
    plan = Plan(store)
    await plan.add(mip.manifest_address(address), None if version is None else str(version))
    paths = [path for path, _, _ in plan.files]
    store.begin(paths)
    try:
        size = 0
        for path, url, digits in plan.files:
            size += await _fetched(path, url, digits)
    except BaseException:             # also a cancelled task
        store.undo(paths)
        raise
    outdated = plan.outdated()
    store.packages.update(plan.packages)
    store.commit(paths, outdated)
    told = ", ".join(["{} {}".format(name, plan.packages[name]["version"]).strip() for name in sorted(plan.packages)])
    return "Installed {}: {} files, {} bytes".format(told, len(paths), size)


async def uninstall(name):
    """Text that says what went. Raises PackageError."""
    store = Store()
    if name not in store.packages:
        raise PackageError("no package {}; there are: {}".format(name, ", ".join(sorted(store.packages)) or "none"))
    users = [other for other, package in store.packages.items() if name in package["deps"]]
    if users:
        raise PackageError("{} is needed by {}".format(name, ", ".join(sorted(users))))
    files = store.packages.pop(name)["files"]
    store.commit((), files)
    return "Uninstalled {}: {} files".format(name, len(files))


async def installed():
    """{name: version}"""
    return {name: package["version"] for name, package in Store().packages.items()}


async def _manifest(name, url):
    """What the package.json says. Errors tell no URL: it may hold a secret."""
    if url.endswith((".py", ".mpy")):
        return {"urls": [[url.rpartition("/")[2], url]]}
    status, body = await fetch(url)
    if status != _OK:
        raise PackageError("{}: status {}".format(name, status))
    try:
        manifest = json.loads(body)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise PackageError("{}: there is no package.json".format(name))
    return manifest


async def _fetched(path, url, digits):
    """Size of the file, which is now at `<path>.new`. Raises PackageError when it is not what it should be."""
    make_folders(path)
    block, _, _, free = os.statvfs("/")[:4]
    most = min(_MOST_BYTES, block * free - _SPARE_BYTES)
    digest, size = hashlib.sha256(), 0

    def take(piece):
        nonlocal size
        size += len(piece)
        if size > most:
            raise PackageError("{} is larger than {} bytes".format(path, most))
        digest.update(piece)
        file.write(piece)

    try:
        with open(path + ".new", "wb") as file:
            status = await stream(url, take)
    except WebError as error:
        raise PackageError("{}: {}".format(path, error))
    if status != _OK:
        raise PackageError("{}: status {}".format(path, status))
    got = hexlify(digest.digest()).decode()
    if digits and not got.startswith(digits):
        raise PackageError("{} has the hash {}, not {}".format(path, got[:len(digits)], digits))
    return size


def _loaded():
    try:
        return json.loads(read(_RECORDS) or "{}")
    except ValueError:
        raise PackageError("{} is damaged; remove it, and what it installed stays".format(_RECORDS))


def _remove_empty(folder):
    """Folders of a package that hold nothing any more."""
    while folder.startswith(mip.LIB):
        try:
            os.rmdir(folder)
        except OSError:               # something is in it
            return
        folder = folder.rpartition("/")[0]


def _forget(path):
    """The next import takes the file as it is now. What comes from elsewhere under this name stays."""
    name = mip.imported_as(path)
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == path:
        unload(name)
