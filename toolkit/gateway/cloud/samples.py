"""What things tell: a log of all samples, and the last one of each name."""
from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from micrOS.source.pure import tr50
from toolkit.gateway.cloud.vault import EngineFullError, Store, Vault
from toolkit.gateway.engine import MIB, escaped

DAY_S = 86_400
SAMPLES = Store("cloud_samples", 96 * MIB, 30 * DAY_S, is_log=True, per_key=100_000)     # <thing>: {kind, items, at}
LAST = Store("cloud_last", 48 * MIB)           # <thing>: {kind: {name: item}}
KINDS = ("property", "attribute", "alarm", "location", "log")
KEY_CHARS, VALUE_CHARS = 128, 16_384
RECORD_BYTES = 256 * 1024      # of the log; the engine takes 1 MiB
MOST_LAST_BYTES = 900 * 1024
AHEAD_S = 60.0                 # a clock that is further ahead than this has the time of ours
UNSET = 1_577_836_800.0        # 2020-01-01: so has one that shows less, it was never set

Item = dict[str, Any]

_FIELDS = {
    "property": ("key", "value", "ts", "corrId"), "attribute": ("key", "value", "ts", "republish"),
    "alarm": ("key", "state", "ts", "msg", "republish"), "log": ("msg", "ts"),
    "location": ("lat", "lng", "heading", "altitude", "speed", "fixAcc", "fixType", "ts", "corrId", "street", "city",
                 "streetNumber", "state", "zipCode", "country"),
}


class BadSampleError(ValueError):
    """Raised for an item that cannot be kept; those before it can."""


class Samples:
    """The log and the last values, kept in a vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lasts: dict[str, dict[str, dict[str, Item]]] = {}       # of things that are connected here
        vault.declare(SAMPLES, LAST)

    async def begin(self, thing: str) -> None:
        """A thing has come: what it told before is read once."""
        self._lasts[thing] = await self._read(thing)

    def end(self, thing: str) -> None:
        self._lasts.pop(thing, None)

    async def take(self, thing: str, kind: str, items: Sequence[Item], most_keys: int, ident: str) -> list[Item]:
        """Keep items in their order up to a bad one; when this returns they are kept. ident: of two requests with
        the same one only the first counts. Raises BadSampleError, when those before it are kept.
        """
        good, wrong = [], None
        lasts = self._lasts.get(thing)
        lasts = lasts if lasts is not None else await self._read(thing)
        known = lasts.setdefault(kind, {})
        names = set(known)
        for item in items:
            try:
                plain = _plain(kind, item)
                if kind != "log" and _name(kind, plain) not in names and len(names) >= most_keys:
                    raise BadSampleError(f"a thing has up to {most_keys} names of a kind, and this is a new one")
            except BadSampleError as error:
                wrong = error
                break
            names.add(_name(kind, plain))
            good.append(plain)
        if good:
            await self._write(thing, kind, good, lasts, ident)
        if wrong:
            raise wrong
        return good

    async def current(self, thing: str, kind: str, key: str) -> Item | None:
        return (await self.lasts(thing)).get(kind, {}).get(key)

    async def lasts(self, thing: str) -> dict[str, dict[str, Item]]:
        known = self._lasts.get(thing)
        return known if known is not None else await self._read(thing)

    async def told(self, thing: str, kind: str | None = None, key: str | None = None, since: float = 0,
                   most: int = 1000) -> list[Item]:
        """The last ones, by the time of the sample, each once. since: seconds since 1970"""
        found: dict[tuple[Any, ...], Item] = {}
        async for entry in self._vault.scan(SAMPLES, escaped(thing), max(0.0, since - DAY_S) if since else 0):
            row = json.loads(entry.value)
            if kind in (None, row["kind"]):
                for item in row["items"]:
                    if key in (None, item.get("key")) and item["at"] >= since:
                        found[_mark(row["kind"], item)] = {"kind": row["kind"], **item}
        return sorted(found.values(), key=_when)[-most:]

    async def forget(self, thing: str) -> None:
        self.end(thing)
        await asyncio.gather(self._vault.remove(SAMPLES, escaped(thing)), self._vault.remove(LAST, escaped(thing)))

    async def _write(self, thing: str, kind: str, items: list[Item], lasts: dict[str, dict[str, Item]],
                     ident: str) -> None:
        word, work = escaped(thing), []
        for at, piece in enumerate(_pieces(items)):
            row = json.dumps({"kind": kind, "items": piece, "at": time.time()}).encode()
            work.append(self._vault.put(SAMPLES, word, row, f"{ident}/{at}"))
        if kind != "log":
            for item in items:
                before = lasts[kind].get(_name(kind, item))
                if before is None or before["at"] <= item["at"]:
                    lasts[kind][_name(kind, item)] = item
            told = json.dumps(lasts).encode()
            if len(told) > MOST_LAST_BYTES:
                raise EngineFullError(f"the last values of {thing} take more than {MOST_LAST_BYTES} bytes")
            work.append(self._vault.put(LAST, word, told))
        await asyncio.gather(*work)

    async def _read(self, thing: str) -> dict[str, dict[str, Item]]:
        entry = await self._vault.get(LAST, escaped(thing))
        return json.loads(entry.value) if entry else {}


def seconds(ts: object) -> float | None:
    """Seconds since 1970 of a time of TR50, None for what is none."""
    try:
        moment = datetime.fromisoformat(str(ts))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(kind: str, item: Mapping[str, Any]) -> Item:
    """The fields we know, with `at`, by which samples are ordered. Raises BadSampleError."""
    now = time.time()
    plain = {name: item[name] for name in _FIELDS[kind] if item.get(name) is not None}
    for name in ("key", "msg"):
        if name in plain and not isinstance(plain[name], str):
            raise BadSampleError(f"{name} is a text, got {type(plain[name]).__name__}")
    if not 0 < len(plain.get("key", "-")) <= KEY_CHARS:
        raise BadSampleError(f"a key has 1-{KEY_CHARS} characters")
    if any(not tr50.is_value(value) or isinstance(value, str) and len(value) > VALUE_CHARS or _is_huge(value)
           for value in plain.values()):
        raise BadSampleError(f"a value is a number, a truth or a text up to {VALUE_CHARS} characters")
    _check_kind(kind, plain)
    at = seconds(plain.get("ts"))
    if "ts" in plain and at is None:
        raise BadSampleError("ts is a time like 2026-11-21T01:00:00.000000Z")
    at = at if at is not None and UNSET <= at <= now + AHEAD_S else now
    return {**plain, "ts": plain.get("ts", stamp(at)), "at": at}


def _check_kind(kind: str, plain: Item) -> None:
    if kind == "alarm" and (isinstance(plain["state"], bool) or not isinstance(plain["state"], int)):
        raise BadSampleError("an alarm's state is a whole number")
    if kind == "location" and not all(
            isinstance(plain[name], int | float) and not isinstance(plain[name], bool) and abs(plain[name]) <= most
            for name, most in (("lat", 90), ("lng", 180))):
        raise BadSampleError("a place is lat -90 to 90, lng -180 to 180")


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= 1 << 128


def _name(kind: str, item: Item) -> str:
    return str(item.get("key", "place" if kind == "location" else ""))


def _mark(kind: str, item: Item) -> tuple[Any, ...]:
    """What two tellings of one sample have in common."""
    return (kind, *(json.dumps(item.get(name)) for name in ("key", "ts", "value", "state", "msg", "lat", "lng")))


def _when(item: Item) -> float:
    return float(item["at"])


def _pieces(items: list[Item]) -> list[list[Item]]:
    """Cut where a record would be too large."""
    pieces: list[list[Item]] = [[]]
    size = 0
    for item in items:
        size += len(json.dumps(item))
        if size > RECORD_BYTES and pieces[-1]:
            pieces.append([])
            size = 0
        pieces[-1].append(item)
    return pieces
