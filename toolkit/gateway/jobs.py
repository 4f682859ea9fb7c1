"""Fleet jobs: gateways that share the work through the engine, and may die at any moment.

    spec.<job>            what is to be done to which nodes; never changes
    doc.<job>             how far it is, job_rules.Job; changed by compare-and-set only
    out.<job>.<index>     what came of a node, written before the document says so
    beat.<gateway>        counts up while that gateway lives

A gateway does what the document says is its own. One whose beat stands still gives back what it had: a node of ours
knows the id and tells the outcome of that time, so that it still runs once.
"""
from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from nats.aio.client import Client
from nats.aio.msg import Msg

from toolkit.errors import UnknownDeviceError, UsageError
from toolkit.gateway.engine import MIB, ConflictError, Engine, EngineFullError, Entry, Store, ended, of
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.job_rules import Claim, Job, Rules

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit.gateway.gateway import Gateway

JOBS = Store("jobs", 128 * MIB, max_age_s=90 * 86_400)
BEATS = Store("beats", MIB, max_age_s=3600, in_memory=True)
NUDGE = "micros-nudge"                  # a message that nobody keeps: there is something to do

LEASE_S = 15.0                          # a gateway whose beat stands still for so long is taken for dead
ROOM = 64                               # nodes that one gateway sees to at a time
LOOK_S = 5.0                            # between two looks without a nudge
BUSY_LOOK_S = 0.5                       # the same while a job runs
TRIES = 50                              # of one compare-and-set in a row
KEPT_JOBS = 200
MOST_SPEC_BYTES = 900_000
TEXT_CHARS = 2000                       # kept of what a node has said
AT_ONCE = 64                            # reads of the engine

_ID = re.compile(r"[A-Za-z0-9-]{1,32}")

log = logging.getLogger(__name__)


class UnreadableJobError(UnknownDeviceError):
    """Raised when there is a job of that name, and this gateway is too old or too new for it."""


@dataclass(frozen=True)
class Target:
    """A node as it was when the job was made."""

    uid: str
    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Spec:
    """kind: command, config, drop, update; what: its own part of the order; by: who asked; at: seconds since 1970"""

    ident: str
    kind: str
    what: Mapping[str, Any]
    targets: Sequence[Target]
    selection: str = ""
    by: str = ""
    at: float = field(default_factory=time.time)

    def packed(self) -> bytes:
        return zlib.compress(json.dumps({**asdict(self), "targets": [list(asdict(each).values())
                                                                     for each in self.targets]}).encode())

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        told = json.loads(zlib.decompress(data))
        return cls(**{**told, "targets": [Target(*row) for row in told["targets"]]})


@dataclass(frozen=True)
class Outcome:
    """What came of one try. result: a word of job_rules.AFTER; text: for a person"""

    result: str
    text: str = ""


Execute = Callable[[Target, Spec, Claim], Awaitable[Outcome]]
Tell = Callable[[str, Mapping[str, Any]], None]
Key = tuple[str, int, int]              # job, index of the node, number of the claim


def new_ident(now: float | None = None) -> str:
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(3)


class Presence:
    """Which gateways live. Judged by this machine's clock alone, so that clocks may differ."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._seen: dict[str, tuple[int, float]] = {}        # gateway -> (its beat, when that was new here)

    def see(self, beats: Mapping[str, int], now: float) -> None:
        for owner, beat in beats.items():
            if self._seen.get(owner, (None, 0))[0] != beat:
                self._seen[owner] = (beat, now)

    def is_dead(self, owner: str, now: float) -> bool:
        """A gateway that was never heard of has as long to be heard as one that was."""
        _, since = self._seen.setdefault(owner, (-1, now))
        return now - since > self._lease_s

    def start_over(self, now: float) -> None:
        """The engine was away: nobody's silence until now counts."""
        self._seen = {owner: (beat, now) for owner, (beat, _) in self._seen.items()}


class Ledger:
    """What the engine knows of jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, spec: Spec, job: Job) -> bool:
        """False when there is a job of that id: the order had come before, and was not answered.

        Raises UsageError for one that is too large, EngineFullError; then there is no such job.
        """
        if not _ID.fullmatch(spec.ident):
            raise UsageError(f"the id of a job is up to 32 letters, digits and -, got {spec.ident[:60]!r}")
        packed = spec.packed()
        if len(packed) > MOST_SPEC_BYTES:
            raise UsageError(f"a job has up to {MOST_SPEC_BYTES} bytes with all its files and nodes, "
                             f"this one has {len(packed)}: split it")
        await self._forget_the_oldest()
        with contextlib.suppress(ConflictError):     # a gateway died between the two
            await self._engine.swap(JOBS, f"spec.{spec.ident}", packed, 0)
        try:
            await self._engine.swap(JOBS, f"doc.{spec.ident}", _packed(job), 0)
        except ConflictError:
            return False
        except EngineFullError:
            await self._engine.remove(JOBS, f"spec.{spec.ident}")
            raise
        return True

    async def idents(self) -> list[str]:
        """Of all jobs, the oldest first."""
        return [key.partition(".")[2] for key in await self._engine.keys(JOBS, "doc.*")]

    async def spec(self, ident: str) -> Spec:
        entry = await self._engine.get(JOBS, f"spec.{ident}") if _ID.fullmatch(ident) else None
        if entry is None:
            raise UnknownDeviceError(f"there is no job {ident[:60]!r}: /api/v1/jobs lists them")
        with _readable(ident):
            return Spec.unpacked(entry.value)

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

    async def tell(self, ident: str, claim: Claim, outcome: Outcome) -> None:
        """Write down what came of a node, unless a later try has."""
        key = f"out.{ident}.{claim.index}"
        told = await self._engine.get(JOBS, key) if claim.number > 1 else None
        if told is None or json.loads(told.value)["number"] <= claim.number:
            text = outcome.text if len(outcome.text) <= TEXT_CHARS else outcome.text[:TEXT_CHARS] + " ..."
            row = {"number": claim.number, "result": outcome.result, "text": text, "at": round(time.time(), 3)}
            await self._engine.put(JOBS, key, json.dumps(row).encode())

    async def told(self, ident: str, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What came of nodes, by index; of those that were tried."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> Entry | None:
            async with gate:
                return await self._engine.get(JOBS, f"out.{ident}.{index}")

        found = await asyncio.gather(*map(one, indexes))
        return {index: json.loads(entry.value) for index, entry in zip(indexes, found, strict=True) if entry}

    async def remove(self, ident: str) -> None:
        """Raises UsageError for a job that is not over."""
        job, _ = await self.job(ident)
        if not job.is_final:
            raise UsageError(f"job {ident} is {job.status}: abort it, and remove it when its last nodes are done")
        for key in (f"doc.{ident}", f"out.{ident}.>", f"spec.{ident}"):
            await self._engine.remove(JOBS, key)

    async def beat(self, owner: str, number: int) -> None:
        await self._engine.put(BEATS, owner, str(number).encode())

    async def beats(self) -> dict[str, int]:
        owners = await self._engine.keys(BEATS)
        found = await asyncio.gather(*(self._engine.get(BEATS, owner) for owner in owners))
        return {entry.key: int(entry.value) for entry in found if entry}

    async def _forget_the_oldest(self) -> None:
        idents = await self.idents()
        for ident in idents[:max(0, len(idents) + 1 - KEPT_JOBS)]:
            with contextlib.suppress(UsageError):
                await self.remove(ident)


@contextlib.contextmanager
def _readable(ident: str) -> Iterator[None]:
    """Of gateways of two versions each leaves to the other what it cannot read, and goes on with the rest."""
    try:
        yield
    except (ValueError, TypeError, KeyError, zlib.error, UsageError) as error:
        raise UnreadableJobError(f"job {ident} was written by another version of the gateway ({error}): ask that "
                                 "one, or bring all gateways to the same version") from None


def _packed(job: Job) -> bytes:
    return json.dumps(job.to_json(), separators=(",", ":")).encode()


class Crew:
    """This gateway's share of the work."""

    def __init__(self, engine: Engine, execute: Execute, tell: Tell | None = None, *, owner: str = "",
                 room: int = ROOM, lease_s: float = LEASE_S) -> None:
        """execute: does one node and never raises but for a fault of its own; it bounds its time itself"""
        self.ledger = Ledger(engine)
        self.owner = owner or f"gw-{secrets.token_hex(4)}"
        self._engine = engine
        self._execute = execute
        self._tell = tell or _nowhere
        self._room = room
        self._lease_s = lease_s
        self._presence = Presence(lease_s)
        self._beat = 0
        self._beat_at = self._looked_at = -1e9
        self._ups = 0
        self._active: dict[str, Spec] = {}
        self._over: set[str] = set()
        self._doing: dict[Key, asyncio.Task[None]] = {}
        self._finished: dict[Key, str] = {}              # claim -> its result, until the document says so
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ear_of: Client | None = None

    # -- orders
    async def create(self, spec: Spec, rules: Rules) -> bool:
        """As Ledger.create; the work begins at once."""
        is_new = await self.ledger.create(spec, Job.begin(rules, len(spec.targets), time.time()))
        self._tell("job.created", {"job": spec.ident, "kind": spec.kind, "nodes": len(spec.targets), "by": spec.by})
        await self._nudge_all()
        return is_new

    async def control(self, ident: str, word: str, who: str) -> Job:
        """pause, resume, abort. Raises UsageError when it is not the time for it, UnknownDeviceError."""
        for _ in range(TRIES):
            job, revision = await self.ledger.job(ident)
            job.control(word, who)
            try:
                await self.ledger.change(ident, revision, job)
            except ConflictError:
                continue
            self._tell(f"job.{job.status}", {"job": ident, "by": who})
            await self._nudge_all()
            return job
        raise UnavailableError(f"job {ident} changes too fast: try again")

    # -- life
    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def stop(self) -> None:
        """What is under way is given back to others: they ask the node what came of it."""
        await ended([self._task, *self._doing.values()])
        for ident in {key[0] for key in (*self._doing, *self._finished)}:
            with contextlib.suppress(UnavailableError, UnknownDeviceError):      # then others wait for the lease's end
                await self._give_back(ident)
        self._doing.clear()

    async def _give_back(self, ident: str) -> None:
        for _ in range(TRIES):
            job, revision = await self.ledger.job(ident)
            self._settle(job, [key for key in self._finished if key[0] == ident])
            job.release(self.owner, time.time())
            with contextlib.suppress(ConflictError):
                await self.ledger.change(ident, revision, job)
                return

    @property
    def doing(self) -> int:
        return len(self._doing)

    async def _run(self) -> None:
        while True:
            wait_s = LOOK_S
            try:
                wait_s = await self._round()
            except UnavailableError as error:
                log.debug("jobs wait for the engine: %s", error)
                wait_s = min(1.0, self._lease_s / 4)
            except Exception:                # outer wall: the next round may work
                log.exception("a round of the jobs failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._nudged.wait()
            self._nudged.clear()

    async def _round(self) -> float:
        """One look at everything. Returns the seconds until the next one, if nothing happens before."""
        now = time.monotonic()
        if self._ups != self._engine.ups:
            await self._listen(now)
        if now - self._beat_at >= self._lease_s / 4:
            await self._show_life(now)
        if now - self._looked_at >= LOOK_S or not self._active:
            await self._find_jobs(now)
        waits = [await self._step(ident, spec) for ident, spec in list(self._active.items())]
        return min([self._lease_s / 4, LOOK_S, *waits])

    async def _listen(self, now: float) -> None:
        """After the engine came up, for the first time or again."""
        self._ups = self._engine.ups
        self._presence.start_over(now)
        if self._ear_of is not self._engine.client:          # a client that comes back has its subscriptions still
            await self._engine.client.subscribe(NUDGE, cb=self._on_nudge)
            self._ear_of = self._engine.client

    async def _on_nudge(self, message: Msg) -> None:
        self._looked_at = -1e9
        self._nudged.set()

    async def _nudge_all(self) -> None:
        self._looked_at = -1e9
        self._nudged.set()
        with contextlib.suppress(UnavailableError):      # then others see it at their next look
            await self._engine.client.publish(NUDGE, b"")

    async def _show_life(self, now: float) -> None:
        if self._beat_at > 0 and now - self._beat_at > self._lease_s:
            self._presence.start_over(now)               # the engine, or this process, was away
        self._beat += 1
        await self.ledger.beat(self.owner, self._beat)
        self._presence.see(await self.ledger.beats(), now)
        self._beat_at = now

    async def _find_jobs(self, now: float) -> None:
        idents = await self.ledger.idents()
        self._over &= set(idents)
        for ident in idents:
            if ident not in self._active and ident not in self._over:
                with contextlib.suppress(UnknownDeviceError):        # just removed
                    self._active[ident] = await self.ledger.spec(ident)
        self._looked_at = now

    # -- one job
    async def _step(self, ident: str, spec: Spec) -> float:
        """Bring the document up to date with what happened here, and take on what it gives. Returns seconds to wait."""
        for _ in range(TRIES):
            try:
                job, revision = await self.ledger.job(ident)
            except UnknownDeviceError:
                self._active.pop(ident, None)
                return LOOK_S
            status, finished = job.status, [key for key in self._finished if key[0] == ident]
            changes = self._settle(job, finished) + self._release(ident, job)
            changes += len(job.claim(self.owner, self._room - len(self._doing), time.time()))
            try:
                if changes:
                    await self.ledger.change(ident, revision, job)
            except ConflictError:
                continue
            for key in finished:
                del self._finished[key]
            self._take_on(ident, spec, job)
            if job.status != status:
                self._tell(f"job.{job.status}", {"job": ident, **job.report()})
            return self._until_next(ident, job)
        return 0.05

    def _settle(self, job: Job, finished: Iterable[Key]) -> int:
        now = time.time()
        return sum(job.settle(key[1], key[2], self.owner, self._finished[key], now) for key in finished)

    def _release(self, ident: str, job: Job) -> int:
        """What gateways that are gone were at. Returns how many nodes that were."""
        released = 0
        for owner in {owner for owner, _ in job.running.values()} - {self.owner}:
            if self._presence.is_dead(owner, time.monotonic()):
                count = job.release(owner, time.time())
                log.warning("gateway %s is gone: its %d nodes of job %s are seen to by others", owner, count, ident)
                released += count
        return released

    def _take_on(self, ident: str, spec: Spec, job: Job) -> None:
        """Begin what the document gives this gateway and is not under way, also by a write whose answer was lost."""
        for index, (owner, number) in job.running.items():
            key = (ident, index, number)
            if owner == self.owner and key not in self._doing and key not in self._finished:
                past = job.past.get(index)
                claim = Claim(index, number, past.turn if past else 0, past.again if past else False)
                self._doing[key] = asyncio.create_task(self._do(key, spec, claim))

    async def _do(self, key: Key, spec: Spec, claim: Claim) -> None:
        try:
            outcome = await self._execute(spec.targets[claim.index], spec, claim)
        except Exception as error:       # outer wall: a fault of ours with one node does not end the job
            log.exception("job %s failed at node %d", spec.ident, claim.index)
            outcome = Outcome("unsure", f"the gateway failed at it: {type(error).__name__}: {error}")
        await self._write_down(spec.ident, claim, outcome)
        self._finished[key] = outcome.result
        del self._doing[key]
        self._nudged.set()

    async def _write_down(self, ident: str, claim: Claim, outcome: Outcome) -> None:
        """However long the engine is away or full: what a node has done is not lost while this gateway lives."""
        pause_s = 0.2
        while True:
            try:
                await self.ledger.tell(ident, claim, outcome)
                return
            except EngineFullError as error:
                log.warning("job %s: an outcome cannot be kept: %s", ident, error)
            except UnavailableError:
                pass
            await asyncio.sleep(pause_s)
            pause_s = min(5.0, pause_s * 2)

    def _until_next(self, ident: str, job: Job) -> float:
        if job.is_final:
            del self._active[ident]
            self._over.add(ident)
        if not job.running and job.status != "running":
            return LOOK_S
        wait_s = job.wait_s(time.time())
        return BUSY_LOOK_S if wait_s is None else min(BUSY_LOOK_S, max(0.01, wait_s))


def _nowhere(topic: str, data: Mapping[str, Any]) -> None:
    """Events of a crew that nobody listens to."""


async def summary(ledger: Ledger, ident: str) -> dict[str, Any]:
    spec, (job, _) = await asyncio.gather(ledger.spec(ident), ledger.job(ident))
    return {"id": ident, "kind": spec.kind, "what": spec.what, "selection": spec.selection, "by": spec.by,
            "at": spec.at, "rules": asdict(job.rules), **job.report()}


async def nodes_of(ledger: Ledger, ident: str, states: Iterable[str] = (), first: int = 0,
                   most: int = 1000) -> list[dict[str, Any]]:
    """Rows of a job's nodes, in its order. states: only those"""
    spec, (job, _) = await asyncio.gather(ledger.spec(ident), ledger.job(ident))
    wanted = set(states)
    indexes = [index for index in range(len(spec.targets)) if not wanted or job.state(index) in wanted]
    indexes = indexes[first:first + most]
    told = await ledger.told(ident, indexes)
    return [{**asdict(spec.targets[index]), "state": job.state(index), "text": told.get(index, {}).get("text", ""),
             "at": told.get(index, {}).get("at")} for index in indexes]


def mount(app: FastAPI, gateway: Gateway) -> None:
    from toolkit.gateway import api_fleet
    from toolkit.gateway.job_work import Work

    engine = of(gateway)
    engine.declare(JOBS, BEATS)
    crew = Crew(engine, Work(gateway.nodes, gateway.events).execute, gateway.events.publish,
                lease_s=getattr(gateway.settings, "lease_s", LEASE_S))

    async def start() -> None:
        crew.start()

    gateway.on_start(start)
    gateway.on_stop(crew.stop)
    api_fleet.mount(app, gateway, crew)
