"""A picture of a display as a PNG file."""
import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DARK, LIT = (8, 12, 20), (150, 220, 255)


def png(rows: Sequence[str], scale: int = 4) -> bytes:
    """rows: lines of equal length, `#` is lit. scale: pixels of the picture for one of the display, in each direction.

    Source: PNG specification (W3C), 11.2: header, palette, data.
    """
    width, height = len(rows[0]) * scale, len(rows) * scale
    lines = b"".join((b"\0" + bytes(sign == "#" for sign in row for _ in range(scale))) * scale for row in rows)
    return (SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
            + _chunk(b"PLTE", bytes(DARK + LIT)) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
