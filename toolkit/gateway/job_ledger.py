"""What the engine knows of fleet jobs: written so that it is true whichever gateway dies, between any two writes.

    spec.<job>                   what is to be done to which nodes; never changes
    apart.<job>.<mark>           of that what is secret or large; erased when the job is over
    doc.<job>                    how far it is, job_rules.Job; changed by compare-and-set only
    out.<job>.<mark>.<index>     what came of a node, written before the document says so
    beat.<gateway>               counts up while that gateway lives

A job that was removed leaves its id to others; the mark, made for each, keeps them apart here and in the memory of
nodes.
"""
from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import secrets
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from nats.errors import Error as NatsError
from nats.js.errors import APIError

from toolkit.errors import RefusedError, UnknownDeviceError, UsageError
from toolkit.gateway.engine import MIB, ConflictError, Engine, EngineFullError, Entry, Store
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.job_rules import WAITING, Claim, Job

JOBS = Store("jobs", 128 * MIB, max_age_s=90 * 86_400)
BEATS = Store("beats", MIB, max_age_s=3600, in_memory=True)
TRIES = 50                              # of one compare-and-set in a row
KEPT_JOBS = 200
MOST_SPEC_BYTES = 900_000
TEXT_CHARS = 2000                       # kept of what a node has said
AT_ONCE = 64                            # reads of the engine
ID_CHARS = 20                           # of a job's id in the one that nodes keep: up to 40 with the mark and the turn

_ID = re.compile(r"[A-Za-z0-9-]{1,32}")


class UnreadableJobError(UnknownDeviceError):
    """Raised when there is a job of that name, and this gateway is too old or too new for it."""


class TakenError(RefusedError):
    """Raised when there is another order under that id."""


@dataclass(frozen=True)
class Target:
    """A node as it was when the job was made."""

    uid: str
    name: str
    address: str
    port: int


def new_mark() -> str:
    return secrets.token_hex(5)


@dataclass(frozen=True)
class Spec:
    """kind: command, config, drop, update; by: who asked; at: seconds since 1970

    what    its own part of the order, as anybody may see it
    apart   what stands in its place while the job goes on: a secret, the content of files
    seal    of apart, so that the same order is known when it comes again
    mark    no other order has it; "" in one of an older gateway
    """

    ident: str
    kind: str
    what: Mapping[str, Any]
    targets: Sequence[Target]
    selection: str = ""
    by: str = ""
    at: float = field(default_factory=time.time)
    mark: str = field(default_factory=new_mark)
    seal: str = ""
    apart: Mapping[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> Mapping[str, Any]:
        return {**self.what, **self.apart}

    def on_node(self, turn: int) -> str:
        """The id that a node keeps of it: up to 40 characters."""
        return f"{self.ident[:ID_CHARS]}-{self.mark}-{turn}" if self.mark else f"{self.ident}-{turn}"

    def sealed(self, mark: str) -> Self:
        """scrypt, RFC 7914, since a password may be guessed: 50 ms and 16 MB."""
        if not self.apart:
            return replace(self, mark=mark, seal="")
        seal = hashlib.scrypt(_compact(self.apart), salt=mark.encode(), n=2**14, r=8, p=1, dklen=16)
        return replace(self, mark=mark, seal=seal.hex())

    def is_order(self, other: Spec) -> bool:
        """True when both ask for the same; `all` may mean other nodes by now. Of the same mark, and sealed."""
        return all(getattr(self, name) == getattr(other, name) for name in ("kind", "what", "selection", "seal"))

    def packed(self) -> bytes:
        told = {key: value for key, value in asdict(self).items() if key != "apart"}
        return zlib.compress(json.dumps({**told, "targets": [list(asdict(each).values())
                                                             for each in self.targets]}).encode())

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        told = json.loads(zlib.decompress(data))
        return cls(**{"mark": "", **told, "targets": [Target(*row) for row in told["targets"]]})


@dataclass(frozen=True)
class Outcome:
    """What came of one try. result: a word of job_rules.AFTER; text: for a person"""

    result: str
    text: str = ""


def new_ident(now: float | None = None) -> str:
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(3)


class Ledger:
    """What the engine knows of jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def create(self, spec: Spec, job: Job) -> bool:
        """False when there is that job already: the order had come before, and was not answered.

        Raises UsageError for one that is too large, TakenError when its id has another order, EngineFullError; then
        there is no such job.
        """
        if not _ID.fullmatch(spec.ident):
            raise UsageError(f"the id of a job is up to 32 letters, digits and -, got {spec.ident[:60]!r}")
        spec, apart = await asyncio.to_thread(spec.sealed, spec.mark), zlib.compress(_compact(spec.apart))
        packed = spec.packed()
        if len(packed) > MOST_SPEC_BYTES or len(apart) > MOST_SPEC_BYTES:
            raise UsageError(f"a job has up to {MOST_SPEC_BYTES} bytes of nodes, and as many of files; this one has "
                             f"{len(packed)} and {len(apart)}: split it")
        await self._forget_the_oldest()
        spec, is_ours = await self._specified(spec, packed)
        job.mark, job.states = spec.mark, bytearray(WAITING.encode() * len(spec.targets))
        if not is_ours and await self._has(spec.ident, job):
            return False
        try:
            if spec.seal:
                with contextlib.suppress(ConflictError):
                    await self._engine.swap(JOBS, _apart_key(spec.ident, spec.mark), apart, 0)
            return await self._documented(spec.ident, job)
        except EngineFullError:
            if is_ours:
                await self._engine.remove(JOBS, _apart_key(spec.ident, spec.mark))
                await self._engine.remove(JOBS, f"spec.{spec.ident}")
            raise

    async def _specified(self, spec: Spec, packed: bytes) -> tuple[Spec, bool]:
        """(what now stands under the id, did we put it there): else the same came before. Raises TakenError."""
        try:
            await self._engine.swap(JOBS, f"spec.{spec.ident}", packed, 0)
        except ConflictError:
            there = await self.spec(spec.ident)
            again = await asyncio.to_thread(spec.sealed, there.mark)
            if not again.is_order(there):
                raise TakenError(_taken(spec.ident)) from None
            return there, False
        return spec, True

    async def _documented(self, ident: str, job: Job) -> bool:
        """False when it was already."""
        for _ in range(TRIES):
            with contextlib.suppress(ConflictError):
                await self._engine.swap(JOBS, f"doc.{ident}", _packed(job), 0)
                return True
            if await self._has(ident, job):
                return False
            with contextlib.suppress(UnknownDeviceError):        # else it is removed in this moment
                await self._erase((await self.job(ident))[1])    # of a removal that was cut short
        raise UnavailableError(f"job {ident} changes too fast: try again")

    async def _has(self, ident: str, job: Job) -> bool:
        """Is this order's document there? Raises TakenError when it has other rules."""
        try:
            there, _ = await self.job(ident)
        except UnreadableJobError:
            raise
        except UnknownDeviceError:
            return False                 # its gateway died before it came to that
        if there.mark == job.mark and there.rules != job.rules:
            raise TakenError(_taken(ident))
        return there.mark == job.mark

    async def idents(self) -> list[str]:
        """Of all jobs, in no order of time."""
        return [key.partition(".")[2] for key in await self._engine.keys(JOBS, "doc.*")]

    async def spec(self, ident: str) -> Spec:
        entry = await self._engine.get(JOBS, f"spec.{ident}") if _ID.fullmatch(ident) else None
        if entry is None:
            raise UnknownDeviceError(f"there is no job {ident[:60]!r}: /api/v1/jobs lists them")
        with _readable(ident):
            return Spec.unpacked(entry.value)

    async def work(self, ident: str) -> Spec:
        """With what is kept apart, as long as the job is not over."""
        spec = await self.spec(ident)
        entry = await self._engine.get(JOBS, _apart_key(ident, spec.mark)) if spec.seal else None
        with _readable(ident):
            return replace(spec, apart=json.loads(zlib.decompress(entry.value))) if entry else spec

    async def job(self, ident: str) -> tuple[Job, int]:
        """(the document, its revision)"""
        entry = await self._engine.get(JOBS, f"doc.{ident}") if _ID.fullmatch(ident) else None
        if entry is None:
            raise UnknownDeviceError(f"there is no job {ident[:60]!r}: /api/v1/jobs lists them")
        with _readable(ident):
            return Job.from_json(json.loads(entry.value)), entry.revision

    async def change(self, ident: str, revision: int, job: Job) -> None:
        """Raises ConflictError, UnavailableError."""
        await self._engine.swap(JOBS, f"doc.{ident}", _packed(job), revision)

    async def tell(self, spec: Spec, claim: Claim, outcome: Outcome) -> None:
        """Write down what came of a node, unless a later try has."""
        key = _out_key(spec, claim.index)
        told = await self._engine.get(JOBS, key) if claim.number > 1 else None
        if told is None or json.loads(told.value)["number"] <= claim.number:
            text = outcome.text if len(outcome.text) <= TEXT_CHARS else outcome.text[:TEXT_CHARS] + " ..."
            row = {"number": claim.number, "result": outcome.result, "text": text, "at": round(time.time(), 3)}
            await self._engine.put(JOBS, key, json.dumps(row).encode())

    async def told(self, spec: Spec, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What came of nodes, by index; of those that were tried."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> Entry | None:
            async with gate:
                return await self._engine.get(JOBS, _out_key(spec, index))

        found = await asyncio.gather(*map(one, indexes))
        return {index: json.loads(entry.value) for index, entry in zip(indexes, found, strict=True) if entry}

    async def remove(self, ident: str) -> None:
        """Raises UsageError for a job that is not over.

        Values are erased by their numbers, so that what is ordered anew under the id at this moment stays.
        """
        job, revision = await self.job(ident)
        if not job.is_final:
            raise UsageError(f"job {ident} is {job.status}: abort it, and remove it when its last nodes are done")
        spec = await self._engine.get(JOBS, f"spec.{ident}")
        await self.forget_apart(ident, job.mark)
        await self._engine.remove(JOBS, f"out.{ident}.{job.mark}.*" if job.mark else f"out.{ident}.*")
        with _readable(ident):
            is_its = spec is not None and Spec.unpacked(spec.value).mark == job.mark
        if spec and is_its:
            await self._erase(spec.revision)
        await self._erase(revision)

    async def forget_apart(self, ident: str, mark: str) -> None:
        """The secret, or the files, of a job that is over; their place on disk is written over."""
        entry = await self._engine.get(JOBS, _apart_key(ident, mark)) if mark else None
        if entry:
            await self._erase(entry.revision)

    async def sweep(self, before: Iterable[str]) -> set[str]:
        """See to it that nothing is kept apart for jobs that are over, or never came to be since a gateway died.

        before: what the sweep before this one has returned. Returns keys that have no job: it may be in the making
        """
        found = {key: await self._is_over(*key.split(".")[1:]) for key in await self._engine.keys(JOBS, "apart.*.*")}
        for key, is_over in found.items():
            if is_over or (is_over is None and key in before):
                await self.forget_apart(*key.split(".")[1:])
        return {key for key, is_over in found.items() if is_over is None}

    async def _is_over(self, ident: str, mark: str) -> bool | None:
        """None: there is no such job."""
        try:
            job, _ = await self.job(ident)
        except UnreadableJobError:
            return False
        except UnknownDeviceError:
            return None
        return job.is_final if job.mark == mark else None

    async def beat(self, owner: str, number: int) -> None:
        await self._engine.put(BEATS, owner, str(number).encode())

    async def beats(self) -> dict[str, int]:
        owners = await self._engine.keys(BEATS)
        found = await asyncio.gather(*(self._engine.get(BEATS, owner) for owner in owners))
        return {entry.key: int(entry.value) for entry in found if entry}

    async def _forget_the_oldest(self) -> None:
        """Of those that are over, the ones that have been so for longest."""
        idents = await self.idents()
        if len(idents) < KEPT_JOBS:
            return
        found = await asyncio.gather(*map(self._when_over, idents))
        over = sorted((revision, ident) for revision, ident in zip(found, idents, strict=True) if revision)
        for _, ident in over[:len(idents) + 1 - KEPT_JOBS]:
            with contextlib.suppress(UsageError, UnknownDeviceError):
                await self.remove(ident)

    async def _when_over(self, ident: str) -> int:
        """The number of a job's last change, which the engine counts up; 0 when it is not over."""
        with contextlib.suppress(UnknownDeviceError):
            async with self._gate:
                job, revision = await self.job(ident)
            return revision if job.is_final else 0
        return 0

    async def _erase(self, revision: int) -> None:
        """One value, whatever came after it; its place on disk is written over."""
        try:
            await self._engine.js.delete_msg(JOBS.stream, revision)
        except APIError:
            pass                       # it is gone
        except (NatsError, TimeoutError, OSError) as error:
            raise UnavailableError(f"the engine does not answer: {error}") from None


@contextlib.contextmanager
def _readable(ident: str) -> Iterator[None]:
    """Of gateways of two versions each leaves to the other what it cannot read, and goes on with the rest."""
    try:
        yield
    except (ValueError, TypeError, KeyError, zlib.error, UsageError) as error:
        raise UnreadableJobError(f"job {ident} was written by another version of the gateway ({error}): ask that "
                                 "one, or bring all gateways to the same version") from None


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _packed(job: Job) -> bytes:
    return json.dumps(job.to_json(), separators=(",", ":")).encode()


def _apart_key(ident: str, mark: str) -> str:
    return f"apart.{ident}.{mark}"


def _out_key(spec: Spec, index: int) -> str:
    return f"out.{spec.ident}.{spec.mark}.{index}" if spec.mark else f"out.{spec.ident}.{index}"


def _taken(ident: str) -> str:
    return f"there is another order under the id {ident}: choose an id of its own, or leave it out"


async def summary(ledger: Ledger, ident: str) -> dict[str, Any]:
    spec, (job, _) = await asyncio.gather(ledger.spec(ident), ledger.job(ident))
    return {"id": ident, "kind": spec.kind, "what": spec.what, "selection": spec.selection, "by": spec.by,
            "at": spec.at, "rules": asdict(job.rules), "mark": spec.mark, **job.report()}


async def nodes_of(ledger: Ledger, ident: str, states: Iterable[str] = (), first: int = 0,
                   most: int = 1000) -> list[dict[str, Any]]:
    """Rows of a job's nodes, in its order. states: only those"""
    spec, (job, _) = await asyncio.gather(ledger.spec(ident), ledger.job(ident))
    wanted = set(states)
    indexes = [index for index in range(len(spec.targets)) if not wanted or job.state(index) in wanted]
    indexes = indexes[first:first + most]
    told = await ledger.told(spec, indexes)
    return [{**asdict(spec.targets[index]), "state": job.state(index), "text": told.get(index, {}).get("text", ""),
             "at": told.get(index, {}).get("at")} for index in indexes]
