"""The paths of the gateway of 1.20, with their JSON; where they misled, they say what their names say (SPEC 13)."""
from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from toolkit.errors import ToolkitError
from toolkit.gateway import figures
from toolkit.gateway.api.commands import tell
from toolkit.gateway.api.doors import Operate, TheGateway, TheNode, View, allowed_by_get, entered
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.nodes import Node, Nodes
from toolkit.gateway.problems import ALWAYS, OF_A_NODE, responses
from toolkit.gateway.reading import normal

VERSION = "v1.1"                 # of this set of paths, as 1.20 tells it
SEARCH_S, STATUS_S = 30.0, 60.0  # within so long the same result is told again
AT_ONCE = 64                     # nodes that are asked for /status at a time
START, RUNNING, DONE = "Start", "Running", "Done"

router = APIRouter(tags=["as in 1.20"], responses=responses(*ALWAYS))

# address, port, name: as lists, since OpenAPI as FastAPI writes it cannot say what a tuple holds
DeviceRow = Annotated[list[str | int], Field(min_length=3, max_length=3)]


class Overview(BaseModel):
    gateway: str = Field(alias="micrOS gateway")
    list_: str = Field(alias="/list")
    search: str = Field(alias="/search")
    status: str = Field(alias="/status")
    sendcmd: str = Field(alias="/sendcmd/<device>/<cmd>")


class ListMetrics(BaseModel):
    status: str
    last_sec: float = Field(alias="last[sec]")


class Listed(BaseModel):
    online: dict[str, DeviceRow]
    offline: dict[str, DeviceRow]
    gateway_metrics: ListMetrics


class SearchMetrics(ListMetrics):
    qlimit_sec: float = Field(alias="qlimit[sec]")


class Found(BaseModel):
    devices: dict[str, DeviceRow]
    gateway_metrics: SearchMetrics


class AlarmRow(BaseModel):
    verdict: str
    log: list[str]


class StatusRow(BaseModel):
    verdict: str
    fuid: str
    devip: str
    version: str
    alarms: AlarmRow
    latency: float | None
    upython: str
    cpu_temp: str
    free_fs: str
    free_ram: str


class StatusMetrics(SearchMetrics):
    device_count: int
    availability: float = Field(alias="availablity[%]")


class Statuses(BaseModel):
    devices: dict[str, StatusRow]
    gateway_metrics: StatusMetrics


class Sent(BaseModel):
    cmd: list[str]
    device: Annotated[list[str | int], Field(min_length=4, max_length=4, description="uid, address, port, name")]
    latency: float
    response: str | list[str]


@dataclass
class Chore:
    """Something long that runs in the background, once in a while, whoever asks for it."""

    least_s: float
    ended_at: float = -1e9
    took_s: float = 0.0
    task: asyncio.Task[None] | None = None

    def wanted(self, work: Coroutine[Any, Any, None]) -> str:
        """Start the work unless it is under way or was done just now. Returns which of these it is."""
        if self.task and not self.task.done():
            work.close()
            return RUNNING
        if time.monotonic() - self.ended_at < self.least_s:
            work.close()
            return DONE
        self.task = asyncio.create_task(self._run(work))
        return START

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        begun = time.monotonic()
        try:
            await work
        finally:
            self.ended_at = time.monotonic()
            self.took_s = round(self.ended_at - begun, 2)


class Classic:
    """What the paths remember between two requests."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.search = Chore(SEARCH_S)
        self.status = Chore(STATUS_S)
        self.statuses: dict[str, StatusRow] = {}

    async def look_at_all(self) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(node: Node) -> tuple[str, StatusRow]:
            async with gate:
                return node.uid, await _status(node)

        self.statuses = dict(await asyncio.gather(*(one(node) for node in self.nodes.all())))

    async def stop(self) -> None:
        for chore in (self.search, self.status):
            if chore.task:
                chore.task.cancel()


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.state.classic = classic = Classic(gateway.nodes)
    gateway.on_stop(classic.stop)
    app.include_router(router)


async def _classic(request: Request) -> Classic:
    classic: Classic = request.app.state.classic
    return classic


The = Annotated[Classic, Depends(_classic)]


@router.get("/", response_model=Overview, responses={307: {"description": "a browser is sent to the pages"}})
async def overview(request: Request, gateway: TheGateway) -> Overview | Response:
    """What there is. A browser is sent on to the pages."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(gateway.start_page)
    return Overview(**{"micrOS gateway": VERSION, "/list": "List known devices.", "/search": "Search devices.",
                       "/status": "Show the health of all devices.",
                       "/sendcmd/<device>/<cmd>": "Send a command to a device; + stands for a blank."})


@router.get("/list/", dependencies=entered)
@router.get("/list", dependencies=entered, include_in_schema=False)
async def listed(classic: The, caller: View) -> Listed:
    """Every known node, by whether it answered when it was last looked at."""
    nodes = classic.nodes.all()
    online = {node.uid: _row(node) for node in nodes if node.now.state == "up"}
    status = "running" if classic.nodes.searching else DONE
    return Listed(online=online, offline={node.uid: _row(node) for node in nodes if node.uid not in online},
                  gateway_metrics=ListMetrics.model_validate({"status": status, "last[sec]": classic.nodes.searched_s}))


@router.get("/search/", dependencies=entered)
@router.get("/search", dependencies=entered, include_in_schema=False)
async def search(classic: The, caller: View) -> Found:
    """Begin a search when the last is 30 s old, and tell what is known."""
    status = classic.search.wanted(classic.nodes.search())
    metrics = {"status": status, "last[sec]": classic.search.took_s, "qlimit[sec]": SEARCH_S}
    return Found(devices={node.uid: _row(node) for node in classic.nodes.all()},
                 gateway_metrics=SearchMetrics.model_validate(metrics))


@router.get("/status", dependencies=entered)
@router.get("/status/", dependencies=entered, include_in_schema=False)
async def status(classic: The, caller: View) -> Statuses:
    """Health of all nodes, looked at in the background every 60 s when asked for. Clears no alarm."""
    state = classic.status.wanted(classic.look_at_all())
    nodes = classic.nodes.all()
    up = sum(node.now.state == "up" for node in nodes)
    return Statuses(devices=classic.statuses, gateway_metrics=StatusMetrics.model_validate({
        "status": state, "last[sec]": classic.status.took_s, "qlimit[sec]": STATUS_S, "device_count": len(nodes),
        "availablity[%]": round(100 * up / len(nodes), 1) if nodes else 0.0}))


@router.get("/sendcmd/{device}/{cmd:path}", dependencies=entered, responses=responses(*OF_A_NODE))
async def send_command(
    node: TheNode, gateway: TheGateway, caller: Operate,
    cmd: Annotated[str, Path(min_length=1, max_length=2047, description="+ stands for a blank")],
) -> Sent:
    """Send a command. It is never sent twice: 504 says that it was sent and that no answer came."""
    line = normal(cmd.replace("+", " "))
    allowed_by_get(caller, line)
    answer = await node.ask(line)
    tell(gateway, node, caller, line, answer)
    return Sent(cmd=line.split(), device=[node.uid, *_row(node)], latency=round(answer.latency_s, 3),
                response=_response(line, answer.text))


def _row(node: Node) -> list[str | int]:
    return [node.device.address, node.device.port, node.name]


def _response(line: str, text: str) -> str | list[str]:
    """One line as text, several as a list; blanks around them stay in `help` only."""
    lines = text.splitlines()
    if line.split()[-1] != "help" and line.split()[0] != "help":
        lines = [each.strip() for each in lines]
    return lines if len(lines) > 1 else "".join(lines)


async def _status(node: Node) -> StatusRow:
    try:
        info = figures.info((await node.ask("system info")).text)
        warm = await node.ask("esp32 temp")
        alarms = figures.alarms((await node.ask("system alarms")).text)
    except ToolkitError as error:
        return StatusRow(verdict="UNHEALTHY", fuid=node.name, devip=node.device.address, version=node.version,
                         alarms=AlarmRow(verdict=str(error), log=[]), latency=None, upython="", cpu_temp="", free_fs="",
                         free_ram="")
    return StatusRow(
        verdict="HEALTHY" if alarms.count == 0 else "UNHEALTHY", fuid=node.name, devip=node.device.address,
        version=node.version, alarms=AlarmRow(verdict=alarms.verdict, log=alarms.log),
        latency=round(node.now.latency_s or 0.0, 3), upython=info.micropython,
        cpu_temp=warm.text.rpartition(":")[2].strip() if warm.ok else "",
        free_fs=_free(info.flash_used_pct), free_ram=_free(info.heap_used_pct))


def _free(used_pct: float | None) -> str:
    return "" if used_pct is None else f"{100 - used_pct:.1f} %"
