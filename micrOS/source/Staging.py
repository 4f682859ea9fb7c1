"""What a sender may ask of a node beyond single files: all hashes, folders, and that a staged set takes over.

Under .staged/ lie the files of a set under their paths, and `manifest`: lines `<path> <size> <SHA-256>`, or
`<path> 0 -` for a file that goes. Once all is as the manifest says, one rename makes it .update/, and the boot
that follows lets it take over (Activate.py). In memory only while a sender asks.
"""
import asyncio
import hashlib
import io
import os
import sys
from binascii import hexlify

from machine import reset
from micropython import const

from Files import names
from Folders import is_dir

HASHES, DISCARD, ACTIVATE = "?hashes", "?discard", "?activate"
STAGED = ".staged"
_UPDATE = const(".update")
_MANIFEST = const(".staged/manifest")
_FOLDER = const(0x4000)
_PIECE_BYTES = const(1024)       # of the list in one go
_BLOCK_BYTES = const(512)
_BLOCKS = const(8)               # hashed before others get their turn
_LEAVE_MS = const(100)           # for the last words to the sender


async def answer(asked):
    """What to read for a request, as a file. Raises ValueError when it cannot be done, OSError."""
    if asked == HASHES:
        return _Listing()
    if asked == DISCARD:
        discard(STAGED)
    elif asked == ACTIVATE:
        await _approve()
    else:
        raise ValueError("no such request")
    return io.BytesIO(b"")


def discard(folder):
    """Remove a folder with all in it, if it is there."""
    for name in names(folder):
        path = folder + "/" + name
        discard(path) if is_dir(path) else os.remove(path)
    if is_dir(folder):
        os.rmdir(folder)


async def restart():
    """Start anew, with the update: it was wanted, so the boot ladder does not count it."""
    import Boot
    Boot.lasted()
    await asyncio.sleep_ms(_LEAVE_MS)
    reset()


class _Listing:
    """The list as a file that is made while it is read: `/ <free bytes> <.mpy version>`, `<path> <size> <SHA-256>`"""

    def __init__(self):
        self._pieces = _rows()
        self._said = b""

    def read(self, size):
        """The next bytes, b"" at the end, None: not yet, ask again."""
        for piece in self._pieces:       # one step: the generator goes on where it was
            self._said += piece
            if len(self._said) < _PIECE_BYTES:
                return None
            break
        said, self._said = self._said, b""
        return said

    def close(self):
        self._pieces.close()


def _rows():
    block, _, _, free = os.statvfs("/")[:4]
    yield "/ {} {}\n".format(block * free, sys.implementation._mpy).encode()
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in os.ilistdir(folder or "/"):
            path = folder + "/" + entry[0]
            if entry[1] != _FOLDER:
                yield from _present(path)
            elif folder or len(entry) > 3 or entry[2]:      # another file system has inode 0: /rom, /sd
                folders.append(path)


def _present(path):
    try:
        yield from _row(path, path[1:])
    except OSError:                      # it went meanwhile
        pass


def _row(path, name):
    """`<name> <size> <SHA-256>` of a file at last, before that b"" while others shall have their turn."""
    size, sha, block, count = 0, hashlib.sha256(), bytearray(_BLOCK_BYTES), _BLOCK_BYTES
    with open(path, "rb") as file:
        while count == _BLOCK_BYTES:
            count = file.readinto(block)
            size += count
            sha.update(memoryview(block)[:count])
            if size % (_BLOCKS * _BLOCK_BYTES) == 0:
                yield b""
    yield "{} {} {}\n".format(name, size, str(hexlify(sha.digest()), "ascii")).encode()


async def _approve():
    """Make the staged set the next one. Raises ValueError, with the first file that is not as the manifest says."""
    with open(_MANIFEST, "rb") as manifest:
        for row in manifest:
            path, _, digest = [str(word, "utf-8") for word in row.strip().rsplit(b" ", 2)]
            if is_dir(path):
                raise ValueError("{} is a folder on the node".format(path))
            if digest != "-" and await _told(path) != row:
                raise ValueError("{} did not arrive as the manifest says".format(path))
    os.rename(STAGED, _UPDATE)


async def _told(path):
    """The row of a staged file."""
    told = b""
    for piece in _row("{}/{}".format(STAGED, path), path):
        told += piece
        await asyncio.sleep_ms(0)
    return told
