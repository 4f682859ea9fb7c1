"""Firmware images: a small one for tests, and whether a chip would start what is in its flash.

    esp32    e9 | segments 1 | mode 1 | size, Hz 1 | entry 4 | wp 1 | drive 3 | chip id 2 | revisions 5 | 4 | hashed 1
             per segment  address 4 | length 4 | data       then  0 ... | checksum 1, 16 n bytes so far | SHA-256 32
    rp2040   252 bytes of second-stage boot code | CRC-32 4 | program; travels as UF2 blocks of 512 bytes

Sources: ESP-IDF "Firmware Image Format"; RP2040 datasheet 2.8.1.3 (boot2 and its CRC); the UF2 file format.
"""
import hashlib
import struct
from collections.abc import Callable, Iterator
from functools import reduce
from operator import xor

from toolkit.simulator.boards import board_kind
from toolkit.simulator.espressif import CHIPS, EspChip

ESP_MAGIC, MAX_SEGMENTS, HEADER_BYTES = 0xE9, 16, 24
CHECKSUM_SEED = 0xEF
UF2_MAGIC = (0x0A324655, 0x9E5D5157)
UF2_END = 0x0AB16F30
UF2_BLOCK_BYTES, UF2_PAYLOAD_BYTES = 512, 256
FAMILY_PRESENT, NOT_FLASH = 0x2000, 0x1
RP2040, RP2350 = 0xE48BFF56, 0xE48BFF59        # family ids: uf2families.json of the UF2 project
FAMILIES = {"rp2040": RP2040}                  # by BoardKind.chip
XIP_BASE = 0x10000000          # where the RP2040 sees its flash
BOOT2_BYTES = 256
IMAGE_BYTES = 24 * 1024

Read = Callable[[int, int], bytes]             # (offset, size)


def image(board: str = "esp32", size: int = IMAGE_BYTES) -> bytes:
    """What a test takes for the MicroPython image of a board, e.g. "esp32c3". size: of its program, in bytes.

    esptool accepts it, and a virtual board starts with it; rp2: a whole UF2 file. Raises SimulatorError for no board.
    """
    chip = board_kind(board).chip
    return esp_image(CHIPS[chip], _program(size)) if chip in CHIPS else uf2(rp2_image(_program(size)), FAMILIES[chip])


def _program(size: int) -> bytes:
    """The same bytes every time, and hardly to be compressed, so that a short image takes several blocks."""
    blocks = (hashlib.sha256(number.to_bytes(4)).digest() for number in range(size // 32 + 1))
    return b"".join((b"micrOS virtual board firmware\0\0\0", *blocks))[:size]


# -- Espressif


def esp_image(chip: EspChip, program: bytes) -> bytes:
    """program: 4 n bytes"""
    head = struct.pack("<BBBBI B3x HBHH4xB", ESP_MAGIC, 1, 2, 0x20, chip.code, 0xEE, chip.image_id, 0, 0, 0xFFFF, 1)
    body = head + struct.pack("<II", chip.ram, len(program)) + program
    body += bytes(15 - len(body) % 16) + bytes((checksum(program),))
    return body + hashlib.sha256(body).digest()


def checksum(data: bytes, seed: int = CHECKSUM_SEED) -> int:
    """Of a segment, and of the loader's packets."""
    return reduce(xor, data, seed)


def esp_complaint(chip: EspChip, read: Read) -> str:
    """What the chip prints instead of starting what is in its flash; "" when it starts."""
    at = chip.boot_at
    head = read(at, HEADER_BYTES)
    if head[0] != ESP_MAGIC or not 1 <= head[1] <= MAX_SEGMENTS:
        return f"invalid header: 0x{int.from_bytes(head[:4], 'little'):08x}"
    end, found = at + HEADER_BYTES, CHECKSUM_SEED
    try:
        for _ in range(head[1]):
            length = int.from_bytes(read(end + 4, 4), "little")
            found = checksum(read(end + 8, length), found)
            end += 8 + length
        end += 16 - (end - at) % 16
        told = read(end - 1, 1)[0]
        is_whole = not head[23] or hashlib.sha256(read(at, end - at)).digest() == read(end, 32)
    except ValueError:         # a length that leads out of the flash
        return "invalid segment length 0xffffffff"
    if told != found:
        return f"csum err:0x{found:02x}!=0x{told:02x}"
    return "" if is_whole else "E (31) esp_image: Image hash failed - image is corrupt"


# -- RP2


def rp2_image(program: bytes) -> bytes:
    boot2 = b"second stage".ljust(BOOT2_BYTES - 4, b"\0")
    return boot2 + _boot2_crc(boot2).to_bytes(4, "little") + program


def rp2_starts(read: Read) -> bool:
    """The boot ROM starts what has a second stage with a good checksum, and is a USB drive otherwise."""
    boot2 = read(0, BOOT2_BYTES)
    return _boot2_crc(boot2[:-4]) == int.from_bytes(boot2[-4:], "little")


def _boot2_crc(data: bytes) -> int:
    """CRC-32 of polynomial 0x04c11db7, most significant bit first, begun with ones, not inverted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def uf2(data: bytes, family: int, address: int = XIP_BASE) -> bytes:
    """data as a UF2 file. A block: magic 8 | flags 4 | address 4 | size 4 | number 4 | of 4 | family 4 | 476 | end 4"""
    pieces = [data[at:at + UF2_PAYLOAD_BYTES] for at in range(0, len(data), UF2_PAYLOAD_BYTES)]
    return b"".join(
        struct.pack("<8I476sI", *UF2_MAGIC, FAMILY_PRESENT, address + number * UF2_PAYLOAD_BYTES, UF2_PAYLOAD_BYTES,
                    number, len(pieces), family, piece.ljust(UF2_PAYLOAD_BYTES, b"\0"), UF2_END)
        for number, piece in enumerate(pieces))


def uf2_blocks(data: bytes, family: int) -> Iterator[tuple[int, int, bytes]]:
    """(how many there are, offset in flash, payload) of the blocks that this family takes; others are skipped."""
    for at in range(0, len(data) - UF2_BLOCK_BYTES + 1, UF2_BLOCK_BYTES):
        first, second, flags, address, size, _number, count, told, content, end = struct.unpack_from(
            "<8I476sI", data, at)
        is_ours = flags & FAMILY_PRESENT and not flags & NOT_FLASH and told == family
        if (first, second, end) == (*UF2_MAGIC, UF2_END) and is_ours and size <= len(content) and address >= XIP_BASE:
            yield count, address - XIP_BASE, content[:size]
