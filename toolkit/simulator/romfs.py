"""The shims as a read-only file system in memory: MicroPython runs code from it in place, without the board's heap.

Format: ROMFS, extmod/vfs_rom.c of MicroPython: records of  kind | length | payload, numbers in base 128.
    image 0xd2 0xcd 0x31 | entries ...        file 5 | length of name | name | verbatim data 2
"""
import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

MAGIC = b"\xd2\xcd\x31"
DATA, FILE = 2, 5


def _number(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.insert(0, 0x80 | value & 0x7F)
    return bytes(digits)


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def image(files: Mapping[str, bytes]) -> bytes:
    """ROMFS image of files in one folder. files: {name: content}"""
    entries = b"".join(_record(FILE, _number(len(name.encode())) + name.encode() + _record(DATA, content))
                       for name, content in sorted(files.items()))
    return MAGIC + _number(len(entries)) + entries


class Rom(Protocol):
    """Where /rom comes from."""

    def mount_expression(self) -> str:
        """Python for the VM: the object that is mounted. `vfs` is imported there."""
        ...


class MemoryRom:
    """An image in this process; the forked VM finds it at the same address."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        data = image(files)
        self._buffer = ctypes.create_string_buffer(data, len(data))

    def mount_expression(self) -> str:
        return (f"vfs.VfsRom(__import__('uctypes').bytearray_at("
                f"{ctypes.addressof(self._buffer)}, {len(self._buffer)}))")


class FolderRom:
    """A folder of files, for a VM that is another program."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self._folder = folder

    def mount_expression(self) -> str:
        return f"vfs.VfsPosix({str(self._folder)!r})"
