"""/metrics: the fleet as Prometheus takes it. Figures of nodes are sampled now and then, never by a scrape."""
from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path as FilePath
from random import SystemRandom
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from toolkit import VERSION
from toolkit.errors import ToolkitError, UsageError
from toolkit.gateway import figures
from toolkit.gateway.api.commands import tell
from toolkit.gateway.api.doors import TheGateway, TheNode, View, allowed_by_get, entered
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.link import UP, Answer
from toolkit.gateway.nodes import Node
from toolkit.gateway.problems import ALWAYS, OF_A_NODE, responses
from toolkit.gateway.reading import normal

FILE = "samples.json"
MOST_VALUES = 64               # of one command
MOST_SAMPLES = 32
TICK_S = 0.5
FIRST_S = 0.03                 # a node's part of the time in which all are sampled first
SAMPLERS = 16                  # nodes that are asked at a time
TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format"}}
WHO = ("device", "uid")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")

log = logging.getLogger(__name__)
router = APIRouter(tags=["metrics"], dependencies=entered, responses=responses(*ALWAYS))


@dataclass(frozen=True)
class Sample:
    """A row of samples.json: a figure that is asked of nodes and told as the metric `micros_<metric>`.

    value     the key in the answer, as /metrics/<device>/<cmd> shows it; "" for the only one
    devices   patterns of names or uids
    """

    command: str
    metric: str
    value: str = ""
    help: str = ""
    devices: tuple[str, ...] = ("*",)

    def is_for(self, node: Node) -> bool:
        return any(fnmatchcase(node.name, each) or fnmatchcase(node.uid, each) for each in self.devices)


@dataclass
class Sampled:
    """The last figures of one node."""

    info: figures.Info = field(default_factory=figures.Info)
    celsius: float | None = None
    alarms: int | None = None
    values: dict[str, float] = field(default_factory=dict)      # metric -> value
    has_thermometer: bool = True


def samples(path: FilePath) -> tuple[Sample, ...]:
    """The rows of a samples.json; none without the file. Raises UsageError that names what is wrong."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        made = tuple(_sample(row) for row in rows)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a list of samples ({error}): expected rows like "
                         '{"command": "dht22 measure", "metric": "air_temperature_celsius", "value": "temp"}') from None
    if len(made) > MOST_SAMPLES:
        raise UsageError(f"{path} has {len(made)} samples, and {MOST_SAMPLES} is the most")
    return made


def _sample(row: dict[str, Any]) -> Sample:
    devices = row.get("devices", ["*"])
    made = Sample(normal(str(row["command"])), str(row["metric"]), str(row.get("value", "")), str(row.get("help", "")),
                  tuple(map(str, devices)))
    if not _NAME.fullmatch(made.metric):
        raise ValueError(f"a metric is small letters, digits and _, got {made.metric!r}")
    return made


class Sampler:
    """Asks every node that is up for its figures, once in `sample_s`, each at its own moment."""

    def __init__(self, gateway: Gateway, wanted: tuple[Sample, ...]) -> None:
        self.wanted = wanted
        self.known: dict[str, Sampled] = {}
        self._gateway = gateway
        self._due: dict[str, float] = {}               # uid -> time.monotonic()
        self._gate = asyncio.Semaphore(SAMPLERS)
        self._chore: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._chore = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._chore:
            self._chore.cancel()
            await asyncio.gather(self._chore, return_exceptions=True)

    async def _run(self) -> None:
        every_s = self._gateway.settings.sample_s
        while True:
            nodes, now = self._gateway.nodes.all(), time.monotonic()
            self.known = {node.uid: self.known.get(node.uid, Sampled()) for node in nodes}
            spread_s = min(every_s, FIRST_S * len(nodes))           # a thousand that come up at once take turns
            for node in nodes:
                if node.uid not in self._due and node.now.state == UP:
                    self._due[node.uid] = now + spread_s * SystemRandom().random()
            due = [node for node in nodes if node.now.state == UP and self._due[node.uid] <= now]
            self._due.update({node.uid: now + every_s * SystemRandom().uniform(0.75, 1.0) for node in due})
            await asyncio.gather(*(self._of(node) for node in due))
            await asyncio.sleep(TICK_S)

    async def _of(self, node: Node) -> None:
        try:
            async with self._gate:
                await self._taken(node, self.known[node.uid])
        except (ToolkitError, KeyError) as error:
            log.debug("no figures of %s: %s", node.name, error)
        except Exception:           # outer wall: the other nodes have figures, too
            log.exception("the figures of %s cannot be read", node.name)

    async def _taken(self, node: Node, known: Sampled) -> None:
        told = await node.ask("system info")
        known.info = figures.info(told.text)
        known.alarms = figures.alarms((await node.ask("system alarms")).text).count
        if known.has_thermometer:
            warm = await node.ask("esp32 temp")
            known.celsius = figures.number(warm.text.rpartition(":")[2]) if warm.ok else None
            known.has_thermometer = known.celsius is not None
        values: dict[str, float] = {}
        try:
            await self._chosen(node, values)
        finally:                         # one sensor that is silent costs those before it nothing
            known.values = values
            self._tell(node, known, told)

    async def _chosen(self, node: Node, values: dict[str, float]) -> None:
        for each in self.wanted:
            if each.is_for(node):
                answer = await node.ask(f"{each.command} >json")
                found = dict(figures.values(answer.text)) if answer.ok else {}
                if value := _picked(found, each.value):
                    values[each.metric] = value[0]

    def _tell(self, node: Node, known: Sampled, told: Answer) -> None:
        """All figures as one event `telemetry`. slot: gateways that share an engine keep one sample in each."""
        rows = {"heap_used_pct": known.info.heap_used_pct, "flash_used_pct": known.info.flash_used_pct,
                "latency_ms": round(1000 * told.latency_s, 3), "cpu_temp_c": known.celsius, "alarms": known.alarms,
                **known.values}
        self._gateway.events.publish("telemetry", {
            "uid": node.uid, "at": told.at, "slot": int(told.at // self._gateway.settings.sample_s),
            "values": {metric: value for metric, value in rows.items() if value is not None}})


def _picked(found: dict[str, float], key: str) -> list[float]:
    if key:
        return [found[key]] if key in found else []
    return list(found.values())[:1]


class Fleet(Collector):
    """What is known of all nodes, as metrics; asks none of them."""

    def __init__(self, gateway: Gateway, sampler: Sampler) -> None:
        self._gateway = gateway
        self._sampler = sampler

    def describe(self) -> list[Metric]:
        return []                # or the registry would collect at its making

    def collect(self) -> Iterator[Metric]:
        nodes = self._gateway.nodes.all()
        yield from self._of_gateway(nodes)
        yield _info(nodes, self._sampler.known)
        for make, name, text, value in _COLUMNS:
            yield _column(make, name, text, [(node, value(node, self._known(node))) for node in nodes])
        for each in self._sampler.wanted:
            rows = [(node, self._known(node).values.get(each.metric)) for node in nodes]
            yield _column(GaugeMetricFamily, f"micros_{each.metric}", each.help or f"{each.command} {each.value}", rows)

    def _known(self, node: Node) -> Sampled:
        return self._sampler.known.get(node.uid) or Sampled()

    def _of_gateway(self, nodes: list[Node]) -> Iterator[Metric]:
        states = GaugeMetricFamily("micros_nodes", "Nodes that are known, by state.", labels=["state"])
        for state in ("up", "down", "unknown"):
            states.add_metric([state], sum(node.now.state == state for node in nodes))
        yield states
        about = GaugeMetricFamily("micros_gateway_info", "This gateway.", labels=["version"])
        about.add_metric([VERSION], 1)
        yield about
        yield GaugeMetricFamily("micros_gateway_listeners", "Event streams that are open.",
                                self._gateway.events.listeners)
        yield CounterMetricFamily("micros_gateway_events_dropped", "Events that found a listener's box full.",
                                  self._gateway.events.dropped)


def _info(nodes: list[Node], known: dict[str, Sampled]) -> Metric:
    made = GaugeMetricFamily("micros_node_info", "What a node is; always 1.",
                             labels=[*WHO, "address", "version", "board", "micropython"])
    for node in nodes:
        info = known.get(node.uid, Sampled()).info
        made.add_metric([node.name, node.uid, node.device.where, node.version, info.board or node.board,
                         info.micropython], 1)
    return made


def _column(make: type[GaugeMetricFamily] | type[CounterMetricFamily], name: str, text: str,
            rows: list[tuple[Node, float | None]]) -> Metric:
    made = make(name, text, labels=list(WHO))
    for node, value in rows:
        if value is not None:
            made.add_metric([node.name, node.uid], value)
    return made


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


_COLUMNS: tuple[tuple[Any, str, str, Any], ...] = (
    (GaugeMetricFamily, "micros_node_up", "1: the node answers.", lambda node, known: float(node.now.state == UP)),
    (GaugeMetricFamily, "micros_node_last_seen_timestamp_seconds", "When it last answered.",
     lambda node, known: node.now.last_seen),
    (GaugeMetricFamily, "micros_node_latency_seconds", "From the last command to its whole answer.",
     lambda node, known: node.now.latency_s),
    (GaugeMetricFamily, "micros_node_heap_used_ratio", "Heap in use.",
     lambda node, known: _share(known.info.heap_used_pct)),
    (GaugeMetricFamily, "micros_node_flash_used_ratio", "File system in use.",
     lambda node, known: _share(known.info.flash_used_pct)),
    (GaugeMetricFamily, "micros_node_cpu_temperature_celsius", "Of the chip.", lambda node, known: known.celsius),
    (GaugeMetricFamily, "micros_node_uptime_seconds", "Since its last start.", lambda node, known: known.info.uptime_s),
    (GaugeMetricFamily, "micros_node_alarms", "Alarms in its log.", lambda node, known: known.alarms),
    (CounterMetricFamily, "micros_node_commands", "Commands that it answered.",
     lambda node, known: node.now.figures.commands),
    (CounterMetricFamily, "micros_node_command_failures", "Of these, it said no.",
     lambda node, known: node.now.figures.failures),
    (CounterMetricFamily, "micros_node_commands_lost", "Commands that were sent and had no answer.",
     lambda node, known: node.now.figures.lost),
    (CounterMetricFamily, "micros_node_commands_refused", "Commands that were not sent: too many waited.",
     lambda node, known: node.now.figures.refused),
    (CounterMetricFamily, "micros_node_connects", "Sessions that were opened.",
     lambda node, known: node.now.figures.connects),
)


def mount(app: FastAPI, gateway: Gateway) -> None:
    sampler = Sampler(gateway, samples(gateway.settings.folder / FILE))
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Fleet(gateway, sampler))
    app.state.metrics, app.state.sampler = registry, sampler
    gateway.on_start(sampler.start)
    gateway.on_stop(sampler.stop)
    app.include_router(router)


@router.get("/metrics", response_class=Response, responses=TEXT)
async def metrics(request: Request, caller: View) -> Response:
    """Figures of the fleet. Asks no node."""
    return _text(generate_latest(request.app.state.metrics))


@router.get("/metrics/{device}/{cmd:path}", response_class=Response, responses={**TEXT, **responses(*OF_A_NODE)})
async def of_command(
    request: Request, node: TheNode, gateway: TheGateway, caller: View,
    cmd: Annotated[str, Path(min_length=1, max_length=2000, description="+ stands for a blank")],
) -> Response:
    """Every figure in a node's answer, as gauges `micrOS_<name>__<command>_<key>`.

    A command that only reads, or stands in samples.json, takes `view`; others are sent as any, and take `operate`.
    """
    line = normal(cmd.replace("+", " ")).removesuffix(">json").strip()
    if line not in (each.command for each in request.app.state.sampler.wanted):
        allowed_by_get(caller, line)
    answer = await node.ask(f"{line} >json")
    tell(gateway, node, caller, line, answer)
    found = list(figures.values(answer.text))[:MOST_VALUES] if answer.ok else []
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Rows(node.name, line, found))
    return _text(generate_latest(registry))


class _Rows(Collector):
    def __init__(self, device: str, line: str, found: list[tuple[str, float]]) -> None:
        self._begin, self._line = f"micrOS_{_word(device)}__{_word(line)}", line
        self._found = {_word(key): value for key, value in found}

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        for key, value in self._found.items():
            yield GaugeMetricFamily(f"{self._begin}_{key}", f"{key} of {self._line}", value)


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "value"


def _text(page: bytes) -> Response:
    return Response(page, media_type=CONTENT_TYPE_PLAIN_0_0_4)
