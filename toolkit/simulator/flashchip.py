"""The flash chip as a programmer sees it: sectors that are erased and programmed. Its upper part is the file system.

Files do not lie in it: they are the board's directory. Of the file system it holds only the mark of one.
"""
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

SECTOR_BYTES = 4096
MARK, MARK_AT = b"littlefs", 8                 # in the superblock: littlefs SPEC.md
BOOT_PY = "# executed at every start of the board\n"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileSystem:
    """offset: where it begins in the chip. Made new, it has a boot.py when the firmware puts one there."""

    offset: int
    directory: Path
    has_boot_py: bool


class FlashChip:
    """Reads, erases and programs; leaving its bounds raises ValueError. file: where it is kept when it is not new."""

    def __init__(self, size: int, files: FileSystem, file: Path | None) -> None:
        self.size = size
        self._memory = bytearray(b"\xff") * size
        self._files = files
        self._file = file
        self._is_saved = True

    def read(self, offset: int, size: int) -> bytes:
        self._check(offset, size)
        return bytes(self._memory[offset:offset + size])

    def erase(self, offset: int, size: int) -> None:
        """All sectors that these bytes touch."""
        self._check(offset, size)
        start = offset // SECTOR_BYTES * SECTOR_BYTES
        end = -(-(offset + size) // SECTOR_BYTES) * SECTOR_BYTES
        self._memory[start:end] = b"\xff" * (end - start)
        self._changed(start, end)

    def program(self, offset: int, data: bytes) -> None:
        """Bits only go from 1 to 0, as in the chip: what was not erased before is spoilt."""
        both = int.from_bytes(self.read(offset, len(data))) & int.from_bytes(data)
        self._memory[offset:offset + len(data)] = both.to_bytes(len(data))
        self._changed(offset, offset + len(data))

    def blank(self) -> None:
        """A new chip, that is to be kept."""
        self._is_saved = False

    def deliver(self, offset: int, image: bytes) -> None:
        """As it comes from the factory: with firmware, and a file system that holds what the directory does."""
        self._memory[offset:offset + len(image)] = image
        self._mark()

    def is_kept(self) -> bool:
        """Somebody has written it before."""
        return bool(self._file and self._file.exists())

    def load(self) -> None:
        assert self._file
        content = self._file.read_bytes()[:self.size]
        self._memory[:len(content)] = content

    def save(self) -> None:
        """Keep it, if it has changed. Erased bytes at its end take no room."""
        if self._is_saved or not self._file:
            return
        self._is_saved = True
        fresh = self._file.with_name(self._file.name + ".tmp~")
        try:
            fresh.write_bytes(self._memory.rstrip(b"\xff"))
            os.replace(fresh, self._file)
        except OSError as error:
            log.warning("the flash is not kept: %s", error)

    def format_if_blank(self) -> None:
        """What firmware does at its first start."""
        if self._is_formatted():
            return
        self._wipe()
        self._mark()
        self._is_saved = False
        if self._files.has_boot_py:
            (self._files.directory / "boot.py").write_text(BOOT_PY)

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ValueError(f"{size} bytes at {offset:#x} are not within the flash's {self.size}")

    def _changed(self, start: int, end: int) -> None:
        self._is_saved = False
        mark = self._files.offset + MARK_AT
        if start < mark + len(MARK) and mark < end and not self._is_formatted():
            self._wipe()

    def _is_formatted(self) -> bool:
        at = self._files.offset + MARK_AT
        return self._memory[at:at + len(MARK)] == MARK

    def _mark(self) -> None:
        at = self._files.offset + MARK_AT
        self._memory[at:at + len(MARK)] = MARK

    def _wipe(self) -> None:
        for path in self._files.directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
