"""A relay: a websocket of the thing and one of a person, joined; behind the thing lies one of its TCP ports.

The thing is told CONNECTED when both are there, then frames are bytes. Both ends come to one and the same gateway.
"""
from __future__ import annotations

import asyncio
import codecs
import contextlib
import hashlib
import secrets
import time
from dataclasses import dataclass, field

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

CONNECTED = "CONNECTED-129812"
NORMAL, TRY_LATER = 1000, 1013          # RFC 6455, section 7.4.1; IANA registry
GONE = (WebSocketDisconnect, RuntimeError, OSError)            # what a websocket says whose other end has left
MOST = 100
IDLE_S = 600.0


@dataclass
class Relay:
    """secret: in the path that the thing calls, for one time; ident: of the person's end."""

    thing: str
    port: int
    by: str
    ident: str = field(default_factory=lambda: secrets.token_hex(8))
    made_at: float = field(default_factory=time.time)
    far: asyncio.Future[WebSocket] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    taken: asyncio.Event = field(default_factory=asyncio.Event)      # the person has come
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_taken(self) -> bool:
        return self.taken.is_set()


class Relays:
    """Those that wait for an end, or run."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._rows: dict[str, Relay] = {}        # by hash of the secret

    def made(self, thing: str, port: int, by: str) -> tuple[Relay, str] | None:
        """(relay, secret of the thing's path), None: too many there are."""
        self._sweep()
        if len(self._rows) >= MOST:
            return None
        relay, secret = Relay(thing, port, by), secrets.token_urlsafe(32)
        self._rows[_hash(secret)] = relay
        return relay, secret

    def find(self, thing: str, ident: str) -> Relay | None:
        self._sweep()
        return next((relay for relay in self._rows.values() if (relay.thing, relay.ident) == (thing, ident)), None)

    async def of_thing(self, websocket: WebSocket, secret: str) -> None:
        """The thing's end, until it is over."""
        self._sweep()
        relay = self._rows.get(_hash(secret))
        if relay is None or relay.far.done():
            await websocket.close(1008, "no such relay")
            return
        await websocket.accept()
        relay.far.set_result(websocket)
        try:
            async with asyncio.timeout(self._left_s(relay)):
                await relay.taken.wait()
            await relay.over.wait()
        except TimeoutError:
            self.end(relay)
        with contextlib.suppress(*GONE):
            await websocket.close()

    async def of_person(self, websocket: WebSocket, relay: Relay, is_text: bool = False) -> None:
        """The person's end; joined until one side leaves. is_text: what comes is told as texts, for a terminal"""
        relay.taken.set()
        code, reason = NORMAL, "the relay has ended"
        try:
            async with asyncio.timeout(self._left_s(relay)):
                far = await asyncio.shield(relay.far)
            try:
                await far.send_text(CONNECTED)
                await _joined(websocket, far, is_text)
            except GONE:
                code, reason = TRY_LATER, "the thing has left before you came: open another relay"
        except TimeoutError:
            code, reason = TRY_LATER, "the thing did not come"
        finally:
            self.end(relay)
            with contextlib.suppress(*GONE):
                await websocket.close(code, reason)

    def end(self, relay: Relay) -> None:
        relay.over.set()
        for key, row in list(self._rows.items()):
            if row is relay:
                del self._rows[key]

    def stop(self) -> None:
        for relay in list(self._rows.values()):
            self.end(relay)

    def _left_s(self, relay: Relay) -> float:
        return max(0.1, relay.made_at + self._wait_s - time.time())

    def _sweep(self) -> None:
        for relay in list(self._rows.values()):
            if not relay.is_taken and time.time() > relay.made_at + self._wait_s:
                self.end(relay)


async def _joined(near: WebSocket, far: WebSocket, is_text: bool) -> None:
    ways = [asyncio.create_task(_pumped(near, far, False)), asyncio.create_task(_pumped(far, near, is_text))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pumped(source: WebSocket, sink: WebSocket, is_text: bool) -> None:
    """Texts of a person are bytes for the port behind the thing."""
    letters = codecs.getincrementaldecoder("utf-8")("replace")
    with contextlib.suppress(*GONE):
        while True:
            async with asyncio.timeout(IDLE_S):
                message = await source.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            data = data if data is not None else str(message.get("text") or "").encode("utf-8", "replace")
            if is_text:
                await sink.send_text(letters.decode(data))
            else:
                await sink.send_bytes(data)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
