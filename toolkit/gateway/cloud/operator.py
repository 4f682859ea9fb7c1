"""The operator's REST of TR50, POST /api: log in once, then commands with the header sessionId.

    {"auth": {"command": "api.authenticate", "params": {"username": anything, "password": a token of this gateway}}}
    {"auth": {"command": "api.authenticate", "params": {"appToken": a thing's token, "appId": .., "thingKey": its key}}}
    {"cmd": {"command": .., "params": {..}}}            or several, each with a key of its own
"""
from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from micrOS.source.pure import tr50_cloud
from micrOS.source.pure.tr50 import Tr50Error
from toolkit.gateway.access import ROLES
from toolkit.gateway.cloud.commands import NOT_ALLOWED, NOT_DONE, Speaker, answer
from toolkit.gateway.cloud.session import MOST_COMMANDS, Bucket
from toolkit.gateway.cloud.vault import Store
from toolkit.gateway.engine import MIB
from toolkit.gateway.errors import UnavailableError, UnknownThingError

if TYPE_CHECKING:
    from toolkit.gateway.cloud.cloud import Cloud

SESSION_S = 12 * 3600
# <hash of the id>: {ident} or {thing, token}; a log, so that many logins end the oldest session and refuse nobody
SESSIONS = Store("cloud_sessions", 4 * MIB, SESSION_S, is_log=True)
MOST_BYTES = 256 * 1024
LOGIN = "api.authenticate"
WRONG_S = 0.3                  # a wrong login takes so long
MOST_WRONG = 20                # at a time
MOST_PACED = 5000


class Operators:
    """Their sessions, kept in the vault: any gateway of an engine knows them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._wrong = 0
        self._buckets: dict[str, Bucket] = {}        # of things that speak this way
        cloud.vault.declare(SESSIONS)

    async def answer(self, session: str, payload: bytes) -> dict[str, Any]:
        """The reply to a request. Raises Tr50Error, UnavailableError."""
        requests = tr50_cloud.requests(payload)
        if not 0 < len(requests) <= MOST_COMMANDS:
            raise Tr50Error(f"a request has 1-{MOST_COMMANDS} commands")
        speaker = await self._speaker(session) if session else None
        await self._paced(speaker)
        reply = {}
        for ident, command, params in requests:
            if command == LOGIN:
                reply[ident], speaker = await self._log_in(params)
            elif speaker is None:
                reply[ident] = tr50_cloud.failure(NOT_ALLOWED, f"log in first with {LOGIN}, show the header sessionId")
            else:
                speaker.ident = secrets.token_hex(16)
                reply[ident] = await answer(self._cloud, speaker, command, params)
        if speaker and speaker.thing and speaker.replied:
            await self._cloud.mailbox.taken(speaker.thing.key, speaker.replied)
        return reply

    async def _log_in(self, params: dict[str, Any]) -> tuple[dict[str, Any], Speaker | None]:
        told: dict[str, Any] | None = None
        password, token, key = params.get("password"), params.get("appToken"), params.get("thingKey")
        if isinstance(password, str):
            caller = self._cloud.gateway.access.caller(password)
            told = {"ident": caller.ident} if caller else None
        elif isinstance(token, str) and isinstance(key, str):
            thing = await self._cloud.things.admit(key, token.encode("utf-8", "replace"))
            told = {"thing": thing.key, "token": thing.token} if thing else None
        speaker = await self._of(told) if told else None
        if speaker is None:
            await self._slowed()
            return tr50_cloud.failure(NOT_ALLOWED, "no such user, token or thing"), None
        await self._paced(speaker)
        ident = secrets.token_hex(24)
        await self._cloud.vault.put(SESSIONS, _hash(ident), json.dumps(told).encode())
        return tr50_cloud.success({"sessionId": ident}), speaker

    async def _speaker(self, session: str) -> Speaker | None:
        entry = await self._cloud.vault.get(SESSIONS, _hash(session[:128]))
        return await self._of(json.loads(entry.value)) if entry else None

    async def _of(self, told: dict[str, Any]) -> Speaker | None:
        """Who that is today: a token that was revoked ends its sessions."""
        if "thing" in told:
            try:
                thing = await self._cloud.things.get(told["thing"])
            except UnknownThingError:
                return None
            tokens = {token.ident for token in await self._cloud.things.tokens()}
            is_theirs = thing.token == told["token"] and thing.token in tokens and not thing.is_blocked
            return Speaker(thing.key, thing) if is_theirs else None
        role = next((token.role for token in self._cloud.gateway.access.tokens() if token.ident == told["ident"]), None)
        if role is None:
            return None
        return Speaker(told["ident"], role=lambda needed: needed in ROLES and ROLES.index(role) >= ROLES.index(needed))

    async def _paced(self, speaker: Speaker | None) -> None:
        """A thing's requests and logins are taken no faster this way than over MQTT."""
        if speaker is None or speaker.thing is None:
            return
        if len(self._buckets) > MOST_PACED:
            self._buckets.clear()
        bounds = speaker.thing.bounds()
        await self._buckets.setdefault(speaker.thing.key, Bucket(bounds.rate_hz, bounds.burst)).take()

    async def _slowed(self) -> None:
        if self._wrong < MOST_WRONG:
            self._wrong += 1
            try:
                await asyncio.sleep(WRONG_S)
            finally:
                self._wrong -= 1


def routes(cloud: Cloud) -> list[BaseRoute]:
    operators = Operators(cloud)

    async def api(request: Request) -> Response:
        body, patience_s = bytearray(), cloud.settings.send_s
        try:
            async with asyncio.timeout(patience_s):
                async for piece in request.stream():
                    body += piece
                    if len(body) > MOST_BYTES:
                        return _failed(413, f"a request has up to {MOST_BYTES} bytes")
        except TimeoutError:
            return _failed(408, f"a request comes within {patience_s:g} s")
        except ClientDisconnect:
            return _failed(400, "the body ended too early")
        try:
            reply = await operators.answer(request.headers.get("sessionid", ""), bytes(body))
            return Response(json.dumps(reply), media_type="application/json")      # ASCII: ids come back as they came
        except Tr50Error as error:
            return _failed(400, str(error))
        except UnavailableError as error:
            return _failed(503, str(error))

    return [Route("/api", api, methods=["POST"], include_in_schema=False)]


def _failed(status: int, words: str) -> Response:
    return JSONResponse(tr50_cloud.failure(NOT_DONE, words), status)


def _hash(ident: str) -> str:
    return hashlib.sha256(ident.encode("utf-8", "replace")).hexdigest()
