"""A node's shell in a websocket, byte for byte: a session of its own, for people."""
from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.exceptions import WebSocketException

from toolkit.errors import ToolkitError
from toolkit.gateway.access import disowned, needs
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.session import Session

router = APIRouter()

POLICY, TRY_LATER = 1008, 1013          # RFC 6455, section 7.4.1; IANA registry
BOX = 256                               # pieces of output that wait for a slow browser
MOST_TYPED = 4096


async def _admin(websocket: WebSocket) -> None:
    """A raw shell can do all that a node can, so it takes `admin`."""
    try:
        await needs("admin")(websocket)
    except HTTPException as error:
        raise WebSocketException(POLICY, error.detail) from None


@router.websocket("/devices/{device}/console")
async def console(websocket: WebSocket, device: str, allowed: Annotated[None, Depends(_admin)]) -> None:
    """Text and bytes from the browser go to the node; what the node says comes as text. Close 1013: no session."""
    gateway: Gateway = websocket.app.state.gateway
    await websocket.accept()
    try:
        session = await gateway.nodes.find(device).link.open_console()
    except ToolkitError as error:
        await websocket.send_text(f"{error}\r\n")
        await websocket.close(TRY_LATER)
        return
    try:
        await _joined(websocket, session)
    finally:
        session.close()
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):          # it is closed already
            await websocket.close()


async def _joined(websocket: WebSocket, session: Session) -> None:
    """Until either side leaves, or the token is taken back."""
    box: asyncio.Queue[bytes] = asyncio.Queue(BOX)

    def receive(data: bytes) -> None:
        if box.full():                  # a browser that takes nothing: it is let go, the node is not held up
            session.close()
            return
        box.put_nowait(data)

    session.go_raw(receive)
    box.put_nowait(session.prompt)
    ways: list[asyncio.Future[object]] = [
        asyncio.create_task(_typed(websocket, session)), asyncio.create_task(_shown(websocket, box)),
        asyncio.create_task(disowned(websocket, "admin")), asyncio.ensure_future(asyncio.shield(session.lost))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        while not box.empty() and session.lost.done():
            await websocket.send_text(str(box.get_nowait(), "utf-8", "replace"))
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _typed(websocket: WebSocket, session: Session) -> None:
    with contextlib.suppress(WebSocketDisconnect, KeyError):
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes") or (message.get("text") or "").encode()
            if len(data) > MOST_TYPED:
                await websocket.close(POLICY)
                return
            session.write(data)


async def _shown(websocket: WebSocket, box: asyncio.Queue[bytes]) -> None:
    while True:
        await websocket.send_text(str(await box.get(), "utf-8", "replace"))
