"""/api/v1/things: things, their tokens, what they told, actions, files, updates and relays, for people and programs."""
from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, WebSocket
from fastapi.exceptions import WebSocketException
from pydantic import BaseModel, Field

from toolkit.errors import ToolkitError
from toolkit.gateway.access import needs
from toolkit.gateway.api.doors import Admin, Operate, entered
from toolkit.gateway.cloud import packages
from toolkit.gateway.cloud.cloud import Cloud
from toolkit.gateway.cloud.commands import MOST_SHARED, MOST_WAIT_S, SHARED_BYTES
from toolkit.gateway.cloud.files import File as StoredFile
from toolkit.gateway.cloud.mailbox import Action as Mail
from toolkit.gateway.cloud.things import SHARED
from toolkit.gateway.cloud.things import Token as ThingToken
from toolkit.gateway.errors import QueueFullError
from toolkit.gateway.problems import ALWAYS, responses

router = APIRouter(prefix="/api/v1", tags=["things"], dependencies=entered, responses=responses(*ALWAYS, 409, 503))
sockets = APIRouter(prefix="/api/v1")

DAY_S = 86_400.0
POLICY, TRY_LATER = 1008, 1013          # RFC 6455, section 7.4.1; IANA registry


def cloud_of(request: Request) -> Cloud:
    cloud: Cloud = request.app.state.cloud
    return cloud


TheCloud = Annotated[Cloud, Depends(cloud_of)]
Key = Annotated[str, Path(min_length=1, max_length=64, description="thing key")]
Name = Annotated[str, Path(min_length=1, max_length=128, description="of a file")]
Owner = Annotated[str, Path(min_length=1, max_length=64, description=f"thing key, or {SHARED}: files for all things")]
Text = Annotated[str, Field(max_length=256)]


class Thing(BaseModel):
    key: str
    role: str
    connected: bool
    blocked: bool
    made_at: float
    seen_at: float
    address: str | None
    requests: int
    strange: int
    name: str
    desc: str
    details: dict[str, str]


class Sample(BaseModel, extra="allow"):
    """What the thing has sent, and `at`: its time in seconds since 1970."""

    at: float
    ts: str


class Told(Thing):
    last: dict[str, dict[str, Sample]] = Field(description="kind -> name -> the last sample")


class Change(BaseModel):
    """What is left out stays."""

    name: Text | None = None
    desc: Text | None = None
    blocked: bool | None = None


class Token(BaseModel):
    ident: str
    things: str
    role: str
    label: str
    most: int
    limits: dict[str, float]
    made_at: float


class TokenWish(BaseModel):
    """things: a thing key, or a pattern with *: whoever fits it and shows the token is registered."""

    things: Annotated[str, Field(min_length=1, max_length=64)]
    role: Literal["tell", "act", "share"] = "act"
    label: Annotated[str, Field(max_length=40)] = ""
    most: Annotated[int, Field(ge=1, le=100_000)] | None = None
    limits: dict[str, float] = {}


class NewToken(Token):
    token: str = Field(description="in clear, this once")


class ActionWish(BaseModel):
    """wait_s: for the outcome; ttl_s: for the thing to fetch it; timeout_s: for the next word of it."""

    method: Annotated[str, Field(min_length=1, max_length=128)]
    params: dict[str, Any] | None = None
    wait_s: Annotated[float, Field(ge=0, le=MOST_WAIT_S)] = 0
    ttl_s: Annotated[float, Field(gt=0, le=30 * DAY_S)] = DAY_S
    timeout_s: Annotated[float, Field(gt=0, le=30 * DAY_S)] = 3600


class Progress(BaseModel):
    at: float
    text: str


class Action(BaseModel):
    """state: waiting sent taken invoked | done expired cancelled unknown. tries > 1: it may have run more than once."""

    ident: str
    thing: str
    method: str
    params: dict[str, Any] | None
    by: str
    state: str
    tries: int
    made_at: float
    ended_at: float
    progress: list[Progress]
    code: int | None
    message: str | None
    out: dict[str, Any] | None
    late: bool


class File(BaseModel):
    name: str
    owner: str | None
    size: int
    crc32: int
    sha256: str
    by: str
    at: float


class FileWish(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=128)]
    crc32: Annotated[int, Field(ge=0, lt=1 << 32)] | None = None


class Way(BaseModel):
    """Where to POST or GET the bytes, good for several requests until its time is over."""

    path: str
    seconds: float
    file: File | None = None


class UpdateWish(BaseModel):
    """package: name of a file that is stored for all things, or for this one."""

    package: Annotated[str, Field(min_length=1, max_length=128)]
    timeout_s: Annotated[int, Field(ge=1, le=86_400)] = 600
    extra_params: Annotated[str, Field(max_length=1024)] | None = None


class RelayWish(BaseModel):
    port: Annotated[int, Field(ge=1, le=65535)]
    host: Annotated[str, Field(min_length=1, max_length=255)] = "localhost"


class Relay(BaseModel):
    ident: str
    path: str = Field(description="websocket of the person's end; the thing comes by itself")
    seconds: float
    action: Action


# -- tokens

@router.get("/thing-tokens", summary="Tokens that things come in with")
async def tokens(cloud: TheCloud, caller: Admin) -> list[Token]:
    return [_token(token) for token in await cloud.things.tokens()]


@router.post("/thing-tokens", status_code=201, summary="Make a token")
async def make_token(wish: TokenWish, cloud: TheCloud, caller: Admin) -> NewToken:
    token, secret = await cloud.things.make_token(wish.things, wish.role, wish.label, wish.most, wish.limits)
    return NewToken(**_token(token).model_dump(), token=secret)


@router.delete("/thing-tokens/{ident}", status_code=204, summary="Revoke a token; who came with it is let go")
async def revoke(ident: Annotated[str, Path(max_length=40)], cloud: TheCloud, caller: Admin) -> None:
    if not await cloud.revoke(ident):
        raise HTTPException(404, f"there is no token {ident!r}")


# -- things

@router.get("/things", summary="All things")
async def things(cloud: TheCloud, connected: bool | None = None) -> list[Thing]:
    rows = [Thing(**cloud.described(thing)) for thing in await cloud.things.all()]
    return [row for row in rows if connected in (None, row.connected)]


@router.get("/things/{key}", summary="A thing, and the last it told")
async def thing(key: Key, cloud: TheCloud) -> Told:
    found = await cloud.things.get(key)
    return Told(**cloud.described(found), last=await cloud.samples.lasts(key))      # type: ignore[arg-type]


@router.patch("/things/{key}", summary="Name, describe or block a thing")
async def change(key: Key, wish: Change, cloud: TheCloud, caller: Admin) -> Thing:
    details = {name: text for name, text in (("name", wish.name), ("desc", wish.desc)) if text is not None}
    values: dict[str, Any] = {} if wish.blocked is None else {"is_blocked": wish.blocked}
    changed = await cloud.things.change(key, details=details, **values)
    if changed.is_blocked:
        cloud.bell.ring("kick", thing=key)
    return Thing(**cloud.described(changed))


@router.delete("/things/{key}", status_code=204, summary="Forget a thing and all it told; its token stays")
async def forget(key: Key, cloud: TheCloud, caller: Admin) -> None:
    await cloud.forget(key)


@router.get("/things/{key}/samples", summary="What a thing told, by the time of each sample")
async def samples(
    key: Key, cloud: TheCloud,
    kind: Literal["property", "attribute", "alarm", "location", "log"] | None = None,
    name: Annotated[str | None, Query(max_length=128)] = None,
    since: Annotated[float, Query(description="seconds since 1970, or -3600: an hour ago")] = -DAY_S,
    most: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[Sample]:
    await cloud.things.get(key)
    begin = time.time() + since if since < 0 else since
    return [Sample(**row) for row in await cloud.samples.told(key, kind, name, begin, most)]


# -- actions

@router.post("/things/{key}/actions", status_code=201, summary="Have a thing do something")
async def act(key: Key, wish: ActionWish, cloud: TheCloud, caller: Operate) -> Action:
    found = await cloud.things.get(key)
    action = await cloud.mailbox.post(key, wish.method, wish.params, caller.ident, found.bounds().mails, wish.ttl_s,
                                      wish.timeout_s)
    return _action(await cloud.mailbox.wait(key, action.ident, wish.wait_s) if wish.wait_s else action)


@router.get("/things/{key}/actions", summary="The latest actions")
async def actions(key: Key, cloud: TheCloud, most: Annotated[int, Query(ge=1, le=1000)] = 50) -> list[Action]:
    await cloud.things.get(key)
    return [_action(action) for action in await cloud.mailbox.all(key, most)]


@router.get("/things/{key}/actions/{ident}", summary="An action")
async def action(key: Key, ident: Annotated[str, Path(max_length=40)], cloud: TheCloud,
                 wait_s: Annotated[float, Query(ge=0, le=MOST_WAIT_S)] = 0) -> Action:
    return _action(await cloud.mailbox.wait(key, ident, wait_s))


@router.delete("/things/{key}/actions/{ident}", summary="Take back an action that the thing has not got")
async def cancel(key: Key, ident: Annotated[str, Path(max_length=40)], cloud: TheCloud, caller: Operate) -> Action:
    return _action(await cloud.mailbox.cancel(key, ident))


# -- files and updates

@router.get("/things/{owner}/files", summary="Files of a thing, or for all things")
async def files(owner: Owner, cloud: TheCloud) -> list[File]:
    return [_file(file) for file in await cloud.files.all(await _owner(cloud, owner))]


@router.post("/things/{owner}/files", status_code=201, summary="Ask for a way to bring a file: POST its bytes there")
async def bring(owner: Owner, wish: FileWish, cloud: TheCloud, caller: Operate) -> Way:
    key = await _owner(cloud, owner)
    files, most = (MOST_SHARED, SHARED_BYTES)
    if key:
        bounds = (await cloud.things.get(key)).bounds()
        files, most = bounds.files, bounds.bytes
    ident = await cloud.files.bring(key, wish.name, wish.crc32, caller.ident, files, most)
    return Way(path=f"/file/{ident}", seconds=cloud.settings.file_s)


@router.get("/things/{owner}/files/{name:path}", summary="Ask for a way to fetch a file: GET it there")
async def fetch(owner: Owner, name: Name, cloud: TheCloud) -> Way:
    ident, file = await cloud.files.fetch(await _owner(cloud, owner), name)
    return Way(path=f"/file/{ident}", seconds=cloud.settings.file_s, file=_file(file))


@router.delete("/things/{owner}/files/{name:path}", status_code=204, summary="Remove a file")
async def remove(owner: Owner, name: Name, cloud: TheCloud, caller: Operate) -> None:
    await cloud.files.remove(await _owner(cloud, owner), name)


@router.post("/things/{key}/updates", status_code=201, summary="Update a thing with a package that is stored")
async def update(key: Key, wish: UpdateWish, cloud: TheCloud, caller: Admin) -> Action:
    found = await cloud.things.get(key)
    await _check_package(cloud, key, wish.package)
    params: dict[str, Any] = {"package": wish.package, "ota_timeout": wish.timeout_s}
    if wish.extra_params is not None:
        params["extra_params"] = wish.extra_params
    return _action(await cloud.mailbox.post(key, packages.METHOD, params, caller.ident, found.bounds().mails,
                                            timeout_s=wish.timeout_s + 600.0))


# -- relays

@router.post("/things/{key}/relays", status_code=201, summary="Open a way to a TCP port of a thing")
async def open_relay(key: Key, wish: RelayWish, request: Request, cloud: TheCloud, caller: Admin) -> Relay:
    found = await cloud.things.get(key)
    made = cloud.relays.made(key, wish.port, caller.ident)
    if made is None:
        raise QueueFullError("too many relays are open: close one")
    relay, secret = made
    base = f"wss://{cloud.https}" if cloud.https else f"ws://{request.headers.get('host', 'localhost')}"
    action = await cloud.mailbox.post(
        key, "remote-access", {"url": f"{base}/relay/{secret}", "host": wish.host, "protocol": str(wish.port)},
        caller.ident, found.bounds().mails, cloud.settings.relay_s, 30.0)
    return Relay(ident=relay.ident, path=f"/api/v1/things/{key}/relays/{relay.ident}", seconds=cloud.settings.relay_s,
                 action=_action(action))


async def _admin(websocket: WebSocket) -> None:
    try:
        await needs("admin")(websocket)
    except HTTPException as error:
        raise WebSocketException(POLICY, error.detail) from None


@sockets.websocket("/things/{key}/relays/{ident}")
async def relay(websocket: WebSocket, key: str, ident: str, allowed: Annotated[None, Depends(_admin)],
                text: bool = False) -> None:
    """The person's end: bytes both ways, to the port behind the thing and back; with ?text=true texts come back."""
    cloud: Cloud = websocket.app.state.cloud
    found = cloud.relays.find(key, ident)
    if found is None or found.is_taken:
        await websocket.close(POLICY, "no such relay, or it is taken")
        return
    await websocket.accept()
    await cloud.relays.of_person(websocket, found, text)


# -- within

async def _owner(cloud: Cloud, owner: str) -> str | None:
    """Raises UnknownThingError."""
    return None if owner == SHARED else (await cloud.things.get(owner)).key


async def _check_package(cloud: Cloud, key: str, name: str) -> None:
    """Raises what tells that there is none, or that no thing should get it."""
    try:
        file = await cloud.files.get(None, name)
    except ToolkitError:
        file = await cloud.files.get(key, name)
    body = b"".join([piece async for piece in cloud.files.read(file.blob, 0, file.size)])
    packages.checked(name, body)


def _token(token: ThingToken) -> Token:
    return Token(**asdict(token))


def _file(file: StoredFile) -> File:
    return File(**{name: value for name, value in asdict(file).items() if name != "blob"})


def _action(action: Mail) -> Action:
    told = asdict(action)
    if action.method == "remote-access" and told["params"]:
        told["params"] = {**told["params"], "url": "..."}           # who has it is the thing
    told["progress"] = [{"at": at, "text": text} for at, text in action.progress]
    return Action(**told)
