"""Puts a gateway together: the only place where its parts meet."""
from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI

from toolkit import VERSION
from toolkit.gateway import problems
from toolkit.gateway.access import Access
from toolkit.gateway.events import Events
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.limits import Limits
from toolkit.gateway.nodes import Nodes
from toolkit.gateway.settings import Settings
from toolkit.inventory import Inventory

# Each has mount(app, gateway), in this order; one whose library is missing is left out, and /api/v1/gateway says so.
PARTS = ("classic", "api", "metrics", "docs", "engine", "jobs", "history", "mcp_server", "cloud", "dashboard")
DESCRIPTION = """Many micrOS nodes behind one door. Paths under `/api/v1` are ours; those without are the ones of 1.20.
A `device` is a name, uid, address or address:port, spelled exactly; a uid always works. Errors are
`application/problem+json` (RFC 9457). Show a token: `Authorization: Bearer <token>`."""


def build(settings: Settings, inventory: Inventory | None = None, parts: Sequence[str] = PARTS) -> FastAPI:
    """The gateway as an ASGI application; `app.state.gateway` is what its parts share.

    inventory: None for the one in the user's data folder
    """
    events = Events()
    gateway = Gateway(settings, Nodes(settings, events, inventory), Access(settings.folder), events)
    app = FastAPI(title="micrOS gateway", version=VERSION, description=DESCRIPTION, lifespan=_lifespan,
                  docs_url=None, redoc_url=None)
    app.state.gateway = gateway
    gateway.on_start(gateway.nodes.start)
    gateway.on_stop(gateway.nodes.stop)
    problems.install(app)
    for name in parts:
        _mount(name, app, gateway)
    app.add_middleware(Limits, settings=settings)
    return app


def _mount(name: str, app: FastAPI, gateway: Gateway) -> None:
    try:
        part = importlib.import_module(f"toolkit.gateway.{name}")
    except ModuleNotFoundError as error:
        is_absent = error.name == f"toolkit.gateway.{name}"
        if not is_absent and str(error.name).startswith("toolkit"):
            raise
        gateway.left_out[name] = "not part of this release" if is_absent else f"needs the package {error.name}"
        return
    if not hasattr(part, "mount"):
        gateway.left_out[name] = "not part of this release"
        return
    part.mount(app, gateway)
    gateway.parts.append(name)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    gateway: Gateway = app.state.gateway
    try:
        await gateway.start()
        yield
    finally:
        gateway.events.close()
        await gateway.stop()
