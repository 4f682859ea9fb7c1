"""The gateway's REST API as a page asks it: over loopback, with the session of the browser that shows the page."""
from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from fastapi import Request
from websockets.asyncio.client import ClientConnection, connect

PREFIX = "/api/v1"
TIMEOUT_S = 130.0              # a bit more than a command may take


class ApiError(Exception):
    """What the API refused, in its own words. status: of HTTP; 0: it could not be asked."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Api:
    """`await api.get("devices", uid, "config")` is GET /api/v1/devices/<uid>/config."""

    def __init__(self, request: Request) -> None:
        host, port = request.scope["server"]
        self._host = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._cookie = request.headers.get("cookie", "")
        self._http = httpx.AsyncClient(base_url=f"http://{self._host}", headers={"cookie": self._cookie},
                                       timeout=TIMEOUT_S, trust_env=False)

    async def get(self, *path: str, **query: Any) -> Any:
        return await self._ask("GET", path, params=query)

    async def post(self, *path: str, body: object = None, **query: Any) -> Any:
        return await self._ask("POST", path, json=body, params=query)

    async def put(self, *path: str, body: object) -> Any:
        return await self._ask("PUT", path, json=body)

    async def delete(self, *path: str) -> Any:
        return await self._ask("DELETE", path)

    async def command(self, uid: str, text: str) -> Any:
        """The answer to a command: `text`, `ok`, `latency_s`."""
        return await self.post("devices", uid, "commands", body={"command": text})

    @asynccontextmanager
    async def console(self, *path: str, **query: str) -> AsyncIterator[ClientConnection]:
        """A websocket of the API."""
        words = f"?{urlencode(query)}" if query else ""
        headers = {"Cookie": self._cookie, "Origin": f"http://{self._host}"}
        async with connect(f"ws://{self._host}{_path(path)}{words}", additional_headers=headers, proxy=None) as socket:
            yield socket

    async def events(self, topics: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """(topic, data), until the gateway stops."""
        topic = ""
        async with self._http.stream("GET", _path(("events",)), params={"topics": topics}, timeout=None) as answer:
            async for line in answer.aiter_lines():
                word, _, rest = line.partition(": ")
                if word == "event":
                    topic = rest
                elif word == "data":
                    yield topic, json.loads(rest)

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, method: str, path: tuple[str, ...], **how: Any) -> Any:
        try:
            answer = await self._http.request(method, _path(path), **how)
        except httpx.HTTPError as error:
            raise ApiError(0, f"the gateway cannot be asked: {error or type(error).__name__}") from None
        told = answer.json() if answer.content else None
        if answer.is_success:
            return told
        raise ApiError(answer.status_code, str(told.get("detail", "")) if isinstance(told, dict) else answer.text)


def _path(words: tuple[str, ...]) -> str:
    return "/".join([PREFIX, *(quote(word, safe="") for word in words)])
