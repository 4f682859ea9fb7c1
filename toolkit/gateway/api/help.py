"""Help as data: what can be typed at a node, down to the parameters, for forms and programs."""
from __future__ import annotations

import asyncio
import functools
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from toolkit.console import arguments
from toolkit.docs import catalogue
from toolkit.gateway.api.commands import tell
from toolkit.gateway.api.doors import Operate, TheGateway, TheNode, View, entered
from toolkit.gateway.api.modules import loaded_in, offered
from toolkit.gateway.errors import UnknownThingError
from toolkit.gateway.nodes import Node
from toolkit.gateway.problems import OF_A_NODE, responses

router = APIRouter(tags=["help"], dependencies=entered, responses=responses(*OF_A_NODE))

BOOLEAN = ("True", "False")

ModuleName = Annotated[str, Path(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]


class Parameter(BaseModel):
    name: str
    default: str | None = Field(description="as it is typed; null: has to be given, or is not known")
    choices: list[str] = Field(description="empty: anything")


class Function(BaseModel):
    name: str
    usage: str = Field(description="the row of the module's own help")
    doc: str
    parameters: list[Parameter]


class ModuleHelp(BaseModel):
    name: str
    doc: str
    source: Literal["node", "catalogue", "names"] = Field(
        description="who told: the node itself; the catalogue of this release; or only the names are known")
    functions: list[Function]


@router.get("/devices/{device}/help")
async def everything(node: TheNode, caller: View) -> list[ModuleHelp]:
    """All modules of a node with their functions. Asks the node for names only: its memory stays as it is."""
    shipped = await asyncio.to_thread(_shipped)
    return [_from_catalogue(name, functions, shipped) for name, functions in (await offered(node)).items()]


@router.get("/devices/{device}/help/{module}")
async def one(module: ModuleName, node: TheNode, caller: View) -> ModuleHelp:
    """One module, told by the node where it is loaded. One that is not stays so; POST loads it."""
    told = await _known(node, module)
    if _has_help(told) and module in await loaded_in(node):
        return _told_by_node(told, (await node.ask(f"{module} help")).text)
    return told


@router.post("/devices/{device}/help/{module}")
async def load(module: ModuleName, node: TheNode, gateway: TheGateway, caller: Operate) -> ModuleHelp:
    """One module, told by the node, which loads it for that."""
    told, command = await _known(node, module), f"{module} help"
    answer = await node.ask(command)
    tell(gateway, node, caller, command, answer)
    return _told_by_node(told, answer.text) if _has_help(told) else told


async def _known(node: Node, module: str) -> ModuleHelp:
    """What is known of it without the node. Raises UnknownThingError."""
    functions = (await offered(node)).get(module)
    if functions is None:
        raise UnknownThingError(f"{node.name} has no module {module!r}: GET .../modules lists them")
    return _from_catalogue(module, functions, await asyncio.to_thread(_shipped))


def _has_help(told: ModuleHelp) -> bool:
    return any(function.name == "help" for function in told.functions)


@functools.cache
def _shipped() -> dict[str, catalogue.Module]:
    from toolkit.compile import shipped_source

    return {module.name: module for module in catalogue.read(shipped_source()).modules}


def _from_catalogue(name: str, functions: list[str], shipped: dict[str, catalogue.Module]) -> ModuleHelp:
    module = shipped.get(name)
    known = {function.name: function for function in module.functions} if module else {}
    if not module or not set(functions) <= set(known):          # a module of their own, or another version
        plain = [Function(name=each, usage="", doc="", parameters=[]) for each in functions]
        return ModuleHelp(name=name, doc="", source="names", functions=plain)
    return ModuleHelp(name=name, doc=module.doc, source="catalogue", functions=[
        Function(name=each, usage=module.usage.get(each, ""), doc=known[each].doc, parameters=[
            Parameter(name=parameter, default=default, choices=list(BOOLEAN) if default in BOOLEAN else [])
            for parameter, default in known[each].parameters])
        for each in functions])


def _told_by_node(told: ModuleHelp, text: str) -> ModuleHelp:
    """Its own help, with what the catalogue adds."""
    told_rows = [row.strip().rstrip(",") for row in text.splitlines()]
    rows = {row.split()[0]: row for row in told_rows if row}
    typed = arguments(text)
    return ModuleHelp(name=told.name, doc=told.doc, source="node", functions=[
        Function(name=each.name, usage=rows.get(each.name, each.usage), doc=each.doc,
                 parameters=_parameters(typed.get(each.name, []), each.parameters)) for each in told.functions])


def _parameters(typed: list[str], known: list[Parameter]) -> list[Parameter]:
    """`state=True`, `state=False`, `r=`: of what may follow a function, after what the catalogue knows."""
    choices: dict[str, list[str]] = {}
    for name, _, value in (each.partition("=") for each in typed):
        choices.setdefault(name, []).extend([value] if value else [])
    merged = {parameter.name: parameter for parameter in known}
    for name, values in choices.items():
        before = merged.get(name)
        merged[name] = Parameter(name=name, default=before.default if before else None,
                                 choices=values or (before.choices if before else []))
    return list(merged.values())
