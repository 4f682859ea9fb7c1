"""What was measured, and what happened: kept in the engine, bounded by age and size, told as JSON, CSV or a picture.

Values come as events `telemetry` {"uid", "at", "values": {metric: number}}, of those who ask nodes, and by MQTT; those
of a thing of the Device Cloud are with its samples. While the engine is away values wait here, as many as there is
room for; the oldest go first and are counted. What came by MQTT waits where it is.
"""
from __future__ import annotations

import asyncio
import csv
import io
import json
import logging
import math
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Literal
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from pydantic import BaseModel, Field

from toolkit.errors import UnknownDeviceError, UsageError
from toolkit.gateway.api.doors import TheGateway, View, entered
from toolkit.gateway.cloud.samples import Samples
from toolkit.gateway.engine import MIB, Engine, EngineFullError, Store, ended, escaped, of, unescaped
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.mqtt_readings import Readings
from toolkit.gateway.problems import ALWAYS, responses

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway

DAY_S = 86_400
VALUES = Store("history", 256 * MIB, 90 * DAY_S, is_log=True, per_key=50_000)      # <uid>.<metric>
EVENTS = Store("events", 32 * MIB, 30 * DAY_S, is_log=True, per_key=-1)            # <topic>
BOX = 20_000                     # samples that wait for the engine
AT_ONCE = 100
MOST_POINTS = 10_000
MOST_METRICS = 64                # of one node
MOST_NODES = 10_000              # whose metrics are remembered here
MOST_OF_THING = 100_000          # samples of a thing that are read for an answer
# too many, or kept as values
QUIET_TOPICS = ("drop.progress", "telemetry", "cloud.property", "cloud.attribute", "cloud.location", "cloud.log")
WIDTH, HEIGHT, MARGIN = 800, 300, 50

_METRIC = re.compile(r"[A-Za-z0-9_.:/ -]{1,60}")

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1/history", tags=["history"], dependencies=entered,
                   responses=responses(*ALWAYS, 409, 503))

Point = tuple[float, float]      # seconds since 1970, value


@dataclass(frozen=True)
class Sample:
    """at: seconds since 1970; ident: of two with the same one only the first is kept"""

    uid: str
    metric: str
    value: float
    at: float
    ident: str = ""


class History:
    """Takes samples, and gives them back."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        self.dropped = 0
        self.why = ""                                 # why samples wait, "" when they do not
        self._engine = engine
        self._gateway = gateway
        self._box: deque[Sample] = deque()
        self._news = asyncio.Event()
        self._chores: list[asyncio.Task[None]] = []
        self._metrics: dict[str, set[str]] = {}       # uid -> keys that the engine has
        self.readings = Readings(engine, self._kept)

    def keep(self, uid: str, metric: str, value: float, at: float | None = None, ident: str = "") -> None:
        """Never waits. Raises UsageError for what is no metric, or no number."""
        if not _METRIC.fullmatch(metric) or not math.isfinite(value):
            raise UsageError(f"a metric is up to 60 letters and digits, its value finite, got {metric[:60]!r}: {value}")
        if len(self._box) >= BOX:
            self._box.popleft()
            self.dropped += 1
        self._box.append(Sample(uid, metric, float(value), time.time() if at is None else at, ident))
        self._news.set()

    @property
    def waiting(self) -> int:
        return len(self._box)

    async def metrics(self, uid: str) -> dict[str, Point]:
        """metric -> its last point."""
        keys = await self._engine.keys(VALUES, f"{escaped(uid)}.*")
        found = await asyncio.gather(*(self._engine.get(VALUES, key) for key in keys))
        return {unescaped(entry.key.partition(".")[2]): _point(entry.value) for entry in found if entry}

    async def points(self, uid: str, metric: str, since: float, until: float) -> list[Point]:
        """In the order of their time, each once."""
        key = f"{escaped(uid)}.{escaped(metric)}"
        found = [_point(entry.value) async for entry in self._engine.scan(VALUES, key, max(0.0, since - 60))]
        return sorted({point for point in found if since <= point[0] <= until})

    async def events(self, topics: str, since: float, most: int) -> list[dict[str, Any]]:
        """The last ones."""
        found: deque[dict[str, Any]] = deque(maxlen=most)
        async for entry in self._engine.scan(EVENTS, ">", since):
            row = json.loads(entry.value)
            if any(fnmatchcase(row["topic"], each.strip()) for each in topics.split(",")):
                found.append(row)
        return list(found)

    # -- taking in
    async def start(self) -> None:
        chores = self._writing, self._listening, self._noting, self.readings.run
        self._chores = [asyncio.create_task(chore()) for chore in chores]

    async def stop(self) -> None:
        await ended(self._chores)

    async def _writing(self) -> None:
        while True:
            self._news.clear()
            if not self._box:
                await self._news.wait()
            batch = [self._box[at] for at in range(min(AT_ONCE, len(self._box)))]
            try:
                await asyncio.gather(*map(self._write, batch))
            except UnavailableError as error:
                if str(error) != self.why:
                    (log.warning if isinstance(error, EngineFullError) else log.info)("samples wait: %s", error)
                self.why = str(error)
                await asyncio.sleep(1.0)
                continue
            self.why = ""
            for sample in batch:
                if self._box and self._box[0] is sample:       # else it was dropped meanwhile
                    self._box.popleft()

    async def _write(self, sample: Sample) -> None:
        """Written twice, as after a lost answer, it is one for the engine."""
        key = f"{escaped(sample.uid)}.{escaped(sample.metric)}"
        if not await self._has_room(sample.uid, key):
            self.dropped += 1
            return
        ident = sample.ident or f"{sample.uid}/{sample.metric}/{sample.at!r}"
        await self._engine.put(VALUES, key, json.dumps([sample.at, sample.value]).encode(), ident)

    async def _has_room(self, uid: str, key: str) -> bool:
        """Whoever makes up metrics has his own part of the room, not that of the other nodes."""
        if uid not in self._metrics:
            found = set(await self._engine.keys(VALUES, f"{escaped(uid)}.*"))
            if len(self._metrics) >= MOST_NODES:
                self._metrics.clear()
            self._metrics.setdefault(uid, found)
        known = self._metrics[uid]
        if len(known) < MOST_METRICS:
            known.add(key)
        return key in known

    async def _kept(self, uid: str, at: float, values: Mapping[str, float]) -> None:
        """When it returns they are in the engine. Raises UnavailableError."""
        await asyncio.gather(*(self._write(Sample(uid, metric, value, at)) for metric, value in values.items()))

    async def _listening(self) -> None:
        with self._gateway.events.subscribe("telemetry", 2000) as news:
            async for event in news:
                self._take(event.data)

    async def _noting(self) -> None:
        """Events are kept as they come; those that come while the engine is away are not."""
        with self._gateway.events.subscribe("*", 2000) as news:
            async for event in news:
                if event.topic in QUIET_TOPICS:
                    continue
                row = {"topic": event.topic, "at": event.at, "data": dict(event.data)}
                try:
                    await self._engine.put(EVENTS, ".".join(map(escaped, event.topic.split("."))),
                                           json.dumps(row, default=str).encode())
                except UnavailableError as error:
                    log.debug("an event is not kept: %s", error)

    def _take(self, data: Mapping[str, Any]) -> None:
        """Of an event. With a slot, of two that come in the same one the first is kept."""
        for metric, value in data["values"].items():
            ident = f"{data['uid']}/{metric}/{data['slot']}" if "slot" in data else ""
            try:
                self.keep(data["uid"], metric, value, data.get("at"), ident)
            except UsageError as error:
                log.debug("no sample: %s", error)


def _point(data: bytes) -> Point:
    at, value = json.loads(data)
    return at, value


# -- shown


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most so many: means of equal stretches of time; a stretch without points has none."""
    if len(points) <= most:
        return list(points)
    first, span = points[0][0], points[-1][0] - points[0][0] or 1.0
    slots: dict[int, list[Point]] = {}
    for point in points:
        slots.setdefault(min(most - 1, int((point[0] - first) / span * most)), []).append(point)
    return [(sum(at for at, _ in slot) / len(slot), sum(value for _, value in slot) / len(slot))
            for slot in slots.values()]


def as_csv(points: Iterable[Point]) -> str:
    """RFC 4180, times as ISO 8601 in UTC."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("time", "seconds", "value"))
    writer.writerows((_iso(at), at, value) for at, value in points)
    return text.getvalue()


def as_svg(points: Sequence[Point], title: str) -> str:
    """A line over time, with its ends written at the axes."""
    low, high = min((v for _, v in points), default=0.0), max((v for _, v in points), default=1.0)
    first, last = (points[0][0], points[-1][0]) if points else (0.0, 1.0)
    spread, span = high - low or 1.0, last - first or 1.0
    line = " ".join(f"{MARGIN + (at - first) / span * (WIDTH - 2 * MARGIN):.1f},"
                    f"{HEIGHT - MARGIN - (value - low) / spread * (HEIGHT - 2 * MARGIN):.1f}" for at, value in points)
    words = (
        (MARGIN, MARGIN - 20, "start", title), (MARGIN - 4, MARGIN + 4, "end", f"{high:g}"),
        (MARGIN - 4, HEIGHT - MARGIN, "end", f"{low:g}"),
        (MARGIN, HEIGHT - MARGIN + 20, "start", _iso(first) if points else "no values"),
        (WIDTH - MARGIN, HEIGHT - MARGIN + 20, "end", _iso(last) if points else ""))
    texts = "".join(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(word)}</text>'
                    for x, y, anchor, word in words)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>'
            f'<path d="M{MARGIN},{MARGIN} V{HEIGHT - MARGIN} H{WIDTH - MARGIN}" fill="none" stroke="gray"/>'
            f'<polyline points="{line}" fill="none" stroke="steelblue" stroke-width="1.5"/>{texts}</svg>')


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


# -- /api/v1/history


class Kept(BaseModel):
    metric: str
    at: float = Field(description="seconds since 1970")
    value: float = Field(description="the last one")


class Series(BaseModel):
    uid: str
    metric: str
    points: list[list[float]] = Field(description="seconds since 1970, value")


class Happened(BaseModel):
    topic: str
    at: float
    data: dict[str, Any]


def _history(request: Request) -> History:
    history: History = request.app.state.history
    return history


TheHistory = Annotated[History, Depends(_history)]


async def _whose(
    gateway: TheGateway, history: TheHistory,
    device: Annotated[str, Path(min_length=1, max_length=80, description="uid, name, address or address:port")],
) -> tuple[str, str]:
    """(uid, name). A node that only MQTT reaches goes by its uid. Raises UnknownDeviceError."""
    try:
        node = gateway.nodes.find(device)
    except UnknownDeviceError:
        if await history.metrics(device):
            return device, device
        raise
    return node.uid, node.name


async def _samples(request: Request) -> Samples:
    """Of things. Raises UnavailableError when this gateway is no cloud."""
    cloud = getattr(request.app.state, "cloud", None)
    if cloud is None:
        raise UnavailableError("this gateway has no cloud: no thing tells it anything")
    samples: Samples = cloud.samples
    return samples


TheSamples = Annotated[Samples, Depends(_samples)]
Whose = Annotated[tuple[str, str], Depends(_whose)]
Thing = Annotated[str, Path(min_length=1, max_length=128, description="key of a thing of the Device Cloud")]
Metric = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.: -]{1,60}$")]
Most = Annotated[int, Query(ge=2, le=MOST_POINTS, description="points; more are put together")]
Format = Annotated[Literal["json", "csv", "svg"], Query()]
PICTURES: dict[int | str, dict[str, Any]] = {200: {"content": {
    "text/csv": {"schema": {"type": "string"}}, "image/svg+xml": {"schema": {"type": "string"}}}}}
Since = Annotated[float, Query(ge=-1e10, le=1e11, description="seconds since 1970; 0 or less: so many before now")]
Until = Annotated[float | None, Query(ge=0, le=1e11)]


def moment(seconds: float) -> float:
    return seconds if seconds > 0 else time.time() + seconds


@router.get("/events")
async def happened(
    history: TheHistory, caller: View,
    topics: Annotated[str, Query(max_length=200, description="with * in them, commas between")] = "*",
    since: Since = -DAY_S, most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Happened]:
    """The last events that all gateways of this engine have told."""
    return [Happened(**row) for row in await history.events(topics, moment(since), most)]


@router.get("/devices/{device}")
async def kept(whose: Whose, history: TheHistory, caller: View) -> list[Kept]:
    """What is kept of a node: each metric with its last value."""
    return [Kept(metric=metric, at=at, value=value)
            for metric, (at, value) in sorted((await history.metrics(whose[0])).items())]


@router.get("/devices/{device}/{metric}", response_model=Series, responses=PICTURES)
async def series(
    whose: Whose, history: TheHistory, caller: View, metric: Metric,
    since: Since = -DAY_S, until: Until = None, most: Most = 1000, format: Format = "json",
) -> Any:
    """Values over time: JSON, CSV to export (all points, most does not count), SVG as a picture."""
    points = await history.points(whose[0], metric, moment(since), time.time() + 1 if until is None else until)
    return _told(points, whose[0], whose[1], metric, most, format)


@router.get("/things/{thing}")
async def kept_of_thing(thing: Thing, samples: TheSamples, caller: View) -> list[Kept]:
    """The properties of a thing that are numbers: each with its last value."""
    known = (await samples.lasts(thing)).get("property", {})
    return [Kept(metric=name, at=item["at"], value=item["value"])
            for name, item in sorted(known.items()) if is_number(item["value"])]


@router.get("/things/{thing}/{metric:path}", response_model=Series, responses=PICTURES)
async def series_of_thing(
    thing: Thing, samples: TheSamples, caller: View,
    metric: Annotated[str, Path(min_length=1, max_length=128, description="name of a property")],
    since: Since = -DAY_S, until: Until = None, most: Most = 1000, format: Format = "json",
) -> Any:
    """A property of a thing over time, as that of a node."""
    told = await samples.told(thing, "property", metric, moment(since), MOST_OF_THING)
    points = [(item["at"], float(item["value"])) for item in told
              if is_number(item["value"]) and (until is None or item["at"] <= until)]
    return _told(points, thing, thing, metric, most, format)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _told(points: list[Point], uid: str, name: str, metric: str, most: int, format: str) -> Any:
    if format == "csv":
        return Response(as_csv(points), media_type="text/csv", headers={
            "Content-Disposition": f'attachment; filename="{escaped(uid)}-{escaped(metric)}.csv"'})
    if format == "svg":
        return Response(as_svg(thinned(points, most), f"{name} {metric}"), media_type="image/svg+xml")
    return Series(uid=uid, metric=metric, points=[list(point) for point in thinned(points, most)])


def mount(app: FastAPI, gateway: Gateway) -> None:
    engine = of(gateway)
    engine.declare(VALUES, EVENTS)
    app.state.history = History(engine, gateway)
    gateway.on_start(app.state.history.start)
    gateway.on_stop(app.state.history.stop)
    app.include_router(router)
