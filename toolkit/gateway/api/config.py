"""Settings of a node: read, and set one by one. Secrets are written, never shown."""
from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StrictBool, StrictInt

from toolkit.gateway import node_config
from toolkit.gateway.api.doors import Admin, TheGateway, TheNode, View, entered
from toolkit.gateway.errors import UnknownThingError
from toolkit.gateway.nodes import Node
from toolkit.gateway.problems import OF_A_NODE, responses
from toolkit.gateway.rules import Rule, rules
from toolkit.settings import MASK, OF_THE_BOARD, is_secret

router = APIRouter(tags=["config"], dependencies=entered, responses=responses(*OF_A_NODE))

_ROW = re.compile(r"^\s*([A-Za-z_]\w*)\s*:\s{0,16}(.*)$")
Key = Annotated[str, Path(pattern=f"^{node_config.KEY}$", description="a key, as in CONFIG.md")]


class Setting(BaseModel):
    key: str
    value: bool | int | str = Field(union_mode="left_to_right")
    secret: bool = Field(description="its value is not shown")
    fixed: bool = Field(description="the node writes it, nobody else")
    default: bool | int | str | None = Field(union_mode="left_to_right", description="in this release; null: not told")
    least: int | None
    most: int | None
    choices: list[str] = Field(description="empty: anything of its kind")
    doc: str


class Wanted(BaseModel):
    value: StrictBool | StrictInt | Annotated[str, Field(min_length=1, max_length=1900)]


@router.get("/devices/{device}/config")
async def config(node: TheNode, caller: View) -> list[Setting]:
    """Every setting, in the node's order."""
    return list((await settings_of(node)).values())


@router.get("/devices/{device}/config/{key}")
async def one(key: Key, node: TheNode, caller: View) -> Setting:
    """One setting."""
    return _row(await settings_of(node), key)


@router.put("/devices/{device}/config/{key}")
async def change(key: Key, wanted: Wanted, node: TheNode, gateway: TheGateway, caller: Admin) -> Setting:
    """Set one key. A value that the node refuses is 422, with the node's own reason; nothing has changed then."""
    text = node_config.typed(wanted.value)
    row = _row(await settings_of(node), key)
    await node_config.change(node, key, text, gateway.events, caller.ident)
    return (await settings_of(node)).get(key, row)


async def settings_of(node: Node) -> dict[str, Setting]:
    """Every setting of a node, by key, in its order."""
    dump = (await node.link.converse(["conf", "dump", "noconf"]))[1]
    rows = [found.groups() for line in dump.text.splitlines() if (found := _ROW.match(line))]
    return {key: _setting(key, value.strip()) for key, value in rows}


def _setting(key: str, text: str) -> Setting:
    secret, rule = is_secret(key), rules().get(key, Rule())
    told = {**vars(rule), "default": None if secret else rule.default}
    return Setting(key=key, value=MASK if secret else _value(text), secret=secret, fixed=key in OF_THE_BOARD, **told)


def _value(text: str) -> bool | int | str:
    if text in ("True", "False"):
        return text == "True"
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text


def _row(rows: dict[str, Setting], key: str) -> Setting:
    if key not in rows:
        raise UnknownThingError(f"the node has no setting {key!r}: GET .../config lists them")
    return rows[key]
