"""Tasks of a node: which run, what they said, and an end to them."""
from __future__ import annotations

import json
import re
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from toolkit.gateway.api.commands import tell
from toolkit.gateway.api.doors import Operate, TheGateway, TheNode, View, entered
from toolkit.gateway.errors import UnknownThingError
from toolkit.gateway.nodes import Node
from toolkit.gateway.problems import OF_A_NODE, responses

router = APIRouter(tags=["tasks"], dependencies=entered, responses=responses(*OF_A_NODE))

_ROW = re.compile(r"^(Yes|No)\s+(\S+)$")
Tag = Annotated[str, Path(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.]{0,63}$", examples=["rgb.transition"])]


class Task(BaseModel):
    tag: str
    active: bool


class Output(BaseModel):
    tag: str
    text: str


@router.get("/devices/{device}/tasks")
async def tasks(node: TheNode, caller: View) -> list[Task]:
    """The node's own tasks (no dot in the tag) and those that somebody has started."""
    return await tasks_of(node)


@router.get("/devices/{device}/tasks/{tag}")
async def output(tag: Tag, node: TheNode, caller: View) -> Output:
    """The last output of a task, 1024 characters at most."""
    text = (await node.ask(f"task show {tag}")).text
    _known(text, tag)
    return Output(tag=tag, text=text)


@router.delete("/devices/{device}/tasks/{tag}")
async def kill(tag: Tag, node: TheNode, gateway: TheGateway, caller: Operate) -> Output:
    """End a task. The text is what the node says of it."""
    command = f"task kill {tag}"
    answer = await node.ask(command)
    tell(gateway, node, caller, command, answer)
    _known(answer.text, tag)
    return Output(tag=tag, text=answer.text)


async def tasks_of(node: Node) -> list[Task]:
    text = (await node.ask("task list >json")).text
    try:
        told = json.loads(text)
        rows = [(tag, state == "active") for state in ("active", "inactive") for tag in told[state]]
    except (ValueError, KeyError, TypeError):          # of 1.20, which knows no >json here
        rows = [(found[2], found[1] == "Yes") for line in text.splitlines() if (found := _ROW.match(line.strip()))]
    return [Task(tag=str(tag), active=active) for tag, active in rows]


def _known(text: str, tag: str) -> None:
    if text.startswith("No task found"):
        raise UnknownThingError(f"the node has no task {tag!r}: GET .../tasks lists them")
