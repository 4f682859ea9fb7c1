"""The MicroPython image of a board: a file of the user's, else from the cache, else from the official place.

A hash pinned in the row of the board has to match. An image without one is trusted on first use: a warning, and its
hash is kept in the user's data folder; from then on no other content is taken under that name.
"""
from __future__ import annotations

import hashlib
import json
import os
import struct
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO

from toolkit import VERSION
from toolkit.archive import write_whole
from toolkit.boards import OFFICIAL, Board
from toolkit.errors import BadHashError, ToolkitError, UsageError
from toolkit.paths import data_dir

PLACE_VARIABLE = "MICROS_IMAGES"             # another place to download from: a mirror, a test
KNOWN = "known_images.json"                  # {file name: sha256} of images trusted on first use
MOST_BYTES = 16 << 20                        # more than any flash that takes such an image
CHUNK_BYTES = 65536
TIMEOUT_S = 20.0

ESP_MAGIC, ESP_CHIP_AT = 0xE9, 12            # esptool documentation, 'Firmware Image Format'
UF2_BLOCK = struct.Struct("<8I")             # github.com/microsoft/uf2, 'File format': 512 bytes, family in word 7
UF2_MAGIC, UF2_BLOCK_BYTES = (0x0A324655, 0x9E5D5157), 512

Progress = Callable[[int, int], None]
Say = Callable[[str], None]


class ImageError(ToolkitError):
    """Raised when there is no image for a board, or a file is none."""

    exit_code = 14


def image_of(board: Board, file: Path | None, say: Say, progress: Progress) -> Path:
    """A checked image for the board.

    file      of the user's own, taken as it is; None: from the cache, else downloaded
    say       takes the warning when an image is trusted on first use
    progress  takes (bytes, bytes in all or 0) of a download
    Raises ImageError, BadHashError, UsageError.
    """
    if file:
        check(board, file)
        return file
    file = cached(board)
    if not file.is_file():
        write_whole(file, _download(place() + board.image_name, progress))
    try:
        check(board, file)                   # first: the log-in page of a hotel shall not be trusted for good
        _check_hash(board, file, say)
    except (ImageError, BadHashError):
        file.unlink()                        # the next run fetches it anew
        raise
    return file


def cached(board: Board) -> Path:
    """Where the image lies, or would lie."""
    return data_dir() / "cache" / "images" / board.image_name


def place() -> str:
    """Address under which images are found, with a slash at its end."""
    return (os.environ.get(PLACE_VARIABLE) or OFFICIAL).rstrip("/") + "/"


def check(board: Board, file: Path) -> None:
    """Raises ImageError when a file is no image for this board's chip, UsageError when it cannot be read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(UF2_BLOCK_BYTES)
    except OSError as error:
        raise UsageError(f"--image {file} cannot be read: {error.strerror}") from None
    expected = "an RP2040 image (.uf2)" if board.is_uf2 else f"an {board.chip} image (.bin)"
    found = _uf2_family(head) if board.is_uf2 else _esp_chip(head)
    if found is None:
        raise ImageError(f"{file} is no firmware: expected {expected}")
    if found != board.image_chip:
        raise ImageError(f"{file} is for another chip (id {found:#x}): {board.name} takes {expected}")


def _esp_chip(head: bytes) -> int | None:
    """Chip id in an ESP image's header, None when it is none."""
    if len(head) < ESP_CHIP_AT + 2 or head[0] != ESP_MAGIC:
        return None
    return int.from_bytes(head[ESP_CHIP_AT:ESP_CHIP_AT + 2], "little")


def _uf2_family(head: bytes) -> int | None:
    """Family of a UF2 file's first block, None when it is none."""
    if len(head) < UF2_BLOCK_BYTES or UF2_BLOCK.unpack_from(head)[:2] != UF2_MAGIC:
        return None
    family: int = UF2_BLOCK.unpack_from(head)[7]
    return family


# -- trust


def _check_hash(board: Board, file: Path, say: Say) -> None:
    """Raises BadHashError."""
    found = _sha256(file)
    expected = board.sha256 or _known().get(file.name)
    if expected is None:
        _trust(file.name, found)
        say(f"warning: nobody has vouched for {file.name}; it is trusted from now on as sha256 {found}")
    elif found != expected:
        raise BadHashError(f"{file.name} is not what it was: expected sha256 {expected}, got {found}; it was thrown "
                           f"away. If you know better, give your own file with --image")


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _known() -> dict[str, str]:
    """Hashes trusted before. Raises ImageError when their file is damaged: forgetting them would trust anything."""
    path = data_dir() / KNOWN
    try:
        hashes: dict[str, str] = json.loads(path.read_text())
        return dict(hashes)
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError):
        raise ImageError(f"{path} cannot be read any more; delete it to trust images anew") from None


def _trust(name: str, found: str) -> None:
    write_whole(data_dir() / KNOWN, json.dumps({**_known(), name: found}, indent=1).encode())


# -- download


def _download(address: str, progress: Progress) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": f"micrOSDevToolKit/{VERSION}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            _same_safety(address, response.geturl())
            return _received(response, int(response.headers.get("Content-Length") or 0), progress)
    except (OSError, HTTPException, ValueError) as error:      # URLError is an OSError
        raise ImageError(f"{address} cannot be downloaded: {_reason(error)}; get it with a browser and give it "
                         f"with --image FILE") from None


def _same_safety(asked: str, given: str) -> None:
    if asked.startswith("https:") and not given.startswith("https:"):
        raise ValueError(f"it was sent on to {given}, which is not encrypted")


def _received(response: IO[bytes], length: int, progress: Progress) -> bytes:
    """length: 0 = not known. Raises ValueError when it is too large or breaks off."""
    data = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        data += chunk
        progress(len(data), length)
        if len(data) > MOST_BYTES:
            raise ValueError(f"over {MOST_BYTES >> 20} MiB, which is no firmware")
    if length and len(data) != length:
        raise ValueError(f"it broke off after {len(data)} of {length} bytes")
    return bytes(data)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server says {error.code} {error.reason}"
    return str(error.reason if isinstance(error, urllib.error.URLError) else error)
