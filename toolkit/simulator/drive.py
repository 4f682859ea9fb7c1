"""The USB drive RPI-RP2 that a Pico is while it waits for firmware: a directory that takes a UF2 file and goes away."""
import contextlib
import shutil
from pathlib import Path

from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.firmware import uf2_blocks

# what the boot ROM of the RP2040 shows; hosts tell the board by the first one
FILES = {
    "INFO_UF2.TXT": "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n",
    "INDEX.HTM": "<html><head></head><body>UF2: copy a file here</body></html>\r\n",
}


class Drive:
    """path: where it is mounted while there is one. family: of the UF2 blocks that count; others are not seen."""

    def __init__(self, path: Path, family: int) -> None:
        self._path = path
        self._family = family
        self._is_mounted = False
        self._seen: dict[Path, tuple[int, int]] = {}

    def mount(self) -> None:
        try:
            self._path.mkdir(parents=True)
        except OSError as error:
            raise SimulatorError(f"--drive {self._path} cannot be made: {error.strerror}") from None
        for name, text in FILES.items():
            (self._path / name).write_bytes(text.encode())
        self._is_mounted = True
        self._seen = {}

    def unmount(self) -> None:
        if self._is_mounted:
            self._is_mounted = False
            shutil.rmtree(self._path, ignore_errors=True)

    def arrived(self) -> dict[int, bytes] | None:
        """{offset in flash: payload} of a file all of whose blocks are there, in any order; None until then."""
        for path in sorted(self._path.glob("*")) if self._is_mounted else ():
            with contextlib.suppress(OSError):         # it has gone again
                if self._has_changed(path) and (blocks := self._complete(path.read_bytes())):
                    return blocks
        return None

    def _has_changed(self, path: Path) -> bool:
        before, stat = self._seen.get(path), path.stat()
        self._seen[path] = stat.st_size, stat.st_mtime_ns
        return self._seen[path] != before

    def _complete(self, content: bytes) -> dict[int, bytes]:
        blocks = list(uf2_blocks(content, self._family))
        found = {offset: payload for _, offset, payload in blocks}
        return found if blocks and len(found) == blocks[0][0] else {}
