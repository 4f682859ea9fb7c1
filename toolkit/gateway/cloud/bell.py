"""Tells the other gateways of an engine that something has happened, so that they look. Nobody keeps it."""
from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from toolkit.gateway.engine import Engine
from toolkit.gateway.errors import UnavailableError

SUBJECT = "micros-cloud.bell"
LOOK_S = 1.0

Heard = Callable[[dict[str, Any]], None]

log = logging.getLogger(__name__)


class Bell:
    """ring() reaches every listener here at once, and those of other gateways soon, with is_far in its data.

    A ring that is lost costs time only.
    """

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self._me = secrets.token_hex(8)
        self._listeners: dict[str, list[Heard]] = {}
        self._ups = 0
        self._heard: Subscription | None = None
        self._chore: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def on(self, kind: str, heard: Heard) -> None:
        self._listeners.setdefault(kind, []).append(heard)

    def ring(self, kind: str, **data: Any) -> None:
        self._hear(kind, data)
        if self._engine:
            task = asyncio.create_task(self._send(json.dumps({"by": self._me, "kind": kind, "data": data}).encode()))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def start(self) -> None:
        if self._engine:
            self._chore = asyncio.create_task(self._follow(), name="bell")

    async def stop(self) -> None:
        tasks = [*([self._chore] if self._chore else []), *self._sending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, kind: str, data: dict[str, Any]) -> None:
        for heard in self._listeners.get(kind, ()):
            heard(data)

    async def _send(self, data: bytes) -> None:
        assert self._engine
        try:
            await self._engine.client.publish(SUBJECT, data)
        except (UnavailableError, NatsError, OSError):
            log.debug("the bell was not heard outside")

    async def _follow(self) -> None:
        """Listen anew each time the engine has come back."""
        assert self._engine
        while True:
            try:
                if self._engine.state == "up" and self._engine.ups != self._ups:
                    if self._heard:
                        with contextlib.suppress(NatsError, OSError):          # that of a client that is no more
                            await self._heard.unsubscribe()
                    self._heard = await self._engine.client.subscribe(SUBJECT, cb=self._came)
                    self._ups = self._engine.ups
            except (UnavailableError, NatsError, OSError) as error:
                log.debug("the bell waits for the engine: %s", error)
            except Exception:            # outer wall: without the bell gateways only see by their sweeps
                log.exception("the bell cannot listen; it tries again")
            await asyncio.sleep(LOOK_S)

    async def _came(self, message: Msg) -> None:
        try:
            told = json.loads(message.data)
            if told["by"] != self._me:
                self._hear(told["kind"], {**told["data"], "is_far": True})
        except (ValueError, KeyError, TypeError):
            log.debug("a strange ring")
