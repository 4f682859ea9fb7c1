"""Load modules of a node: which there are, and which are in its memory."""
from __future__ import annotations

import ast

from fastapi import APIRouter
from pydantic import BaseModel, Field

from toolkit.console import vocabulary
from toolkit.gateway.api.doors import TheNode, View, entered
from toolkit.gateway.nodes import Node
from toolkit.gateway.problems import OF_A_NODE, responses

router = APIRouter(tags=["modules"], dependencies=entered, responses=responses(*OF_A_NODE))

VOCABULARY_S = 5.0               # a drop forgets what was known, so this is for others who drop


class LoadModule(BaseModel):
    name: str
    loaded: bool = Field(description="in the node's memory")
    functions: list[str]


@router.get("/devices/{device}/modules")
async def modules(node: TheNode, caller: View) -> list[LoadModule]:
    """What the node could do, by module. Loads none of them."""
    loaded = await loaded_in(node)
    return [LoadModule(name=name, loaded=name in loaded, functions=functions)
            for name, functions in (await offered(node)).items()]


async def offered(node: Node) -> dict[str, list[str]]:
    """Module -> its functions."""
    return vocabulary((await node.ask("help lm", max_age_s=VOCABULARY_S)).text)


async def loaded_in(node: Node) -> set[str]:
    try:
        names = ast.literal_eval((await node.ask("modules")).text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):       # 1.20 has no such command
        return set()
    return {name.removeprefix("LM_") for name in names if isinstance(name, str)} if isinstance(names, list) else set()
