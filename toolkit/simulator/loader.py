"""The serial loader in an Espressif chip's ROM, and the stub that esptool puts in its place: frames in, frames out.

    request   0 1 | command 1 | length 2 | checksum 4 | data
    answer    1 1 | command 1 | length 2 | value 4    | data | failed 1 | reason 1 | ROM only: 0 2

Each is a SLIP frame: c0 ... c0, inside of which db dc stands for c0, db dd for db.
The stub is not run: whatever is loaded into RAM and started answers as Espressif's stub does from then on.
Source: "Serial Protocol" of Espressif's esptool documentation, with the command numbers and the reasons below.
"""
import contextlib
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.simulator.espressif import EspChip
from toolkit.simulator.firmware import checksum
from toolkit.simulator.flashchip import SECTOR_BYTES, FlashChip

END, ESCAPE = b"\xc0", b"\xdb"
MAX_FRAME_BYTES = 2 * 64 * 1024
SYNC_DATA = b"\x07\x07\x12\x20" + 32 * b"\x55"
# the request with which every client begins, as it is on the wire
SYNC = END + struct.pack("<BBHI", 0, 0x08, len(SYNC_DATA), 0) + SYNC_DATA + END
SYNC_ANSWERS = 8
ROM_SYNC_VALUE = 0x20120707    # not 0: that is how a client tells the ROM from the stub
BAD_MESSAGE, FAILED, BAD_CHECKSUM, WRITE_ERROR, READ_ERROR, BAD_DEFLATE = 5, 6, 7, 8, 9, 0x0B
NOT_IN_STUB = 0xFF
SLOW_READ_BYTES = 64
IN_FLIGHT = 8                  # blocks of READ_FLASH sent ahead, at most: a client may ask for more than a pty holds
SPI_USER = 1 << 18             # in the first SPI register: go
WDT_ON = 1 << 31
RDID = 0x9F                    # the flash chip's command for its id
WINBOND = 0x40EF               # manufacturer and type

Command = Callable[[bytes, int], int | bytes]  # (data, checksum in the request's head) -> value or data of the answer


def framed(content: bytes) -> bytes:
    return END + content.replace(ESCAPE, b"\xdb\xdd").replace(END, b"\xdb\xdc") + END


class Frames:
    """Takes a stream apart. stray: bytes that came outside of any frame, which no client sends."""

    def __init__(self) -> None:
        self.stray = b""
        self._open: bytes | None = None

    def take(self, data: bytes) -> Iterator[bytes]:
        for number, piece in enumerate(data.split(END)):
            if number and self._open:
                yield self._open.replace(b"\xdb\xdc", END).replace(b"\xdb\xdd", ESCAPE)
                self._open = None
            elif number:
                self._open = b""
            if self._open is None:
                self.stray += piece
            else:
                self._open = (self._open + piece)[:MAX_FRAME_BYTES]


class LoaderFault(Exception):
    """Raised by a command that fails. reason: the byte of the answer"""

    def __init__(self, reason: int) -> None:
        super().__init__(f"reason {reason:#x}")
        self.reason = reason


@dataclass
class Writing:
    """Between BEGIN and END. blank_to: where what was erased for it ends; inflate: of the DEFL commands"""

    at: int
    end: int
    block: int
    blank_to: int
    inflate: Any = None
    next_number: int = 0


@dataclass
class Reading:
    """A READ_FLASH under way. sent, end: offsets"""

    start: int
    sent: int
    end: int
    block: int
    digest: bytes


class Loader:
    """One chip's loader: bytes in, bytes out, and now and then a way out of it."""

    def __init__(self, chip: EspChip, flash: FlashChip, mac: bytes) -> None:
        self._chip = chip
        self._flash = flash
        self._mac = mac
        rom: dict[int, Command] = {
            0x02: self._flash_begin, 0x03: self._flash_data, 0x04: self._end, 0x05: self._mem_begin,
            0x06: self._mem_end, 0x07: self._mem_data, 0x09: self._write_registers, 0x0A: self._read_register,
            0x0B: self._accept, 0x0D: self._accept, 0x0F: self._accept,      # SPI_SET_PARAMS, _ATTACH, CHANGE_BAUDRATE
            0x10: self._deflate_begin, 0x11: self._deflate_data, 0x12: self._end, 0x13: self._md5}
        if chip.security_bytes:
            rom[0x14] = self._security
        self._commands: dict[bool, dict[int, Command]] = {
            False: rom | {0x0E: self._read_slowly},
            True: rom | {0xD0: self._erase_chip, 0xD1: self._erase_region, 0xD2: self._read_begin, 0xD3: self._run}}
        self.restart()

    def restart(self) -> None:
        """The chip comes out of reset, into its ROM."""
        self.is_stub = False
        self._way_out = ""
        self._frames = Frames()
        self._registers = self._chip.registers(self._mac)
        self._has_program = False
        self._writing: Writing | None = None
        self._reading: Reading | None = None

    def feed(self, data: bytes) -> bytes:
        """What it says to these bytes."""
        return b"".join(self._request(frame) for frame in self._frames.take(data))

    def take_way_out(self) -> str:
        """What has been asked for since the last time: "run" the firmware, "wdt" the watchdog is on, "" neither."""
        way_out, self._way_out = self._way_out, ""
        return way_out

    def take_stray(self) -> bytes:
        """Bytes that came outside of frames since the last time."""
        stray, self._frames.stray = self._frames.stray, b""
        return stray

    # -- frames
    def _request(self, frame: bytes) -> bytes:
        if self._reading:
            return self._acknowledged(frame)
        if len(frame) < 8 or frame[0] != 0:
            return b""
        _, command, length, told = struct.unpack_from("<BBHI", frame)
        if command == 0x08:
            return self._answer(command, 0 if self.is_stub else ROM_SYNC_VALUE) * SYNC_ANSWERS
        was_stub = self.is_stub
        try:
            if length != len(frame) - 8:
                raise LoaderFault(BAD_MESSAGE)
            result = self._do(command, frame[8:], told)
        except LoaderFault as fault:
            return self._answer(command, reason=fault.reason)
        value, data = (0, result) if isinstance(result, bytes) else (result, b"")
        return self._answer(command, value, data, stub=was_stub) + self._what_follows(was_stub)

    def _do(self, command: int, data: bytes, told: int) -> int | bytes:
        known = self._commands[self.is_stub]
        if command not in known:
            raise LoaderFault(NOT_IN_STUB if self.is_stub else BAD_MESSAGE)
        try:
            return known[command](data, told)
        except struct.error:
            raise LoaderFault(BAD_MESSAGE) from None
        except ValueError:         # out of the flash
            raise LoaderFault(WRITE_ERROR) from None

    def _answer(self, command: int, value: int = 0, data: bytes = b"", reason: int = 0,
                stub: bool | None = None) -> bytes:
        is_stub = self.is_stub if stub is None else stub
        data += bytes((bool(reason), reason)) + bytes(0 if is_stub else 2)
        return framed(struct.pack("<BBHI", 1, command, len(data), value) + data)

    def _what_follows(self, was_stub: bool) -> bytes:
        if self.is_stub and not was_stub:
            return framed(b"OHAI")
        return self._more(IN_FLIGHT) if self._reading else b""

    # -- small commands
    def _accept(self, _data: bytes, _told: int) -> int:
        return 0

    def _security(self, _data: bytes, _told: int) -> bytes:
        return self._chip.security()

    def _run(self, _data: bytes, _told: int) -> int:
        self._way_out = "run"
        return 0

    def _read_register(self, data: bytes, _told: int) -> int:
        address, = struct.unpack_from("<I", data)
        return self._registers.get(address, 0)

    def _write_registers(self, data: bytes, _told: int) -> int:
        for address, value, mask, _delay_us in struct.iter_unpack("<4I", data):
            if address == self._chip.spi.base and value & SPI_USER:
                self._ask_flash_chip()
                value &= ~SPI_USER
            if address == self._chip.wdt and value & WDT_ON:
                self._way_out = "wdt"
            self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
        return 0

    def _ask_flash_chip(self) -> None:
        """It knows its id; its status registers, and all else, are 0."""
        spi = self._chip.spi
        is_id = self._registers.get(spi.base + spi.command, 0) & 0xFF == RDID
        self._registers[spi.base + spi.data] = WINBOND | (self._flash.size.bit_length() - 1) << 16 if is_id else 0

    # -- RAM
    def _mem_begin(self, data: bytes, _told: int) -> int:
        struct.unpack_from("<4I", data)
        return 0

    def _mem_data(self, data: bytes, told: int) -> int:
        _content(data, told)
        self._has_program = True
        return 0

    def _mem_end(self, data: bytes, _told: int) -> int:
        stays, _entry = struct.unpack_from("<II", data)
        if not stays:
            self.is_stub = self._has_program
        return 0

    # -- flash
    def _flash_begin(self, data: bytes, _told: int) -> int:
        size, _blocks, block, at = struct.unpack_from("<4I", data)
        self._begin(Writing(at, at + size, block, at))
        return 0

    def _deflate_begin(self, data: bytes, _told: int) -> int:
        size, _blocks, block, at = struct.unpack_from("<4I", data)
        self._begin(Writing(at, at + size, block, at, zlib.decompressobj()))
        return 0

    def _begin(self, writing: Writing) -> None:
        self._flash.read(writing.at, writing.end - writing.at)     # all of it must be there
        self._writing = writing
        if not self.is_stub:       # the stub erases as it goes
            self._blank(writing, writing.end)

    def _blank(self, writing: Writing, end: int) -> None:
        if end > writing.blank_to:
            self._flash.erase(writing.blank_to, end - writing.blank_to)
            writing.blank_to = -(-end // SECTOR_BYTES) * SECTOR_BYTES

    def _flash_data(self, data: bytes, told: int) -> int:
        writing, content = self._block(data, told)
        self._write(writing, content[:writing.end - writing.at])       # clients fill up the last block
        return 0

    def _deflate_data(self, data: bytes, told: int) -> int:
        writing, content = self._block(data, told)
        room = writing.end - writing.at
        try:
            content = writing.inflate.decompress(content, room + 1)
        except (zlib.error, AttributeError):       # AttributeError: after FLASH_BEGIN
            raise LoaderFault(BAD_DEFLATE) from None
        if len(content) > room:
            raise LoaderFault(BAD_DEFLATE)
        self._write(writing, content)
        return 0

    def _block(self, data: bytes, told: int) -> tuple[Writing, bytes]:
        content = _content(data, told)
        writing, number = self._writing, int.from_bytes(data[4:8], "little")
        if not writing or number != writing.next_number:
            raise LoaderFault(FAILED)
        writing.next_number += 1
        return writing, content

    def _write(self, writing: Writing, content: bytes) -> None:
        end = writing.at + len(content)
        self._blank(writing, end)
        self._flash.program(writing.at, content)
        writing.at = end

    def _end(self, data: bytes, _told: int) -> int:
        """FLASH_END. A reboot finds the level of IO0 latched, and so the loader again; running does not look at it."""
        stays, = struct.unpack_from("<I", data)
        if not stays:
            self.restart()
        elif not self.is_stub:
            self._way_out = "run"
        return 0

    def _md5(self, data: bytes, _told: int) -> bytes:
        at, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self._flash.read(at, size))           # the protocol's, guards against errors only
        return digest.digest() if self.is_stub else digest.hexdigest().encode()

    def _erase_chip(self, _data: bytes, _told: int) -> int:
        self._flash.erase(0, self._flash.size)
        return 0

    def _erase_region(self, data: bytes, _told: int) -> int:
        self._flash.erase(*struct.unpack_from("<II", data))
        return 0

    # -- reading it back
    def _read_slowly(self, data: bytes, _told: int) -> bytes:
        at, size = struct.unpack_from("<II", data)
        return self._flash.read(at, min(size, SLOW_READ_BYTES)).ljust(SLOW_READ_BYTES, b"\0")

    def _read_begin(self, data: bytes, _told: int) -> int:
        at, size, block, _in_flight = struct.unpack_from("<4I", data)
        if not block:
            raise LoaderFault(READ_ERROR)
        self._reading = Reading(at, at, at + size, block, hashlib.md5(self._flash.read(at, size)).digest())
        return 0

    def _acknowledged(self, frame: bytes) -> bytes:
        """frame: how many bytes have come so far. After the last ones the digest goes out."""
        assert self._reading
        with contextlib.suppress(struct.error):
            count, = struct.unpack("<I", frame)
            if count < self._reading.end - self._reading.start:
                return self._more(1)
        digest, self._reading = self._reading.digest, None
        return framed(digest)

    def _more(self, blocks: int) -> bytes:
        reading, frames = self._reading, b""
        assert reading
        for _ in range(blocks):
            size = min(reading.block, reading.end - reading.sent)
            if size:
                frames += framed(self._flash.read(reading.sent, size))
                reading.sent += size
        return frames


def _content(data: bytes, told: int) -> bytes:
    """Of a DATA command:  length 4 | number 4 | 0 8 | content. The checksum is in the request's head."""
    length, _number = struct.unpack_from("<II", data)
    content = data[16:]
    if length != len(content):
        raise LoaderFault(BAD_MESSAGE)
    if checksum(content) != told & 0xFF:
        raise LoaderFault(BAD_CHECKSUM)
    return content
