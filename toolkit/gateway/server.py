"""Runs the gateway under uvicorn, with a bound on what a connection may cost before there is a request."""
from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from toolkit.errors import UsageError
from toolkit.gateway.problems import problem
from toolkit.gateway.settings import Settings

STOP_S = 5                       # requests under way have so long to end
IDLE_S = 20                      # a connection without a request
BACKLOG = 256
GARBAGE = (10_000, 20, 50)       # objects until the young are looked through, and how often the older are with them


def serve(app: FastAPI, settings: Settings, door: socket.socket | None = None) -> None:
    """Until a signal. door: a bound socket, None to take settings.host and settings.port."""
    # What start-up has made stays. Looking through it for garbage again and again held up everybody for 70-220 ms.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    server(app, settings).run(sockets=[door or taken(settings)])


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """h11 rather than httptools: it bounds the bytes of a request's headers."""
    return _Server(uvicorn.Config(
        app, host=settings.host, port=settings.port, http=bounded(settings), ws="websockets-sansio", loop="auto",
        h11_max_incomplete_event_size=settings.max_header_bytes, ws_max_size=settings.max_json_bytes,
        timeout_keep_alive=IDLE_S, timeout_graceful_shutdown=STOP_S, server_header=False, backlog=BACKLOG,
        proxy_headers=False, access_log=False, log_level="warning"))


class _Server(uvicorn.Server):
    """Streams of events have no end: they are ended before their connections are waited for."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert isinstance(self.config.app, FastAPI)
        self.config.app.state.gateway.events.close()
        await super().shutdown(sockets)


def taken(settings: Settings) -> socket.socket:
    """The gateway's listening socket. Raises UsageError that names the place when it cannot be had."""
    try:
        family, _, _, _, place = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        door = socket.create_server(place[:2], family=family, backlog=BACKLOG)     # who comes early waits in line
    except (OSError, OverflowError) as error:
        raise UsageError(f"the gateway cannot listen at {settings.host}:{settings.port}: "
                         f"{getattr(error, 'strerror', None) or error}; choose another with --port, --host") from None
    return door


def bounded(settings: Settings) -> type[H11Protocol]:
    """uvicorn's protocol with two bounds of ours: connections in all, and the time for a request's headers."""
    class Bounded(H11Protocol):
        _clock: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > settings.max_connections:
                transport.abort()
                return
            self._clock = self.loop.call_later(settings.header_s, self._too_slow)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before:
                self._stop_clock()

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            self._stop_clock()
            super().handle_websocket_upgrade(event)

        def send_400_response(self, msg: str) -> None:
            told = problem(400, "this is no HTTP request, or its headers are over "
                                f"{settings.max_header_bytes} bytes", headers={"connection": "close"})
            try:
                for event in (h11.Response(status_code=400, headers=told.raw_headers, reason=b"Bad Request"),
                              h11.Data(data=bytes(told.body)), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            except h11.LocalProtocolError:      # in the middle of an answer
                pass
            self.transport.close()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._stop_clock()
            if not self.transport.is_closing():
                self._clock = self.loop.call_later(IDLE_S + settings.header_s, self._too_slow)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_clock()
            super().connection_lost(exc)

        def _too_slow(self) -> None:
            if self.cycle is None or self.cycle.response_complete:
                self.transport.abort()

        def _stop_clock(self) -> None:
            if self._clock:
                self._clock.cancel()
                self._clock = None

    return Bounded
