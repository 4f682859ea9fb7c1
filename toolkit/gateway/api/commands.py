"""Commands: a line to a node, its answer back."""
from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from toolkit.console import is_secret
from toolkit.gateway.access import Caller
from toolkit.gateway.api.doors import TheGateway, TheNode, View, allowed, entered
from toolkit.gateway.errors import NotAllowedError
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.link import Answer
from toolkit.gateway.nodes import Node
from toolkit.gateway.problems import OF_A_NODE, responses
from toolkit.gateway.reading import is_reading, normal, role_for

router = APIRouter(tags=["commands"], dependencies=entered, responses=responses(*OF_A_NODE))

MOST_S = 120


class Command(BaseModel):
    command: str = Field(min_length=1, max_length=2047, examples=["rgb color r=10 g=60 b=100", "version"])
    timeout_s: float | None = Field(default=None, ge=0.1, le=MOST_S, description="the answer's, waiting included")


class Result(BaseModel):
    uid: str
    name: str
    command: str
    text: str = Field(description="the node's answer")
    ok: bool = Field(description="false: the node says that it failed")
    latency_s: float
    at: float = Field(description="seconds since 1970")


@router.post("/devices/{device}/commands")
async def run(body: Command, node: TheNode, gateway: TheGateway, caller: View) -> Result:
    """Send one command. Commands that only read take the role `view`, others `operate`, some `admin`.

    503: it was not sent. 504: it was sent and no answer came, so the node may have done it.
    """
    command = normal(body.command)
    allowed(caller, role_for(command), command)
    return await asked(gateway, node, caller, command, body.timeout_s)


@router.get("/devices/{device}/commands")
async def read(
    node: TheNode, gateway: TheGateway, caller: View,
    command: Annotated[str, Query(min_length=1, max_length=2047, examples=["version"])],
    max_age_s: Annotated[float, Query(ge=0, le=3600, description="an answer as old as this will do")] = 0,
) -> Result:
    """The answer to a command that only reads; others are refused here."""
    command = normal(command)
    if not is_reading(command):
        raise NotAllowedError("this is not known to only read, and a GET changes nothing: send it by POST")
    return await asked(gateway, node, caller, command, max_age_s=max_age_s)


async def asked(gateway: Gateway, node: Node, caller: Caller, command: str, timeout_s: float | None = None,
                max_age_s: float = 0) -> Result:
    answer = await node.ask(command, timeout_s=timeout_s, max_age_s=max_age_s)
    tell(gateway, node, caller, command, answer)
    return Result(uid=node.uid, name=node.name, command=command, **vars(answer))


def tell(gateway: Gateway, node: Node, caller: Caller, command: str, answer: Answer) -> None:
    """Who did what, for those who listen; reading is no event."""
    if not is_reading(command):
        gateway.events.publish("command", {
            "uid": node.uid, "name": node.name, "by": caller.ident, "ok": answer.ok, "latency_s": answer.latency_s,
            "command": "***" if is_secret(command) else command})
