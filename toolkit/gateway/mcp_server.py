"""A Model Context Protocol server: what an assistant may do with the fleet, under the role of the token it was given.

Each tool is a request to the REST API with the caller's own token, so there is one place where rights are judged:
within the gateway at /mcp, and from `devToolKit.py --mcp` over HTTP to a gateway elsewhere.
"""
from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

import httpx
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from toolkit import VERSION
from toolkit.gateway.problems import problem

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit.gateway.gateway import Gateway

PATH = "/mcp"
INSTRUCTIONS = """Boards that run micrOS. A node goes by name, uid or address. A command is a line `module function
arguments`, e.g. `rgb color r=10 g=0 b=0`; node_help tells what a node offers. For many nodes at once make a job."""
START_S = 10.0

# (verb, path with its query, body, token or None for the one it was built with) -> (status, text)
Ask = Callable[[str, str, Any, str | None], Awaitable[tuple[int, str]]]
Tag = Annotated[str, Field(description="name, uid, address or address:port of a node", max_length=80)]


def built(ask: Ask) -> MCPServer[Any]:
    """The server with its tools."""
    server: MCPServer[Any] = MCPServer("micrOS gateway", instructions=INSTRUCTIONS, version=VERSION)
    for tool in _tools(ask):
        server.tool()(tool)
    return server


def _tools(ask: Ask) -> tuple[Callable[..., Any], ...]:
    async def told(context: Context[Any, Any], verb: str, path: str, body: Any = None, **query: Any) -> str:
        given = {key: value for key, value in query.items() if value is not None}
        target = f"/api/v1{path}{'?' + urlencode(given, doseq=True) if given else ''}"
        status, text = await ask(verb, target, body, _token(context))
        if status >= 400:
            raise ToolError(_reason(status, text))
        return text

    async def list_nodes(context: Context[Any, Any], state: str | None = None) -> str:
        """All nodes that are known, as JSON. state: up, down or unknown, only these."""
        return await told(context, "GET", "/devices", state=state)

    async def node_help(context: Context[Any, Any], node: Tag, module: str | None = None) -> str:
        """What can be typed at a node: its modules, functions and parameters. module: only this one."""
        return await told(context, "GET", f"/devices/{quote(node, '')}/help{'/' + quote(module, '') if module else ''}")

    async def run_command(context: Context[Any, Any], node: Tag, command: str) -> str:
        """Run one command on one node. Reading takes the role view, others operate, some admin."""
        return await told(context, "POST", f"/devices/{quote(node, '')}/commands", {"command": command})

    async def node_status(context: Context[Any, Any], node: Tag) -> str:
        """Memory, flash, clock, temperature and alarms of a node, asked now."""
        return await told(context, "GET", f"/devices/{quote(node, '')}/health")

    async def recent_events(context: Context[Any, Any], topics: str = "*", most: int = 50) -> str:
        """What happened in the last day. topics: node.down, job.*, with commas between."""
        return await told(context, "GET", "/history/events", topics=topics, most=most)

    async def start_job(
        context: Context[Any, Any],
        selection: Annotated[str, Field(description="name=lamp* version<2.1 tag=hall not board=rp2, or: all")],
        command: str, canary: int = 0, concurrency: int = 20,
    ) -> str:
        """Run a command once on every node of a selection. canary: so many nodes first; failures there stop it."""
        rules = {"concurrency": concurrency, "phases": [str(canary)] if canary else []}
        return await told(context, "POST", "/jobs",
                          {"kind": "command", "selection": selection, "command": command, "rules": rules})

    async def job_report(context: Context[Any, Any], job: str, failed_nodes: bool = False) -> str:
        """How far a job is. failed_nodes: the nodes that failed or are unknown, and why."""
        if failed_nodes:
            return await told(context, "GET", f"/jobs/{quote(job, '')}/nodes", state=["failed", "unknown"])
        return await told(context, "GET", f"/jobs/{quote(job, '')}")

    async def control_job(context: Context[Any, Any], job: str, word: str) -> str:
        """Tell a job to pause, resume or abort."""
        return await told(context, "POST", f"/jobs/{quote(job, '')}/{quote(word, '')}")

    return list_nodes, node_help, run_command, node_status, recent_events, start_job, job_report, control_job


def _token(context: Context[Any, Any]) -> str | None:
    """Of the HTTP request that the call came by; None by stdio."""
    headers: Mapping[str, str] = context.headers or {}
    return headers.get("authorization", "").partition(" ")[2].strip() or None


def _reason(status: int, text: str) -> str:
    try:
        told = json.loads(text)
        return f"{told['title']}: {told['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"the gateway answered {status}: {text[:300]}"


# -- within the gateway


class Guard:
    """Nobody without a token comes as far as the protocol. A cookie does not count: a page might be made to use it."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        is_bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
        if not is_bearer or self._gateway.access.recognise(request) is None:
            answer = problem(401, "show a token: header Authorization: Bearer <token>; devToolKit.py --gateway "
                                  "--token view makes one", headers={"WWW-Authenticate": "Bearer"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Door:
    """Keeps the protocol's own tasks in a task of ours."""

    def __init__(self, server: MCPServer[Any]) -> None:
        self._server = server
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="mcp")
        async with asyncio.timeout(START_S):
            await self._up.wait()

    async def _run(self) -> None:
        async with self._server.session_manager.run():
            self._up.set()
            await asyncio.Event().wait()

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def within(app: ASGIApp) -> Ask:
    """Requests to an application of this process; no socket between."""
    async def ask(verb: str, path: str, body: Any, token: str | None) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
            answer = await client.request(verb, path, json=body, headers=headers)
        return answer.status_code, answer.text

    return ask


def over_http(address: str, token: str, timeout_s: float = 60.0) -> Ask:
    """Requests to a gateway elsewhere, with one token for all."""
    async def ask(verb: str, path: str, body: Any, _: str | None) -> tuple[int, str]:
        async with httpx.AsyncClient(base_url=address, timeout=timeout_s) as client:
            try:
                answer = await client.request(verb, path, json=body, headers={"Authorization": f"Bearer {token}"})
            except httpx.HTTPError as error:
                raise ToolError(f"the gateway at {address} is not reached: {error}") from None
        return answer.status_code, answer.text

    return ask


def mount(app: FastAPI, gateway: Gateway) -> None:
    server = built(within(app))
    # who may ask is told by a token that a page of another site does not have, whatever the Host header says
    inner = server.streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False))
    door = Door(server)
    gateway.on_start(door.start)
    gateway.on_stop(door.stop)
    app.router.routes.append(Route(PATH, endpoint=Guard(inner, gateway), methods=None, include_in_schema=False))
