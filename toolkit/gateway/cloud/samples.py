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
SAMPLES = Store("cloud_samples", 96 * MIB, 30 * DAY_S, is_log=True, per_key=100_000)     # <thing>: {kind, items, at,
#                                                ident of what was told without times}
LAST = Store("cloud_last", 48 * MIB)           # <thing>: {kind: {name: item}}
KINDS = ("property", "attribute", "alarm", "location", "log")
KEY_CHARS, VALUE_CHARS = 128, 16_384
RECORD_BYTES = 256 * 1024      # of the log; the engine takes 1 MiB
MOST_LAST_BYTES = 900 * 1024
AHEAD_S = 60.0                 # a clock that is further ahead than this has the time of ours
UNSET = 1_577_836_800.0        # 2020-01-01: so has one that shows less, it was never set
REPLAY_S = 120.0               # as the engine, which knows ids for so long
MOST_UNTIMED = 1000            # records without times that a replay may be of; agents have 20 under way

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
        self._untimed: dict[str, dict[str, float]] = {}               # and that have replayed: ident: when it was told
        vault.declare(SAMPLES, LAST)

    async def begin(self, thing: str) -> None:
        """A thing has come: what it told before is read once."""
        self._lasts[thing] = await self._read(thing)

    def end(self, thing: str) -> None:
        self._lasts.pop(thing, None)
        self._untimed.pop(thing, None)

    async def take(self, thing: str, kind: str, items: Sequence[Item], most_keys: int, ident: str,
                   is_again: bool = False) -> list[Item]:
        """Keep items in their order up to a bad one; when this returns they are kept.

        ident      of two requests with the same one only the first counts, when each item has a time
        is_again   the thing says that this may be a replay. Without times only such a one is held to be one, and only
                   of what came in the last REPLAY_S: a sample that is like another one is a sample
        Raises BadSampleError, when those before it are kept.
        """
        is_timed = all(map(_has_time, items))
        told = await self._untimed_of(thing) if is_again and not is_timed else {}
        now = told.get(f"{ident}/0", time.time())
        lasts = self._lasts.get(thing)
        lasts = lasts if lasts is not None else await self._read(thing)
        good, wrong = _good(kind, items, set(lasts.setdefault(kind, {})), most_keys, now)
        rows = [(f"{ident}/{at}", {"kind": kind, "items": piece, "at": now})
                for at, piece in enumerate(_pieces(good) if good else ())]
        if not is_timed:
            rows = [(name, {**row, "ident": name}) for name, row in rows if name not in told]
        if good:
            await self._write(thing, kind, good, lasts, [(row, name if is_timed else "") for name, row in rows])
        if thing in self._untimed and not is_timed:
            self._untimed[thing].update((name, now) for name, _ in rows)
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

    async def _untimed_of(self, thing: str) -> dict[str, float]:
        """What it told without times of late, and when. Read when it first replays: most never do."""
        since = time.time() - REPLAY_S
        if thing not in self._untimed:
            rows = [json.loads(entry.value) async for entry in self._vault.scan(SAMPLES, escaped(thing), since)]
            if thing not in self._lasts:         # it has gone meanwhile
                return {}
            self._untimed[thing] = {row["ident"]: row["at"] for row in rows if "ident" in row}
        known = [(name, at) for name, at in self._untimed[thing].items() if at > since]
        self._untimed[thing] = dict(known[-MOST_UNTIMED:])
        return self._untimed[thing]

    async def _write(self, thing: str, kind: str, items: list[Item], lasts: dict[str, dict[str, Item]],
                     rows: list[tuple[dict[str, Any], str]]) -> None:
        """rows: (record of the log, its message id); a last value is written once more with what was told before"""
        word = escaped(thing)
        work = [self._vault.put(SAMPLES, word, json.dumps(row).encode(), ident) for row, ident in rows]
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


def _good(kind: str, items: Sequence[Item], names: set[str], most_keys: int,
          now: float) -> tuple[list[Item], BadSampleError | None]:
    """(those up to a bad one, what is wrong with that). names: that the thing has of this kind"""
    good: list[Item] = []
    for item in items:
        try:
            plain = _plain(kind, item, now)
            if kind != "log" and _name(kind, plain) not in names and len(names) >= most_keys:
                raise BadSampleError(f"a thing has up to {most_keys} names of a kind, and this is a new one")
        except BadSampleError as error:
            return good, error
        names.add(_name(kind, plain))
        good.append(plain)
    return good, None


def _has_time(item: Mapping[str, Any]) -> bool:
    """Its own, of a clock that was set: one that never was says the same times after each boot."""
    return (seconds(item.get("ts")) or 0) >= UNSET


def _plain(kind: str, item: Mapping[str, Any], now: float) -> Item:
    """The fields we know, with `at`, by which samples are ordered. Raises BadSampleError."""
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
    when = item["ts"] if _has_time(item) else item["at"]
    return (kind, when, *(json.dumps(item.get(name)) for name in ("key", "value", "state", "msg", "lat", "lng")))


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
