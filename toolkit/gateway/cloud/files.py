"""Files of things and files for all: kept in pieces, fetched and brought over HTTP by ids that end after 300 s.

An id is good for several requests, so that a broken download goes on; that it is known is all that is asked. A file
takes its name when the whole of it is kept and its CRC-32 is right; until then, and for those who are just reading,
the one before stands.
"""
from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from toolkit.errors import UsageError
from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.gateway.cloud.vault import Store, Vault
from toolkit.gateway.engine import MIB, escaped
from toolkit.gateway.errors import QueueFullError, UnavailableError, UnknownThingError

FILES = Store("cloud_files", 256 * MIB)        # own.<thing>.<name>, shared.<name>: a File; blob.<id>: a time;
#                                                body.<id>.<number>: bytes
PIECE_BYTES = 128 * 1024
NAME_BYTES = 128
MOST_IDS = 400                 # that a thing gets while one is valid: all things share their room
LOADING_S = 3600.0             # an upload that is not done after so long is not done any more
SWEEP_S = 300.0

log = logging.getLogger(__name__)


class BrokenFileError(UsageError):
    """Raised for a body that is not what was announced. Nothing of it is kept."""


class TooLargeError(UsageError):
    """Raised for a file over its bounds."""


@dataclass(frozen=True)
class File:
    """owner: key of its thing, None for one of all."""

    name: str
    owner: str | None
    blob: str
    size: int
    crc32: int
    sha256: str
    by: str = ""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Ticket:
    """What an id stands for. blob, size: of a file to be fetched; crc32: None when nothing was announced."""

    is_put: bool
    name: str
    owner: str | None
    until: float
    by: str = ""
    blob: str = ""
    size: int = 0
    crc32: int | None = None
    most: int = 0


class Files:
    """The stores of files, kept in a vault. clock: seconds since 1970"""

    def __init__(self, vault: Vault, settings: CloudSettings, clock: Callable[[], float] = time.time) -> None:
        self._vault, self._clock = vault, clock
        self._valid_s = settings.file_s
        self._most_bytes = settings.most_file_bytes
        self._gate = settings.most_transfers
        self._tickets = Store("cloud_tickets", 4 * MIB, settings.file_s)
        self._chore: asyncio.Task[None] | None = None
        self._given: Counter[str] = Counter()        # ids that things got since:
        self._given_since = 0.0
        vault.declare(FILES, self._tickets)

    async def start(self) -> None:
        self._chore = asyncio.create_task(self._sweeping(), name="files")

    async def stop(self) -> None:
        if self._chore:
            self._chore.cancel()
            await asyncio.gather(self._chore, return_exceptions=True)

    # -- ids
    def count(self, thing: str) -> None:
        """A thing wants an id. Raises QueueFullError when it had too many of late."""
        if time.monotonic() - self._given_since > self._valid_s:
            self._given.clear()
            self._given_since = time.monotonic()
        if self._given[thing] >= MOST_IDS:
            raise QueueFullError(f"{thing} got {MOST_IDS} ids of files in {self._valid_s:g} s: ask again later")
        self._given[thing] += 1

    async def bring(self, owner: str | None, name: str, crc32: int | None, by: str, files: int, most: int) -> str:
        """An id to bring a file with. files, most: how many files and bytes the owner may have.

        Raises UsageError, QueueFullError, UnavailableError.
        """
        checked_name(name)
        if crc32 is not None and (isinstance(crc32, bool) or not isinstance(crc32, int) or not 0 <= crc32 < 1 << 32):
            raise UsageError("a crc32 is a whole number of 32 bits")
        there = {file.name: file for file in await self.all(owner)}
        if name not in there and len(there) >= files:
            raise QueueFullError(f"{owner or 'the shared store'} has {len(there)} files already, its limit is {files}")
        left = most - sum(file.size for file in there.values() if file.name != name)
        if left <= 0:
            raise QueueFullError(f"the files of {owner or 'the shared store'} take all of its {most} bytes")
        return await self._made(Ticket(True, name, owner, self._clock() + self._valid_s, by, crc32=crc32,
                                       most=min(left, self._most_bytes)))

    async def fetch(self, owner: str | None, name: str) -> tuple[str, File]:
        """(an id to fetch a file with, the file). Raises UnknownThingError."""
        file = await self.get(owner, name)
        ticket = Ticket(False, name, owner, self._clock() + self._valid_s, "", file.blob, file.size, file.crc32)
        return await self._made(ticket), file

    async def ticket(self, ident: str, is_put: bool) -> Ticket | None:
        """None for an id that is unknown, over, or for the other way."""
        entry = await self._vault.get(self._tickets, _hash(ident)) if 0 < len(ident) <= 64 else None
        ticket = Ticket(**json.loads(entry.value)) if entry else None
        return ticket if ticket and ticket.is_put == is_put and ticket.until > self._clock() else None

    # -- bytes
    async def take(self, ticket: Ticket, body: AsyncIterable[bytes]) -> File:
        """Keep what comes; when this returns it is kept. Raises BrokenFileError, TooLargeError, UnavailableError."""
        if self._gate <= 0:
            raise UnavailableError("too many files are under way: try again")
        self._gate -= 1
        blob = secrets.token_hex(12)
        try:
            await self._vault.put(FILES, f"blob.{blob}", json.dumps(time.time()).encode())
            size, crc, digest = await self._kept(blob, ticket.most, body)
            if ticket.crc32 not in (None, crc):
                raise BrokenFileError(f"{ticket.name}: CRC-32 {ticket.crc32} was announced, {size} bytes of {crc} came")
            file = File(ticket.name, ticket.owner, blob, size, crc, digest, ticket.by)
            before = await self._vault.get(FILES, _key(ticket.owner, ticket.name))
            await self._vault.put(FILES, _key(file.owner, file.name), json.dumps(asdict(file)).encode())
        except BaseException:
            await asyncio.shield(self._dropped(blob))
            raise
        finally:
            self._gate += 1
        if before:
            await self._retired(json.loads(before.value)["blob"])
        return file

    async def read(self, blob: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes start to end (not with it). Raises UnavailableError when some are gone."""
        for number in range(start // PIECE_BYTES, -(-end // PIECE_BYTES) if end > start else 0):
            entry = await self._vault.get(FILES, f"body.{blob}.{number}")
            if entry is None:
                raise UnavailableError("the file is there no more")
            base = number * PIECE_BYTES
            yield entry.value[max(0, start - base):end - base]

    # -- names
    async def get(self, owner: str | None, name: str) -> File:
        """Raises UnknownThingError, UsageError."""
        entry = await self._vault.get(FILES, _key(owner, checked_name(name)))
        if entry is None:
            raise UnknownThingError(f"there is no file {name!r} {f'of {owner}' if owner else 'for all things'}")
        return File(**json.loads(entry.value))

    async def all(self, owner: str | None) -> list[File]:
        keys = await self._vault.keys(FILES, _key(owner, "*"))
        found = await asyncio.gather(*(self._vault.get(FILES, key) for key in keys))
        return sorted((File(**json.loads(entry.value)) for entry in found if entry), key=lambda file: file.name)

    async def remove(self, owner: str | None, name: str) -> None:
        """Raises UnknownThingError."""
        file = await self.get(owner, name)
        await self._vault.remove(FILES, _key(owner, name))
        await self._retired(file.blob)

    async def forget(self, owner: str) -> None:
        for file in await self.all(owner):
            await self.remove(owner, file.name)

    # -- within
    async def _made(self, ticket: Ticket) -> str:
        ident = secrets.token_hex(16)
        await self._vault.put(self._tickets, _hash(ident), json.dumps(asdict(ticket)).encode())
        return ident

    async def _kept(self, blob: str, most: int, body: AsyncIterable[bytes]) -> tuple[int, int, str]:
        """(size, CRC-32, SHA-256)"""
        size = crc = number = 0
        digest, rest = hashlib.sha256(), bytearray()
        async for data in body:
            size, crc = size + len(data), zlib.crc32(data, crc)
            if size > most:
                raise TooLargeError(f"there is room for {most} bytes, and more came")
            digest.update(data)
            rest += data
            while len(rest) >= PIECE_BYTES:
                await self._vault.put(FILES, f"body.{blob}.{number}", bytes(rest[:PIECE_BYTES]))
                del rest[:PIECE_BYTES]
                number += 1
        if rest:
            await self._vault.put(FILES, f"body.{blob}.{number}", bytes(rest))
        return size, crc, digest.hexdigest()

    async def _retired(self, blob: str) -> None:
        """Nobody gets it any more, and who is reading it may go on as long as ids last: then the sweep takes it."""
        await self._vault.put(FILES, f"blob.{blob}", json.dumps(time.time() - LOADING_S + 2 * self._valid_s).encode())

    async def _dropped(self, blob: str) -> None:
        try:
            await self._vault.remove(FILES, f"body.{blob}.>")
            await self._vault.remove(FILES, f"blob.{blob}")
        except UnavailableError:
            log.debug("a blob is left to the sweep")

    async def _sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
            except UnavailableError as error:
                log.debug("the sweep of the files waits: %s", error)
            except Exception:            # outer wall: the next sweep may fare better
                log.exception("the sweep of the files failed")
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Remove bodies without a name: of uploads that a kill has ended, and of files that were replaced."""
        blobs = await self._vault.keys(FILES, "blob.*")
        used = set()
        for key in [*await self._vault.keys(FILES, "own.*.*"), *await self._vault.keys(FILES, "shared.*")]:
            entry = await self._vault.get(FILES, key)
            used.add(json.loads(entry.value)["blob"] if entry else "")
        for key in blobs:
            entry = await self._vault.get(FILES, key)
            blob = key.partition(".")[2]
            if entry and blob not in used and json.loads(entry.value) < time.time() - LOADING_S:
                await self._dropped(blob)


def checked_name(name: Any) -> str:
    """Raises UsageError."""
    is_fine = isinstance(name, str) and name.isprintable() and 0 < len(name.encode("utf-8", "replace")) <= NAME_BYTES
    if not is_fine or name in (".", ".."):
        raise UsageError(f"a file has a name of 1-{NAME_BYTES} bytes without control characters")
    return str(name)


def ranged(header: str, size: int) -> tuple[int, int] | None:
    """(start, end) of a header Range with one range of bytes; None: all of it. Raises ValueError: none of it is there.

    Source: RFC 9110, section 14.1.2; what is not understood is ignored.
    """
    unit, _, text = header.partition("=")
    first, dash, last = text.strip().partition("-")
    if unit.strip() != "bytes" or not dash or "," in text or not (first + last).isascii() \
            or not (first + last).isdigit() or len(first + last) > 30:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= size or end <= start:
        raise ValueError(header)
    return start, end


def _key(owner: str | None, name: str) -> str:
    word = name if name == "*" else escaped(name)
    return f"shared.{word}" if owner is None else f"own.{escaped(owner)}.{word}"


def _hash(ident: str) -> str:
    return hashlib.sha256(ident.encode("utf-8", "replace")).hexdigest()


__all__ = ["FILES", "BrokenFileError", "File", "Files", "Ticket", "TooLargeError", "checked_name", "ranged"]
