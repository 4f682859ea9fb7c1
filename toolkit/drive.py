"""An rp2 in its boot mode: a USB drive, onto which its firmware is copied."""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from toolkit.boards import Board
from toolkit.errors import NoPortError, PortLostError, UsageError, WrongChipError

INFO = "INFO_UF2.TXT"                        # on the drive of every UF2 boot loader
MOUNT_POINTS = ("media/*", "media/*/*", "run/media/*/*", "Volumes/*")      # of Linux and macOS
PIECE_BYTES = 64 << 10

Progress = Callable[[int, int], None]


def find(board: Board, named: Path | None = None) -> Path:
    """The drive of a board. Raises WrongChipError, NoPortError, UsageError."""
    if named:
        return _checked(board, named)
    found = mounted(board)
    if not found:
        raise NoPortError(f"no {board.chip} drive is mounted: hold the BOOTSEL button of the board while you plug it "
                          "in; --drive PATH names a drive that is mounted elsewhere")
    if len(found) > 1:
        raise UsageError(f"{len(found)} boards are drives: {', '.join(map(str, found))}. Name one with --drive")
    return found[0]


def mounted(board: Board, root: Path | None = None) -> list[Path]:
    """Drives of such boards. root: of the file system."""
    if os.name == "nt":
        folders = [Path(f"{letter}:\\") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    else:
        folders = [path for pattern in MOUNT_POINTS for path in sorted((root or Path("/")).glob(pattern))]
    return [folder for folder in folders if board_id(folder) == board.chip]


def board_id(drive: Path) -> str | None:
    """Board-ID in the INFO_UF2.TXT of a drive, None when it is no boot loader's."""
    try:
        lines = (drive / INFO).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Board-ID:")), None)


def copy(image: Path, drive: Path, progress: Progress) -> None:
    """The board restarts by itself, and the drive is gone, as soon as it has the last block."""
    data = image.read_bytes()
    done = 0
    try:
        with (drive / image.name).open("wb", buffering=0) as file:
            while done < len(data):
                done += file.write(data[done:done + PIECE_BYTES])
                progress(done, len(data))
            os.fsync(file.fileno())
    except OSError as error:
        if done < len(data):
            raise PortLostError(f"{drive} took {done} of {len(data)} bytes: {error.strerror}; plug the board in again "
                                "with BOOTSEL held and repeat the command") from None


def _checked(board: Board, drive: Path) -> Path:
    found = board_id(drive)
    if found is None:
        raise UsageError(f"{drive} holds no {INFO}: it is not the drive of a board in its boot mode")
    if found != board.chip:
        raise WrongChipError(f"wrong chip: found {found}, expected {board.chip}")
    return drive
