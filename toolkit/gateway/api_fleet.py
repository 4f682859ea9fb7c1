"""/api/v1/jobs, /api/v1/tags, /api/v1/engine: orders to many nodes, and what came of them."""
from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from toolkit.errors import UnknownDeviceError, UsageError
from toolkit.gateway import job_ledger, job_work, jobs
from toolkit.gateway.access import Caller
from toolkit.gateway.api.doors import Admin, Operate, TheGateway, TheNode, View, allowed, entered
from toolkit.gateway.engine import of
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.job_ledger import Spec, Target
from toolkit.gateway.job_rules import WORDS, Rules
from toolkit.gateway.jobs import Crew
from toolkit.gateway.problems import ALWAYS, responses
from toolkit.gateway.registry import NODES, Registry
from toolkit.gateway.selection import Facts, select

router = APIRouter(prefix="/api/v1", tags=["fleet"], dependencies=entered, responses=responses(*ALWAYS, 503))

Kind = Literal["command", "config", "drop", "update"]
State = Literal["waiting", "running", "done", "current", "failed", "unknown", "cancelled"]
Ident = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,32}$", description="of a job")]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]

assert set(WORDS.values()) == set(State.__args__)      # type: ignore[attr-defined]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Pace(Strict):
    """How the job goes about its nodes; job_rules.Rules."""

    concurrency: int = Field(default=20, ge=1, le=1000, description="nodes at a time, over all gateways; each takes "
                             f"up to {jobs.ROOM}, of an update up to {job_work.ROOMS['update']}, the others wait")
    phases: list[str] = Field(default=[], max_length=20, examples=[["5", "10%"]],
                              description="ends of the phases before the last; a canary of five is 5")
    per_minute: int = Field(default=0, ge=0, le=100_000, description="starts a minute; 0: no limit")
    tries: int = Field(default=3, ge=1, le=20, description="a command that ran and failed has no other")
    backoff_s: float = Field(default=5.0, ge=0, le=86_400, description="before the second try, then doubled")
    most_backoff_s: float = Field(default=300.0, ge=0, le=86_400)
    abort_pct: float = Field(default=10.0, ge=0, le=100, description="of a phase; more failures stop the job")
    skip_current: StrictBool = Field(default=True, description="leave nodes alone that have what it brings; false is "
                                     "for config alone, as drop and update know by SHA-256 what is there")


class Order(Strict):
    kind: Kind
    selection: str = Field(min_length=1, max_length=1000, examples=["name=lamp* version<2.1 not board=rp2", "all"])
    id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,32}$",
                           description="of your choice: the same order sent twice is one job, another is 409")
    command: str | None = Field(default=None, max_length=2000, description="of kind command")
    key: str | None = Field(default=None, max_length=32, description="of kind config")
    value: str | None = Field(default=None, max_length=1500, description="of kind config")
    files: dict[str, str] | None = Field(default=None, max_length=100,
                                         description="of kind drop: name on the node -> content as base64")
    force: StrictBool = Field(default=False, description="update: whatever version a node has; drop: despite findings")
    lm_only: StrictBool = Field(default=False, description="update: only the load modules")
    rules: Pace = Pace()


class JobReport(BaseModel):
    id: str
    kind: Kind
    what: dict[str, Any] = Field(description="the order's own part; no secrets, no contents of files")
    selection: str
    by: str
    at: float = Field(description="seconds since 1970")
    rules: Pace
    status: Literal["running", "paused", "stopped", "aborted", "done"] = Field(
        description="stopped: too many failures; resume goes on")
    why: str
    phase: int = Field(description="counts from 1")
    phases: list[int] = Field(description="number of nodes up to the end of each phase")
    nodes: int
    waiting: int
    running: int
    done: int
    current: int
    failed: int
    unknown: int = Field(description="it cannot be told whether they did it")
    cancelled: int


class JobNode(BaseModel):
    uid: str
    name: str
    address: str
    port: int
    state: State
    text: str = Field(description="what the node said, or why it was not reached")
    at: float | None


class Selected(BaseModel):
    uid: str
    name: str
    address: str
    port: int
    version: str
    board: str
    state: str
    tags: list[str]


class EngineState(BaseModel):
    state: Literal["up", "down", "off"]
    why: str
    replicas: int
    servers: int
    embedded: bool


class Fleet:
    """What the paths below share."""

    def __init__(self, crew: Crew, registry: Registry, engine: str | None = None) -> None:
        """engine: as in Settings"""
        self.crew = crew
        self.registry = registry
        self._is_private = is_private(engine)

    async def order(self, order: Order, caller: Caller) -> tuple[str, bool]:
        """(id, is it new). Raises UsageError, NotAllowedError, UnavailableError; then there is no such job."""
        what = job_work.CHECKS[order.kind](order.model_dump(exclude={"rules"}))
        job_work.check_skip(order.kind, order.rules.skip_current)
        if order.kind == "config":
            what["skip_current"] = order.rules.skip_current
        allowed(caller, job_work.role_for(order.kind, what), f"a job of kind {order.kind}")
        if job_work.is_secret_setting(order.kind, what) and not self._is_private:
            raise UsageError("a secret does not go through an engine that others can listen to: --engine tls://...")
        chosen = select(order.selection, await self.registry.facts())
        if not chosen:
            raise UsageError(f"no node fits {order.selection!r}: GET /api/v1/selection?expression=... shows what does")
        seen, apart = job_work.divided(order.kind, what)
        spec = Spec(order.id or job_ledger.new_ident(), order.kind, seen, [_target(each) for each in chosen],
                    order.selection, caller.ident, apart=apart)
        return spec.ident, await self.crew.create(spec, Rules.of(order.rules.model_dump()))

    async def reports(self) -> list[JobReport]:
        """Of all jobs, the newest first; without those that another version of the gateway has written."""
        told = await asyncio.gather(*map(self._report_if_there, await self.crew.ledger.idents()))
        return sorted((each for each in told if each), key=lambda job: (job.at, job.id), reverse=True)

    async def _report_if_there(self, ident: str) -> JobReport | None:
        """None of one that another version has written, or that is removed at this moment."""
        with contextlib.suppress(UnknownDeviceError):
            return await self.report(ident)
        return None

    async def report(self, ident: str) -> JobReport:
        told = await job_ledger.summary(self.crew.ledger, ident)
        seen = told["what"] if told["mark"] else job_work.shown(told["kind"], told["what"])
        return JobReport(**{**told, "what": seen})


def is_private(engine: str | None) -> bool:
    """True of an engine whose connections stay on this machine, or are encrypted."""
    return all(urlsplit(each.strip()).scheme == "tls" or _is_loopback(urlsplit(each.strip()).hostname or "")
               for each in (engine or "").split(",") if "://" in each)


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _target(facts: Facts) -> Target:
    return Target(facts.uid, facts.name, facts.address, facts.port)


def _fleet(request: Request) -> Fleet:
    fleet: Fleet = request.app.state.fleet
    return fleet


TheFleet = Annotated[Fleet, Depends(_fleet)]


@router.get("/engine")
async def engine(gateway: TheGateway, caller: View) -> EngineState:
    """Where jobs, tags and history are kept. Without it lists, commands, uploads and consoles go on."""
    return EngineState(**of(gateway).to_dict())


@router.get("/selection")
async def selection(
    fleet: TheFleet, caller: View, expression: Annotated[str, Query(min_length=1, max_length=1000, examples=["all"])],
) -> list[Selected]:
    """The nodes that an expression means now."""
    return [Selected(**{**asdict(each), "tags": list(each.tags)})
            for each in select(expression, await fleet.registry.facts())]


@router.get("/tags")
async def tags(fleet: TheFleet, caller: View) -> dict[str, list[str]]:
    """uid -> tags."""
    return await fleet.registry.tags()


@router.put("/devices/{device}/tags", responses=responses(409))
async def tag(node: TheNode, fleet: TheFleet, caller: Operate,
              tags: Annotated[list[Tag], Field(max_length=16)]) -> list[str]:
    """Replace the tags of a node."""
    await fleet.registry.tag(node.uid, tags)
    return sorted(set(tags))


@router.get("/jobs")
async def all_jobs(fleet: TheFleet, caller: View) -> list[JobReport]:
    """The newest first."""
    return await fleet.reports()


@router.post("/jobs", status_code=201, responses={
    **responses(409), 200: {"description": "there is such a job already", "model": JobReport}})
async def create(order: Order, fleet: TheFleet, caller: Operate, response: Response) -> JobReport:
    """Order something of many nodes. Commands take `operate` as on one node; config, drop and update take `admin`.

    201 and 200 mean that the job is kept and will go on whatever dies. 503: it may be kept; ask again with the same id.
    """
    ident, is_new = await fleet.order(order, caller)
    response.status_code = 201 if is_new else 200
    return await fleet.report(ident)


@router.get("/jobs/{job}")
async def one_job(job: Ident, fleet: TheFleet, caller: View) -> JobReport:
    return await fleet.report(job)


@router.get("/jobs/{job}/nodes")
async def nodes(
    job: Ident, fleet: TheFleet, caller: View,
    state: Annotated[list[State], Query(description="only these; may be repeated")] = [],      # noqa: B006
    first: Annotated[int, Query(ge=0, le=10_000)] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[JobNode]:
    """What came of each node, in the order of the job."""
    return [JobNode(**row) for row in await job_ledger.nodes_of(fleet.crew.ledger, job, state, first, most)]


@router.post("/jobs/{job}/{word}", responses=responses(409))
async def control(job: Ident, word: Literal["pause", "resume", "abort"], fleet: TheFleet, caller: Operate) -> JobReport:
    """pause: nothing new is begun. resume: go on, after a stop with new tries for the failed. abort: for ever."""
    spec = await fleet.crew.ledger.work(job)
    if word == "resume":
        allowed(caller, job_work.role_for(spec.kind, spec.whole), f"a job of kind {spec.kind}")
    await fleet.crew.control(job, word, caller.ident)
    return await fleet.report(job)


@router.delete("/jobs/{job}", status_code=204)
async def remove(job: Ident, fleet: TheFleet, caller: Admin) -> None:
    """Forget a job that is over."""
    await fleet.crew.ledger.remove(job)


def mount(app: FastAPI, gateway: Gateway, crew: Crew) -> None:
    """Called by the part `jobs`."""
    gateway.engine.declare(NODES)
    registry = Registry(gateway.engine, gateway)
    app.state.fleet = Fleet(crew, registry, gateway.settings.engine)
    gateway.on_start(registry.start)
    gateway.on_stop(registry.stop)
    app.include_router(router)
