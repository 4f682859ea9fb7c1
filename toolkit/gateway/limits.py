"""What a client may cost: bytes of a body, and time to send it and to take the answer."""
from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit.gateway.problems import problem
from toolkit.gateway.settings import KIB, Settings

UPLOAD = b"multipart/form-data"
ENVELOPE_BYTES = 64 * KIB        # of an upload: the lines between its files


class _Refused(Exception):
    """status, detail: as answered, when nothing has been answered yet."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Limits:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # a file of the cloud side is bounded by the id it comes with
        if scope["type"] != "http" or scope["path"].startswith("/file/"):
            await self._app(scope, receive, send)
            return
        guard = _Guard(scope, receive, send, self._settings)
        try:
            guard.check_length()
            await self._app(scope, guard.receive, guard.send)
        except _Refused as refused:
            guard.refused = refused
        except TimeoutError:                    # of a client that takes no bytes
            return
        if guard.refused and not guard.has_begun:
            answer = problem(guard.refused.status, guard.refused.detail, headers={"Connection": "close"})
            await answer(scope, receive, send)


class _Guard:
    """One request's receive and send, counted and timed."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: Settings) -> None:
        self.has_begun = False
        self.refused: _Refused | None = None
        self._scope, self._receive, self._send, self._settings = scope, receive, send, settings
        headers = dict(scope["headers"])
        is_upload = headers.get(b"content-type", b"").startswith(UPLOAD)
        self._most = settings.max_upload_bytes + ENVELOPE_BYTES if is_upload else settings.max_json_bytes
        self._told = headers.get(b"content-length", b"")
        self._got = 0
        self._is_whole = False

    def check_length(self) -> None:
        if self._told.isdigit() and int(self._told[:20]) > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()        # waits for the client to leave, as long as it takes
        try:
            async with asyncio.timeout(self._settings.body_s):
                message = await self._receive()
        except TimeoutError:
            raise self._refuse(408, f"the request's body did not come within {self._settings.body_s:g} s") from None
        self._got += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._got > self._most:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        if self.refused:                        # whatever the application made of it, the client hears the reason
            return
        self.has_begun = True
        async with asyncio.timeout(self._settings.send_s):
            await self._send(message)

    def _too_large(self) -> _Refused:
        return self._refuse(413, f"a body like this may have {self._most} bytes; send less")

    def _refuse(self, status: int, detail: str) -> _Refused:
        self.refused = _Refused(status, detail)
        return self.refused
