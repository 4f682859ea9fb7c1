"""Events, as they happen: server-sent (HTML standard, 9.2), of the gateway and of one node's bus."""
from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from toolkit.gateway.api.doors import TheGateway, TheNode, View, entered
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.events import Subscription
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.problems import OF_A_NODE, responses
from toolkit.gateway.session import Session

router = APIRouter(tags=["events"], dependencies=entered)

QUIET_S = 15.0                 # after so long a remark is sent, so that a lost client is noticed
BUS_S = 3600                   # a node watches its bus no longer
STREAM: dict[int | str, dict[str, Any]] = {200: {
    "description": "lines of text/event-stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}
TOPICS = "topics with * in them, commas between: `node.*,drop.*`"


class EventStream(StreamingResponse):
    """Lines of an async generator, which ends with the answer, however that ends: it holds a seat."""

    media_type = "text/event-stream"

    def __init__(self, lines: AsyncGenerator[str, None], status_code: int = 200,
                 headers: Mapping[str, str] | None = None) -> None:
        super().__init__(lines, status_code, headers)
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._lines.aclose()


@router.get("/events", response_class=EventStream, responses={**STREAM, **responses(503)})
async def events(
    gateway: TheGateway, caller: View,
    topics: Annotated[str, Query(max_length=200, description=TOPICS)] = "*",
    most: Annotated[int, Query(ge=0, le=1_000_000, description="end after so many; 0: never")] = 0,
) -> EventStream:
    """Events as they happen. `event:` is the topic, `data:` JSON, `id:` counts up.

    Topic `dropped` tells a slow listener how many it has missed.
    """
    _room(gateway)
    return EventStream(_stream(gateway.events.subscribe(topics), most), headers={"Cache-Control": "no-store"})


@router.get("/devices/{device}/bus", response_class=EventStream, responses={**STREAM, **responses(*OF_A_NODE)})
async def bus(
    node: TheNode, gateway: TheGateway, caller: View,
    topic: Annotated[str, Query(pattern=r"^[A-Za-z0-9_.*/-]{1,40}$", description="of the node's bus; * for all")] = "*",
    seconds: Annotated[int, Query(ge=1, le=BUS_S)] = BUS_S,
) -> EventStream:
    """The messages on a node's own bus. Takes one of the node's seats as long as it is open."""
    _room(gateway)
    session = await node.link.open_console()
    return EventStream(_of_bus(session, topic, seconds), headers={"Cache-Control": "no-store"})


def _room(gateway: Gateway) -> None:
    most = gateway.settings.max_watchers
    if gateway.events.listeners >= most:
        raise UnavailableError(f"{most} listeners are here already, which is all there is room for")


async def _stream(news: Subscription, most: int) -> AsyncGenerator[str, None]:
    told = dropped = 0
    with news:
        yield ": micrOS gateway\n\n"
        waiting = asyncio.ensure_future(anext(news))
        try:
            while not most or told < most:
                done, _ = await asyncio.wait([waiting], timeout=QUIET_S)
                if not done:
                    yield ": quiet\n\n"
                    continue
                event = waiting.result()
                if news.dropped > dropped:
                    dropped = news.dropped
                    yield _told("dropped", {"events": dropped})
                yield f"id: {event.number}\n{_told(event.topic, event.data)}"
                told += 1
                waiting = asyncio.ensure_future(anext(news))
        except StopAsyncIteration:           # the gateway stops
            return
        finally:
            waiting.cancel()


async def _of_bus(session: Session, topic: str, seconds: int) -> AsyncGenerator[str, None]:
    box: asyncio.Queue[bytes] = asyncio.Queue(64)
    missed = 0

    def receive(data: bytes) -> None:
        nonlocal missed
        if box.full():
            missed += 1
            return
        box.put_nowait(data)

    session.go_raw(receive)
    session.write(f'bus watch topic="{topic}" seconds={seconds}\n'.encode())
    rest = b""
    try:
        yield ": the bus of a node\n\n"
        while session.is_open:
            try:
                async with asyncio.timeout(QUIET_S):
                    rest += await box.get()
            except TimeoutError:
                yield ": quiet\n\n"
                continue
            *lines, rest = rest[-65536:].split(b"\n")
            for line in lines:
                name, colon, message = str(line, "utf-8", "replace").partition(": ")
                if colon:
                    yield _told("bus", {"topic": name, "message": message, "missed": missed})
            if rest.endswith(session.prompt):
                return
    finally:
        session.close()


def _told(topic: str, data: object) -> str:
    return f"event: {topic}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
