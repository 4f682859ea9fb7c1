"""Nodes: the list, one of them, its health; looking for more."""
from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from toolkit.gateway import figures
from toolkit.gateway.api.doors import Admin, Operate, TheGateway, TheNode, View, entered
from toolkit.gateway.problems import OF_A_NODE, responses

router = APIRouter(tags=["devices"], dependencies=entered)


class Device(BaseModel):
    uid: str
    name: str
    address: str
    port: int
    state: Literal["unknown", "up", "down"] = Field(description="unknown: not looked at yet")
    why: str = Field(description="of a node that is down, or up and busy or locked")
    version: str = Field(description="of micrOS; empty: not told")
    board: str
    locked: bool = Field(description="it asks for a password that the archive does not have")
    latency_s: float | None = Field(description="of the last command")
    last_seen: float | None = Field(description="seconds since 1970")


class DeviceAndLink(Device):
    commands: int = Field(description="answered since the gateway began")
    failures: int = Field(description="of these, the node said no")
    lost: int = Field(description="sent, no answer came")
    refused: int = Field(description="not sent: too many were waiting")
    connects: int
    shared: int = Field(description="answered from what was known")
    waiting: int


class Health(BaseModel):
    at: float
    heap_used_pct: float | None
    flash_used_pct: float | None
    cpu_mhz: float | None
    uptime_s: float | None
    micropython: str
    board: str
    mac: str
    cpu_temp_c: float | None
    alarms: int | None = Field(description="how many; reading does not clear them")
    verdict: str
    log: list[str]
    boots: list[str] = Field(description="why it started, the newest first")


class Search(BaseModel):
    nodes: int
    seconds: float


@router.get("/devices")
async def devices(
    gateway: TheGateway, caller: View,
    state: Annotated[Literal["unknown", "up", "down"] | None, Query(description="only these")] = None,
) -> list[Device]:
    """Every node that is known, by name. Asks none of them."""
    return [Device(**node.to_dict()) for node in gateway.nodes.all() if state in (None, node.now.state)]


@router.post("/devices/search")
async def search(gateway: TheGateway, caller: Operate) -> Search:
    """Look for nodes now, and tell when it is done. One search runs at a time; who asks meanwhile gets its result."""
    begun = time.monotonic()
    await gateway.nodes.search()
    return Search(nodes=len(gateway.nodes), seconds=round(time.monotonic() - begun, 3))


@router.get("/devices/{device}", responses=responses(409))
async def device(node: TheNode, caller: View) -> DeviceAndLink:
    """One node, and how its link does."""
    figures_ = node.now.figures
    return DeviceAndLink(**node.to_dict(), **vars(figures_), waiting=node.link.queued)


@router.delete("/devices/{device}", status_code=204, responses=responses(409))
async def forget(node: TheNode, gateway: TheGateway, caller: Admin, response: Response) -> None:
    """Forget a node, until it is found again."""
    gateway.nodes.forget(node)
    await node.link.close()


@router.get("/devices/{device}/health", responses=responses(*OF_A_NODE))
async def health(
    node: TheNode, caller: View,
    max_age_s: Annotated[float, Query(ge=0, le=3600, description="an answer as old as this will do")] = 5,
) -> Health:
    """Memory, flash, clock, temperature and alarms, as the node tells them now."""
    told = await node.ask("system info", max_age_s=max_age_s)
    warm = await node.ask("esp32 temp", max_age_s=max_age_s)
    alarms = figures.alarms((await node.ask("system alarms", max_age_s=max_age_s)).text)
    degrees = figures.number(warm.text.rpartition(":")[2]) if warm.ok else None
    return Health(at=told.at, **vars(figures.info(told.text)), cpu_temp_c=degrees,
                  alarms=alarms.count, verdict=alarms.verdict, log=alarms.log, boots=alarms.boots)
