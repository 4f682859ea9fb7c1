"""A node's widgets: which of its functions stand on its page, kept on the node itself, in its setting `guimeta`."""
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field, StringConstraints

from toolkit.errors import RefusedError, UsageError
from toolkit.gateway.api.doors import Operate, TheGateway, TheNode, View, allowed, entered
from toolkit.gateway.problems import OF_A_NODE, responses
from toolkit.gateway.reading import normal, role_for

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway
    from toolkit.gateway.nodes import Node

KEY, OURS = "guimeta", "dashboard"
MOST_CHARS = 1900              # of the setting's text
EMPTY = ("", "n/a", "...", "None")

router = APIRouter(prefix="/api/v1", tags=["layout"], dependencies=entered, responses=responses(*OF_A_NODE))


class Widget(BaseModel):
    """kind: `button` sends the command, `slider` the same with a number behind it, `value` asks again and again."""

    kind: Literal["button", "slider", "value"]
    label: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$")]
    command: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
    least: int = 0
    most: int = 100


class Layout(BaseModel):
    widgets: list[Widget] = Field(max_length=24)


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.include_router(router)


@router.get("/devices/{device}/layout")
async def layout(node: TheNode, caller: View) -> Layout:
    """The widgets; none when the setting holds notes of another program only."""
    notes = await _notes(node)
    try:
        return Layout(widgets=notes.get(OURS, []) if isinstance(notes, dict) else [])
    except ValueError:
        return Layout(widgets=[])


@router.put("/devices/{device}/layout")
async def arrange(wanted: Layout, node: TheNode, gateway: TheGateway, caller: Operate) -> Layout:
    """Keep the widgets. What a phone app has in the same setting stays.

    Each takes the role of its command: somebody with a greater one may press it.
    """
    for widget in wanted.widgets:
        line = normal(widget.command)
        allowed(caller, role_for(line), line)
    notes = await _notes(node)
    if not isinstance(notes, dict):
        raise RefusedError(f"{KEY} of {node.name} holds notes of another program, which would be lost")
    kept = {**notes, OURS: [widget.model_dump(exclude_defaults=True) for widget in wanted.widgets]}
    text = json.dumps(kept, separators=(",", ":"))
    if len(text.encode()) > MOST_CHARS:
        raise UsageError(f"this many widgets do not fit into {KEY}: {len(text)} of {MOST_CHARS} characters")
    said = (await node.link.converse(["conf", f"{KEY} {text}", "noconf"]))[1].text.strip()
    if said != "Saved":
        raise UsageError(said or f"{node.name} did not say Saved")
    gateway.events.publish("config", {"uid": node.uid, "name": node.name, "key": KEY, "by": caller.ident})
    return wanted


async def _notes(node: Node) -> Any:
    """What the setting holds: {} when it is empty, a str when it is no JSON."""
    text = (await node.link.converse(["conf", KEY, "noconf"]))[1].text.strip()
    if text in EMPTY:
        return {}
    try:
        return json.loads(text)
    except ValueError:
        return text
