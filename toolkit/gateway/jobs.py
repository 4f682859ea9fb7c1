"""Fleet jobs: gateways that share the work through the engine, and may die at any moment.

A gateway does what a job's document says is its own. One whose beat stands still gives back what it had: a node of
ours knows the id and tells the outcome of that time, so that it still runs once.
"""
from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from toolkit.errors import UnknownDeviceError
from toolkit.gateway.engine import ConflictError, Engine, EngineFullError, ended, of
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.job_ledger import BEATS, JOBS, TRIES, Ledger, Outcome, Spec, Target
from toolkit.gateway.job_rules import Claim, Job, Rules

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit.gateway.gateway import Gateway

NUDGE = "micros-nudge"                  # a message that nobody keeps: there is something to do at this job
LEASE_S = 15.0                          # a gateway whose beat stands still for so long is taken for dead
ROOM = 64                               # nodes that one gateway sees to at a time
LOOK_S = 5.0                            # between two looks without a nudge
BUSY_LOOK_S = 0.5                       # the same while a job runs
OVER_S = 60.0                           # between two looks at jobs that were over: one may be removed and ordered anew

Execute = Callable[[Target, Spec, Claim], Awaitable[Outcome]]
Tell = Callable[[str, Mapping[str, Any]], None]
Key = tuple[str, str, int, int]         # job, its mark, index of the node, number of the claim

log = logging.getLogger(__name__)


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


class Crew:
    """This gateway's share of the work."""

    def __init__(self, engine: Engine, execute: Execute, tell: Tell | None = None, *, owner: str = "",
                 room: int = ROOM, rooms: Mapping[str, int] | None = None, lease_s: float = LEASE_S) -> None:
        """execute: does one node and never raises but for a fault of its own; it bounds its time itself

        room, rooms: nodes at a time, in all and of one kind of job. More of them wait, for any gateway
        """
        self.ledger = Ledger(engine)
        self.owner = owner or f"gw-{secrets.token_hex(4)}"
        self._engine = engine
        self._execute = execute
        self._tell = tell or _nowhere
        self._room = room
        self._rooms = rooms or {}
        self._lease_s = lease_s
        self._presence = Presence(lease_s)
        self._beat = 0
        self._beat_at = self._looked_at = -1e9
        self._ups = 0
        self._active: dict[str, Spec] = {}
        self._over: set[str] = set()
        self._over_at = -1e9
        self._alone: set[str] = set()                    # of Ledger.sweep()
        self._doing: dict[Key, asyncio.Task[None]] = {}
        self._finished: dict[Key, str] = {}              # claim -> its result, until the document says so
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ear_of: Client | None = None

    # -- orders
    async def create(self, spec: Spec, rules: Rules) -> bool:
        """As Ledger.create; the work begins at once."""
        is_new = await self.ledger.create(spec, Job.begin(rules, len(spec.targets), time.time()))
        if is_new:
            self._tell("job.created", {"job": spec.ident, "kind": spec.kind, "nodes": len(spec.targets), "by": spec.by})
        self._over.discard(spec.ident)
        await self._nudge_all(spec.ident)
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
            await self._nudge_all(ident)
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
            self._settle(job, self._finished_of(ident, job.mark))
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
        self._over.discard(message.data.decode("ascii", "replace"))
        self._look_anew()

    def _look_anew(self) -> None:
        self._looked_at = -1e9
        self._nudged.set()

    async def _nudge_all(self, ident: str) -> None:
        self._look_anew()
        with contextlib.suppress(UnavailableError):      # then others see it at their next look
            await self._engine.client.publish(NUDGE, ident.encode())

    async def _show_life(self, now: float) -> None:
        if self._beat_at > 0 and now - self._beat_at > self._lease_s:
            self._presence.start_over(now)               # the engine, or this process, was away
        self._beat += 1
        await self.ledger.beat(self.owner, self._beat)
        self._presence.see(await self.ledger.beats(), now)
        self._beat_at = now

    async def _find_jobs(self, now: float) -> None:
        if now - self._over_at >= OVER_S:
            self._over.clear()
            self._alone = await self.ledger.sweep(self._alone)
            self._over_at = now
        for ident in await self.ledger.idents():
            if ident not in self._active and ident not in self._over:
                with contextlib.suppress(UnknownDeviceError):        # just removed
                    await self._look_at(ident)
        self._looked_at = now

    async def _look_at(self, ident: str) -> None:
        job, _ = await self.ledger.job(ident)
        if job.is_final:
            self._over.add(ident)
        else:
            self._active[ident] = await self.ledger.work(ident)

    # -- one job
    async def _step(self, ident: str, spec: Spec) -> float:
        """Bring the document up to date with what happened here, and take on what it gives. Returns seconds to wait."""
        for _ in range(TRIES):
            try:
                job, revision = await self.ledger.job(ident)
            except UnknownDeviceError:
                self._active.pop(ident, None)
                return LOOK_S
            if job.mark != spec.mark:                # removed, and another ordered under its id
                del self._active[ident]
                self._look_anew()
                return 0.0
            status, finished = job.status, self._finished_of(ident, spec.mark)
            changes = self._settle(job, finished) + self._release(ident, job)
            changes += len(job.claim(self.owner, self._free(spec.kind), time.time()))
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
            if job.is_final:
                await self._leave(spec)
            return self._until_next(job, self._free(spec.kind))
        return 0.05

    def _finished_of(self, ident: str, mark: str) -> list[Key]:
        return [key for key in self._finished if key[:2] == (ident, mark)]

    def _free(self, kind: str) -> int:
        """Nodes that may be taken on."""
        doing = sum(self._active[ident].kind == kind for ident, *_ in self._doing if ident in self._active)
        return max(0, min(self._room - len(self._doing), self._rooms.get(kind, self._room) - doing))

    async def _leave(self, spec: Spec) -> None:
        if spec.seal:
            await self.ledger.forget_apart(spec.ident, spec.mark)
        self._active.pop(spec.ident, None)
        self._over.add(spec.ident)

    def _settle(self, job: Job, finished: Iterable[Key]) -> int:
        now = time.time()
        return sum(job.settle(*key[2:], self.owner, self._finished[key], now) for key in finished)

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
            key = (ident, spec.mark, index, number)
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
        await self._write_down(spec, claim, outcome)
        self._finished[key] = outcome.result
        del self._doing[key]
        self._nudged.set()

    async def _write_down(self, spec: Spec, claim: Claim, outcome: Outcome) -> None:
        """However long the engine is away or full: what a node has done is not lost while this gateway lives."""
        pause_s = 0.2
        while True:
            try:
                await self.ledger.tell(spec, claim, outcome)
                return
            except EngineFullError as error:
                log.warning("job %s: an outcome cannot be kept: %s", spec.ident, error)
            except UnavailableError:
                pass
            await asyncio.sleep(pause_s)
            pause_s = min(5.0, pause_s * 2)

    def _until_next(self, job: Job, room: int) -> float:
        if not job.running and job.status != "running":
            return LOOK_S
        wait_s = job.wait_s(time.time()) if room else None
        return BUSY_LOOK_S if wait_s is None else min(BUSY_LOOK_S, max(0.01, wait_s))


def _nowhere(topic: str, data: Mapping[str, Any]) -> None:
    """Events of a crew that nobody listens to."""


def mount(app: FastAPI, gateway: Gateway) -> None:
    from toolkit.gateway import api_fleet
    from toolkit.gateway.job_work import ROOMS, Work

    engine = of(gateway)
    engine.declare(JOBS, BEATS)
    crew = Crew(engine, Work(gateway.nodes, gateway.events).execute, gateway.events.publish,
                rooms=ROOMS, lease_s=getattr(gateway.settings, "lease_s", LEASE_S))

    async def start() -> None:
        crew.start()

    gateway.on_start(start)
    gateway.on_stop(crew.stop)
    api_fleet.mount(app, gateway, crew)
