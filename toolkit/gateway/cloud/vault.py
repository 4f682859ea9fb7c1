"""Where the cloud side keeps what it must not forget: the engine; with --engine off one file of this gateway.

Both have the same methods. With the engine several gateways share the things; the file is for one gateway alone.
"""
from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from toolkit.gateway.engine import IS_OFF, ConflictError, Engine, EngineFullError, Entry, Store
from toolkit.gateway.errors import UnavailableError

FILE = "cloud.db"
FORGET_S = 60.0                # between two looks for what is too old
PIECE = 1000
_TABLES = """
create table if not exists kept (number integer primary key autoincrement, store text, key text, value blob,
                                 at real, ident text);
create index if not exists kept_key on kept (store, key, number);
create index if not exists kept_ident on kept (store, ident) where ident is not null;
"""

Made = TypeVar("Made")


class Vault(Protocol):
    """Tables and logs by store and key; see Engine."""

    def declare(self, *stores: Store) -> None: ...
    async def get(self, store: Store, key: str) -> Entry | None: ...
    async def put(self, store: Store, key: str, value: bytes, message_id: str = "") -> int: ...
    async def swap(self, store: Store, key: str, value: bytes, revision: int) -> int: ...
    async def remove(self, store: Store, key: str) -> None: ...
    async def keys(self, store: Store, pattern: str = ">") -> list[str]: ...
    def scan(self, store: Store, key: str, since: float = 0) -> AsyncIterator[Entry]: ...


class FileVault:
    """An SQLite file. What a method has returned from is on the disk."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._stores: dict[str, Store] = {}
        self._sizes: dict[str, int] = {}
        self._forgot_at = 0.0
        self._base: sqlite3.Connection | None = None
        self._hand: ThreadPoolExecutor | None = None           # one thread: SQLite wants it so, and writes are in order

    def declare(self, *stores: Store) -> None:
        self._stores.update({store.name: store for store in stores})

    async def start(self) -> None:
        """Raises UnavailableError when the file cannot be had."""
        self._hand = ThreadPoolExecutor(1, "vault")
        await self._do(self._open)

    async def stop(self) -> None:
        hand, self._hand = self._hand, None
        if hand:
            await asyncio.get_running_loop().run_in_executor(hand, self._close)
            hand.shutdown()

    async def get(self, store: Store, key: str) -> Entry | None:
        return await self._do(self._get, store, key)

    async def put(self, store: Store, key: str, value: bytes, message_id: str = "") -> int:
        return await self._do(self._put, store, key, value, message_id or None)

    async def swap(self, store: Store, key: str, value: bytes, revision: int) -> int:
        return await self._do(self._swap, store, key, value, revision)

    async def remove(self, store: Store, key: str) -> None:
        await self._do(self._remove, store, key)

    async def keys(self, store: Store, pattern: str = ">") -> list[str]:
        return await self._do(self._keys, store, pattern)

    async def scan(self, store: Store, key: str, since: float = 0) -> AsyncIterator[Entry]:
        number = 0
        while rows := await self._do(self._page, store, key, since, number):
            for entry in rows:
                number = entry.revision
                yield entry

    async def _do(self, work: Callable[..., Made], *words: Any) -> Made:
        if self._hand is None:
            raise UnavailableError("the gateway is stopping")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hand, functools.partial(work, *words))
        except sqlite3.Error as error:
            raise UnavailableError(f"the cloud's file {self._path} cannot be used: {error}") from None

    # -- in the thread
    @property
    def _db(self) -> sqlite3.Connection:
        assert self._base
        return self._base

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(0o600)
        except OSError as error:
            raise UnavailableError(f"the cloud's file {self._path} cannot be had: {error.strerror}") from None
        self._base = sqlite3.connect(self._path, timeout=5)
        self._db.executescript("pragma journal_mode=wal; pragma synchronous=full;" + _TABLES)
        self._sizes = dict(self._db.execute("select store, sum(length(value)) from kept group by store"))

    def _close(self) -> None:
        if self._base:
            self._base.close()

    def _get(self, store: Store, key: str) -> Entry | None:
        row = self._db.execute("select value, number from kept where store=? and key=? and at>? order by number desc",
                               (store.name, key, self._oldest(store))).fetchone()
        return Entry(key, row[0], row[1]) if row else None

    def _put(self, store: Store, key: str, value: bytes, ident: str | None) -> int:
        if ident:
            known = self._db.execute("select number from kept where store=? and ident=?",
                                     (store.name, ident)).fetchone()
            if known:
                return int(known[0])
        self._make_room(store, len(value))
        with self._db:
            made = self._db.execute("insert into kept (store, key, value, at, ident) values (?,?,?,?,?)",
                                    (store.name, key, value, self._clock(), ident))
            self._count(store, len(value))
            most = store.per_key if store.per_key > 0 else -1
            if most > 0:
                self._drop("store=? and key=? and number not in (select number from kept where store=? and key=? "
                           "order by number desc limit ?)", store, store.name, key, store.name, key, most)
        return int(made.lastrowid or 0)

    def _swap(self, store: Store, key: str, value: bytes, revision: int) -> int:
        last = self._get(store, key)
        if (last.revision if last else 0) != revision:
            raise ConflictError
        return self._put(store, key, value, None)

    def _remove(self, store: Store, pattern: str) -> None:
        with self._db:
            if "*" not in pattern and not pattern.endswith(">"):
                self._drop("store=? and key=?", store, store.name, pattern)
                return
            for key in self._keys(store, pattern, 0.0):
                self._drop("store=? and key=?", store, store.name, key)

    def _keys(self, store: Store, pattern: str, oldest: float | None = None) -> list[str]:
        start = re.split(r"[*>]", pattern)[0]
        rows = self._db.execute("select distinct key from kept where store=? and key>=? and key<? and at>? "
                                "order by key", (store.name, start, start + "\U0010ffff",
                                 self._oldest(store) if oldest is None else oldest))
        fits = _fits(pattern)
        return [row[0] for row in rows if fits.fullmatch(row[0])]

    def _page(self, store: Store, key: str, since: float, number: int) -> list[Entry]:
        glob = key.removesuffix(">") + "*" if key.endswith(">") else key
        rows = self._db.execute("select key, value, number from kept where store=? and key glob ? and number>? "
                                "and at>=? and at>? order by number limit ?",
                                (store.name, glob, number, since, self._oldest(store), PIECE))
        return [Entry(*row) for row in rows]

    def _oldest(self, store: Store) -> float:
        return self._clock() - store.max_age_s if store.max_age_s else -1.0

    def _make_room(self, store: Store, more: int) -> None:
        """Raises EngineFullError for a table that is full; a log forgets its oldest."""
        if self._clock() - self._forgot_at > FORGET_S:
            self._forgot_at = self._clock()
            with self._db:
                for each in self._stores.values():
                    if each.max_age_s:
                        self._drop("store=? and at<=?", each, each.name, self._oldest(each))
        if self._sizes.get(store.name, 0) + more <= store.max_bytes:
            return
        if not store.is_log:
            raise EngineFullError(f"the cloud's store {store.name} is full: remove what is not needed")
        with self._db:
            while self._sizes.get(store.name, 0) + more > store.max_bytes:
                dropped = self._drop("number in (select number from kept where store=? order by number limit 100)",
                                     store, store.name)
                if not dropped:
                    break

    def _drop(self, where: str, store: Store, *words: Any) -> int:
        found = self._db.execute(f"select count(*), coalesce(sum(length(value)),0) from kept where {where}", words)
        count, size = found.fetchone()
        if count:
            self._db.execute(f"delete from kept where {where}", words)
            self._count(store, -size)
        return int(count)

    def _count(self, store: Store, more: int) -> None:
        self._sizes[store.name] = self._sizes.get(store.name, 0) + more


@functools.lru_cache(256)
def _fits(pattern: str) -> re.Pattern[str]:
    """A pattern of NATS: `*` is one word between dots, `>` all that follow."""
    words = [{"*": "[^.]+", ">": ".+"}.get(word, re.escape(word)) for word in pattern.split(".")]
    return re.compile(r"\.".join(words))


@contextlib.asynccontextmanager
async def running(vault: FileVault | Engine) -> AsyncIterator[FileVault | Engine]:
    """For a program that has no gateway, as a test."""
    await vault.start()
    try:
        yield vault
    finally:
        await vault.stop()


def chosen(engine: Any, folder: Path) -> FileVault | Engine:
    """The engine unless it is switched off or its library is missing."""
    if isinstance(engine, Engine) and engine.state != IS_OFF:
        return engine
    return FileVault(folder)


__all__ = ["ConflictError", "EngineFullError", "FileVault", "Store", "UnavailableError", "Vault", "chosen", "running"]
