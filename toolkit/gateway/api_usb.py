"""Boards at the serial ports of the gateway's machine: --make, backup, restore, console. All of it takes role admin."""
from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import tempfile
import threading
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    File,
    HTTPException,
    Request,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.exceptions import WebSocketException
from pydantic import BaseModel, Field

from toolkit import archive, boards, parts, ports, profiles
from toolkit.errors import LinkError, UsageError
from toolkit.gateway.access import disowned, needs
from toolkit.gateway.api.doors import Admin, TheGateway, entered
from toolkit.gateway.errors import UnknownThingError
from toolkit.gateway.problems import ALWAYS, responses
from toolkit.gateway.runs import NameOf, RunRow, TheRuns, archived

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway

MAX_IMAGE_BYTES = 4 << 20
IMAGES = "images"              # folder of images that were sent here
KEPT_IMAGES = 8                # the oldest go first
VIRTUAL = "virtual"            # the small firmware that a virtual board starts with
POLICY, TRY_LATER = 1008, 1013

router = APIRouter(prefix="/api/v1/usb", tags=["usb"], dependencies=entered, responses=responses(*ALWAYS, 409, 503))
doors = APIRouter(prefix="/api/v1/usb")


class PortRow(BaseModel):
    port: str
    usb: str = Field(description="vendor:product, - without")
    chip: str = Field(description="what sits at the cable")
    board: str = Field(description="a guess")
    virtual: bool


class Question(BaseModel):
    key: str
    ask: str
    kind: str
    default: str | None


class Profile(BaseModel):
    name: str
    about: str
    questions: list[Question]


class Usb(BaseModel):
    ports: list[PortRow]
    without_port: list[str] = Field(description="plugged in, and the system shows no port for it: what helps")
    boards: list[str]
    parts: list[str]
    profiles: list[Profile]
    archived: list[str]


class At(BaseModel):
    port: str = Field(min_length=1, max_length=200)


class Restore(At, NameOf):
    pass


class Make(At):
    board: str = Field(default="", max_length=32, description="empty: the chip tells")
    name: str = Field(default="", max_length=32, description="of the node")
    config: str = Field(default="new", max_length=60, description="new, or archived:NAME")
    profile: str = Field(default="", max_length=32)
    answers: dict[str, str | int | bool] = Field(default_factory=dict, description="to the profile's questions")
    parts: str = Field(default="", max_length=100, description="all, none, or names with commas; empty: as usual")
    image: str = Field(default="", max_length=100, description="empty: the official one; virtual; or one sent here")


class Image(BaseModel):
    image: str


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.include_router(router)
    app.include_router(doors)


def virtual_ports(request: Request | WebSocket) -> dict[str, str]:
    """Serial ports of virtual boards -> their names."""
    farm = getattr(request.app.state, "virtual", None)
    return farm.ports() if farm else {}


def known(request: Request | WebSocket, port: str) -> str:
    """Raises UsageError for what is no port of a board: any other file is none of a page's business."""
    if port in virtual_ports(request) or port in (each.device for each in ports.ports()):
        return port
    raise UsageError(f"no board at {port[:60]!r}: GET /api/v1/usb lists the ports")


@router.get("")
async def look(request: Request, caller: Admin) -> Usb:
    """What is plugged in, and what it can be made to."""
    rows = [PortRow(port=each.device, usb=each.usb, chip=each.bridge.name if each.bridge else each.description or "-",
                    board=each.bridge.boards if each.bridge else "-", virtual=False) for each in ports.ports()]
    rows += [PortRow(port=port, usb="-", chip="virtual board", board=name, virtual=True)
             for port, name in virtual_ports(request).items()]
    seen = {row.chip for row in rows}
    silent = [f"{each.name}: {each.driver}" for each in ports.driverless(ports.SYSFS) if each.name not in seen]
    return Usb(ports=rows, without_port=silent, boards=list(boards.names()), parts=list(parts.NAMES),
               profiles=[_profile(name, each) for name, each in profiles.shipped().items()],
               archived=list(archive.archived()))


def _profile(name: str, told: profiles.Profile) -> Profile:
    return Profile(name=name, about=told.about, questions=[
        Question(key=each.key, ask=each.ask, kind=each.kind,
                 default=None if each.default is None else str(each.default)) for each in told.questions])


@router.post("/images", status_code=201)
async def take_image(gateway: TheGateway, caller: Admin, file: Annotated[UploadFile, File()]) -> Image:
    """Take a firmware image (.bin, rp2: .uf2), for POST .../make."""
    data = await file.read(MAX_IMAGE_BYTES + 1)
    suffix = Path(file.filename or "").suffix
    if suffix not in (".bin", ".uf2") or not 0 < len(data) <= MAX_IMAGE_BYTES:
        raise UsageError(f"an image is a .bin or .uf2 file of up to {MAX_IMAGE_BYTES >> 20} MiB")
    folder = gateway.settings.folder / IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(8) + suffix
    await asyncio.to_thread(archive.write_whole, folder / name, data)
    for old in sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)[:-KEPT_IMAGES]:
        old.unlink()
    return Image(image=name)


@router.post("/make", status_code=202)
async def make(wanted: Make, request: Request, gateway: TheGateway, runs: TheRuns, caller: Admin) -> RunRow:
    """A board becomes a node: erase, flash, copy, configure, greet. What was on it is gone."""
    words = ["--make", "--yes", "--port", known(request, wanted.port)]
    words += _option("--board", wanted.board, boards.names()) + _option("--profile", wanted.profile, profiles.shipped())
    words += ["--name", archive.checked_name(wanted.name)] if wanted.name else []
    words += _parts(wanted.parts)
    scratch = tempfile.TemporaryDirectory(prefix="micros-make-")       # only ours to read: the answers hold passwords
    try:
        words += ["--config", _config(wanted, Path(scratch.name))]
        words += _image(wanted, gateway, Path(scratch.name))
    except BaseException:
        scratch.cleanup()
        raise
    return runs.begin(f"make {wanted.name or 'a node'} at {Path(wanted.port).name}", words, clean=scratch.cleanup).row()


def _option(flag: str, word: str, known_words: Any) -> list[str]:
    if word and word not in known_words:
        raise UsageError(f"{flag} is one of {', '.join(known_words)}, got {word!r}")
    return [flag, word] if word else []


def _parts(names: str) -> list[str]:
    try:
        parts.chosen(names or parts.NONE)
    except ArgumentTypeError as error:
        raise UsageError(str(error)) from None
    return ["--parts", names] if names else []


def _config(wanted: Make, scratch: Path) -> str:
    if wanted.config.startswith("archived:"):
        return "archived:" + archived(wanted.config.removeprefix("archived:"))
    if wanted.config != "new":
        raise UsageError(f"config is new or archived:NAME, got {wanted.config!r}")
    if not wanted.answers:
        return "new"
    path = scratch / "answers.json"
    path.write_text(json.dumps(wanted.answers))
    return str(path)


def _image(wanted: Make, gateway: Gateway, scratch: Path) -> list[str]:
    if not wanted.image:
        return []
    if wanted.image == VIRTUAL:
        from toolkit.simulator.firmware import image

        path = scratch / ("firmware.uf2" if wanted.board == "rp2" else "firmware.bin")
        path.write_bytes(image(wanted.board or "esp32"))
        return ["--image", str(path)]
    path = gateway.settings.folder / IMAGES / Path(wanted.image).name
    if not path.is_file():
        raise UnknownThingError("that image is not here: send it to /api/v1/usb/images first")
    return ["--image", str(path)]


@router.post("/backup", status_code=202)
async def backup(wanted: At, request: Request, runs: TheRuns, caller: Admin) -> RunRow:
    """Keep the settings of the board in the archive."""
    port = known(request, wanted.port)
    return runs.begin(f"backup from {Path(port).name}", ["--backup_node_config", "--port", port]).row()


@router.post("/restore", status_code=202)
async def restore(wanted: Restore, request: Request, runs: TheRuns, caller: Admin) -> RunRow:
    """Give archived settings to the board."""
    port = known(request, wanted.port)
    return runs.begin(f"restore of {wanted.name} at {Path(port).name}",
                      ["--restore", archived(wanted.name), "--port", port]).row()


# -- the console


async def _admin(websocket: WebSocket) -> None:
    try:
        await needs("admin")(websocket)
    except HTTPException as error:
        raise WebSocketException(POLICY, error.detail) from None


@doors.websocket("/console")
async def console(websocket: WebSocket, port: str, allowed: Annotated[None, Depends(_admin)]) -> None:
    """A board's serial line, text both ways. Close 1013: no line, the reason as text before."""
    await websocket.accept()
    try:
        line = await asyncio.to_thread(ports.open_port, known(websocket, port))
    except (LinkError, UsageError) as error:
        await websocket.send_text(f"{error}\r\n")
        await websocket.close(TRY_LATER)
        return
    left = threading.Event()
    ways = [asyncio.create_task(way) for way in
            (_shown(websocket, line, left), _typed(websocket, line), disowned(websocket, "admin"))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        left.set()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await asyncio.to_thread(line.close)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close()


async def _shown(websocket: WebSocket, line: Any, left: threading.Event) -> None:
    while not left.is_set():
        try:
            data = await asyncio.to_thread(lambda: line.read(max(1, line.in_waiting)))
        except (OSError, TypeError):           # pyserial's SerialException is an OSError; TypeError: closed meanwhile
            await websocket.send_text("\r\n[the line is gone]\r\n")
            return
        if data:
            await websocket.send_text(str(data, "utf-8", "replace"))


async def _typed(websocket: WebSocket, line: Any) -> None:
    with contextlib.suppress(WebSocketDisconnect, OSError):
        while True:
            text = await websocket.receive_text()
            await asyncio.to_thread(line.write, text.replace("\n", "\r").encode())
