"""HTTPS of the cloud side, beside the gateway's own port: only what things and operators of TR50 ask for."""
from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import uvicorn
from fastapi import FastAPI
from starlette.routing import BaseRoute

from toolkit.errors import UsageError
from toolkit.gateway import problems
from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.gateway.server import IDLE_S, bounded
from toolkit.gateway.settings import Settings

BACKLOG = 256
STOP_S = 2


class _Server(uvicorn.Server):
    """Runs within a gateway, whose signals are not its business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Https:
    """Serves routes with TLS; port: where, 0 when there is none."""

    def __init__(self, routes: list[BaseRoute], settings: CloudSettings, limits: Settings) -> None:
        self._app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, routes=routes)
        problems.install(self._app)
        self._settings, self._limits = settings, limits
        self._server: _Server | None = None
        self._chore: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Raises UsageError when the port cannot be had."""
        settings = self._settings
        if settings.https is None or not settings.certificate:
            return
        settings.context()               # tells what is wrong with the certificate
        try:
            door = socket.create_server((settings.host, settings.https), backlog=BACKLOG)
        except (OSError, OverflowError) as error:
            raise UsageError(f"the cloud cannot listen at {settings.host}:{settings.https} (https): "
                             f"{getattr(error, 'strerror', None) or error}") from None
        self.port = door.getsockname()[1]
        limits = replace(self._limits, max_connections=settings.most_sessions)
        self._server = _Server(uvicorn.Config(
            self._app, http=bounded(limits), ws="websockets-sansio", lifespan="off",
            ssl_certfile=settings.certificate, ssl_keyfile=settings.key,
            h11_max_incomplete_event_size=limits.max_header_bytes, ws_max_size=settings.packet_bytes + 1024,
            timeout_keep_alive=IDLE_S, timeout_graceful_shutdown=STOP_S, server_header=False, proxy_headers=False,
            access_log=False, log_level="warning", log_config=None))
        self._chore = asyncio.create_task(self._server.serve(sockets=[door]), name="https")

    async def stop(self) -> None:
        if self._server and self._chore:
            self._server.should_exit = True
            await asyncio.gather(self._chore, return_exceptions=True)
