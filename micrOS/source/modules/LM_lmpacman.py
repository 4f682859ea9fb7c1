"""Files of load modules: list, delete, unload, hash; packages of mip: install and remove."""
import asyncio
import hashlib
import os
import sys
from binascii import hexlify

from Common import once, socket_stream
from ConfigHandler import cfgget
from Files import exists, names, remove
from Folders import is_dir
from Modules import ENDINGS, FOLDERS, PREFIX
from pure.lazy import unload
from pure.words import is_name

_CORE = ("system", "lmpacman")         # without them nobody gets at the node again
_PIECE_BYTES = 512


def _is_code(file):
    return file.endswith(ENDINGS)


def _module_files():
    """(folder, file) of all load modules, sorted by file."""
    found = [(folder, file) for folder in FOLDERS for file in names(folder[:-1] or "/")
             if file.startswith(PREFIX) and _is_code(file)]
    return sorted(found, key=lambda pair: pair[1])


@socket_stream
def listlm(msgobj=None):
    """Stream the files of load modules, without LM_."""
    for _, file in _module_files():
        msgobj("   " + file[len(PREFIX):])
    return ""


def dellm(lm=None):
    """Delete the file of a load module and unload it. lm: `rgb.py`, `rgb.mpy`"""
    stem, _, ending = str(lm).rpartition(".")
    if "." + ending not in ENDINGS or not is_name(stem):
        return "Invalid value: {}".format(lm)
    if stem in _CORE:
        return "Load module {} is in use, skip delete.".format(lm)
    try:
        os.remove(_path(lm))
    except OSError as error:
        return "Cannot delete: {}: {}".format(lm, error)
    sys.modules.pop(PREFIX + stem, None)
    return "Delete module: {}".format(lm)


def _path(lm):
    """Of the file that counts: the one at the root, if there is one."""
    path = FOLDERS[0] + PREFIX + lm
    return path if exists(path) else FOLDERS[1] + PREFIX + lm


def del_duplicates():
    """Delete each `x.py` that has an `x.mpy` beside it, which it hides. Lines `   Delete x.py True|False`."""
    files, lines = _module_files(), []
    for folder, file in files:
        if file.endswith(".py") and (folder, file[:-3] + ".mpy") in files:
            lines.append("   Delete {} {}".format(file[len(PREFIX):], remove(folder + file)))
    return "\n".join(lines) or "Nothing to delete."


def module(unload=None):
    """Without a name: list of what is imported. unload: `LM_rgb`; what the node itself consists of stays."""
    if unload is None:
        return list(sys.modules)
    is_gone = str(unload).startswith(PREFIX) and sys.modules.pop(unload, None) is not None
    return "Module unload {} {}.".format(unload, "done" if is_gone else "failed")


@socket_stream
async def micros_checksum(msgobj=None):
    """Stream `<SHA-256> <file>` of all code on the flash. Returns `micrOS version: v`."""
    for path in sorted(_code("/")):
        msgobj("{} {}".format(await _sha256(path), path[1:]))
    return "micrOS version: {}".format(cfgget("version"))


def _code(folder):
    """Paths of all code in a folder and those in it. /rom is the firmware's."""
    for name in names(folder[:-1] or "/"):
        if is_dir(folder + name):
            if folder + name != "/rom":
                yield from _code(folder + name + "/")
        elif _is_code(name):
            yield folder + name


async def _sha256(path):
    digest, piece = hashlib.sha256(), bytearray(_PIECE_BYTES)
    with open(path, "rb") as file:
        while True:
            size = file.readinto(piece)
            if not size:
                return hexlify(digest.digest()).decode()
            digest.update(piece if size == _PIECE_BYTES else piece[:size])
            await asyncio.sleep_ms(0)    # others have their turn


@once
def _turn():
    """One change of packages at a time."""
    return asyncio.Lock()


async def _packages(what, *args):
    """What a function of Packages gives."""
    async with _turn():
        try:
            import Packages
            return await getattr(Packages, what)(*args)
        finally:
            unload("Packages", "pure.mip", "Http", "pure.http")


async def install(url, version=None):
    """Install a package: url of its package.json, or `github:owner/repository`. version: a branch there."""
    return await _packages("install", url, version)


async def uninstall(name):
    """Remove a package and its files."""
    return await _packages("uninstall", name)


async def packages():
    """{name: version} of what was installed."""
    return await _packages("installed")


def help():
    return ("listlm", "dellm lm=<rgb.py>", "del_duplicates", "module unload=<None/LM_rgb>", "micros_checksum",
            "install url=<http://host/name/package.json> version=None", "uninstall name", "packages")
