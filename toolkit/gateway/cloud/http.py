"""What things ask over HTTP: files by id, MQTT in a websocket, the far end of a relay."""
from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from toolkit.gateway.cloud.files import BrokenFileError, TooLargeError, ranged
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.problems import problem

if TYPE_CHECKING:
    from toolkit.gateway.cloud.cloud import Cloud

GONE = "this id is unknown, or its time is over: ask for another one"

log = logging.getLogger(__name__)


def routes(cloud: Cloud) -> list[BaseRoute]:
    """They ask for no token: the id, the CONNECT, the secret is one."""
    async def bring(request: Request) -> Response:
        return await _brought(cloud, request)

    async def fetch(request: Request) -> Response:
        return await _fetched(cloud, request)

    async def mqtt(websocket: WebSocket) -> None:
        if "mqtt" not in websocket.scope.get("subprotocols", []):
            await websocket.close(1002, "the subprotocol is mqtt")
            return
        await websocket.accept("mqtt")
        await cloud.door.serve(WebSocketLink(websocket))

    async def relay(websocket: WebSocket) -> None:
        await cloud.relays.of_thing(websocket, websocket.path_params["secret"])

    return [Route("/file/{ident}", bring, methods=["POST", "PUT"], include_in_schema=False),
            Route("/file/{ident}", fetch, methods=["GET"], include_in_schema=False),
            WebSocketRoute("/mqtt", mqtt), WebSocketRoute("/relay/{secret}", relay)]


class WebSocketLink:
    """A link in binary frames, whose borders mean nothing: MQTT 3.1.1, chapter 6."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        client = websocket.client
        self.peer = f"{client.host}:{client.port}" if client else "?"
        self._is_open = True
        self._closing: asyncio.Task[None] | None = None

    async def read(self) -> bytes:
        while True:
            try:
                message = await self._websocket.receive()
            except RuntimeError:         # we have closed it
                return b""
            if message["type"] == "websocket.disconnect":
                self._is_open = False
                return b""
            if message.get("bytes"):
                return bytes(message["bytes"])
            if message.get("text") is not None:
                raise OSError("a text frame is no MQTT")

    async def send(self, data: bytes) -> None:
        try:
            await self._websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError):
            raise OSError("the websocket is closed") from None

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._closing = asyncio.create_task(_closed(self._websocket))


async def _closed(websocket: WebSocket) -> None:
    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
        await websocket.close()


async def _brought(cloud: Cloud, request: Request) -> Response:
    try:
        ticket = await cloud.files.ticket(request.path_params["ident"], is_put=True)
        if ticket is None:
            return problem(404, GONE)
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > ticket.most:
            return problem(413, f"there is room for {ticket.most} bytes, and {length[:20]} would come",
                           headers={"Connection": "close"})
        file = await cloud.files.take(ticket, _arriving(request, cloud.settings.send_s))
    except ClientDisconnect:
        return problem(400, "the body ended too early")
    except TimeoutError:
        return problem(408, f"nothing more of the body came within {cloud.settings.send_s:g} s",
                       headers={"Connection": "close"})
    except BrokenFileError as error:
        return problem(422, str(error))
    except TooLargeError as error:
        return problem(413, str(error), headers={"Connection": "close"})
    except UnavailableError as error:
        return problem(503, str(error))
    cloud.gateway.events.publish("cloud.file", {"thing": file.owner, "name": file.name, "bytes": file.size})
    return Response(status_code=200)


async def _arriving(request: Request, patience_s: float) -> AsyncIterator[bytes]:
    """The body, piece by piece. Raises TimeoutError, ClientDisconnect."""
    stream = request.stream()
    with contextlib.suppress(StopAsyncIteration):
        while True:
            async with asyncio.timeout(patience_s):
                piece = await anext(stream)
            yield piece


async def _fetched(cloud: Cloud, request: Request) -> Response:
    try:
        ticket = await cloud.files.ticket(request.path_params["ident"], is_put=False)
    except UnavailableError as error:
        return problem(503, str(error))
    if ticket is None:
        return problem(404, GONE)
    headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    try:
        span = ranged(request.headers.get("range", ""), ticket.size)
    except ValueError:
        return problem(416, f"the file has {ticket.size} bytes", headers={"Content-Range": f"bytes */{ticket.size}"})
    start, end = span or (0, ticket.size)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{ticket.size}"
    body = None if request.method == "HEAD" else _body(cloud, ticket.blob, start, end)
    if body is None:
        return Response(status_code=206 if span else 200, headers=headers)
    return StreamingResponse(body, 206 if span else 200, headers)


async def _body(cloud: Cloud, blob: str, start: int, end: int) -> AsyncIterator[bytes]:
    async for piece in cloud.files.read(blob, start, end):
        yield piece
