"""Virtual boards behind REST: start and stop, the power and the network, and the world around their pins."""
from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from pydantic import BaseModel, Field

from toolkit.errors import UsageError
from toolkit.gateway.api.doors import Admin, View, entered
from toolkit.gateway.problems import ALWAYS, responses
from toolkit.gateway.virtual import CHIPS, Farm, Kept, world

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway

router = APIRouter(prefix="/api/v1/virtual", tags=["virtual boards"], dependencies=entered,
                   responses=responses(*ALWAYS, 503))


class Board(BaseModel):
    name: str
    kind: str
    address: str
    shell_port: int
    serial: str
    plugged: bool


class Boards(BaseModel):
    running: list[Board]
    stopped: list[str] = Field(description="have files here, and can be started again")
    kinds: list[str]


class Wanted(BaseModel):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")
    board: str = Field(default="esp32", max_length=20)
    erased: bool = Field(default=False, description="nothing in its flash: --make makes a node of it")


class PinState(BaseModel):
    pin: int
    names: list[str]
    mode: str
    value: int
    duty_pct: float | None
    freq_hz: int | None
    pixels: list[list[int]]


class Named(BaseModel):
    name: str
    pin: int
    value: int | None = None


class ChipState(BaseModel):
    address: int
    model: str
    rows: list[str] = Field(description="of a display: lines of signs, # is lit")
    facts: dict[str, float]


class World(BaseModel):
    state: str
    uptime_s: float
    starts: int
    network: bool
    pins: list[PinState]
    buttons: list[Named]
    analog: list[Named]
    sensors: dict[str, int]
    chips: list[ChipState]


class Level(BaseModel):
    value: Literal[0, 1] | None = Field(description="null lets go of the pin")


class Reading(BaseModel):
    value: int = Field(ge=-(2**31), le=2**31 - 1)


class Chip(BaseModel):
    model: str = ""
    facts: dict[str, float] = Field(default_factory=dict)


class Done(BaseModel):
    state: str


def farm_of(request: Request) -> Farm:
    farm: Farm = request.app.state.virtual
    return farm


def kept_of(request: Request, name: Annotated[str, Path(max_length=40)]) -> Kept:
    return farm_of(request).find(name)


TheFarm = Annotated[Farm, Depends(farm_of)]
TheBoard = Annotated[Kept, Depends(kept_of)]


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.state.virtual = Farm(gateway.nodes)
    gateway.on_stop(app.state.virtual.close)
    app.include_router(router)


@router.get("")
async def boards(farm: TheFarm, caller: View) -> Boards:
    """Those that run, and those that could."""
    from toolkit.simulator.boards import BOARDS

    return Boards(running=[_row(name, kept) for name, kept in farm.all()], stopped=farm.stopped(), kinds=list(BOARDS))


@router.post("", status_code=201)
async def start(wanted: Wanted, farm: TheFarm, caller: Admin) -> Board:
    """Start one, new or again. It is in the list of nodes when this answers."""
    from toolkit.simulator.boards import BOARDS

    if wanted.board not in BOARDS:
        raise UsageError(f"board is one of {', '.join(BOARDS)}, got {wanted.board!r}")
    return _row(wanted.name, await farm.start(wanted.name, wanted.board, wanted.erased))


@router.delete("/{name}", status_code=204)
async def stop(name: str, farm: TheFarm, caller: Admin) -> None:
    """End it. Its files stay."""
    await farm.stop(name)


@router.get("/{name}")
async def look(kept: TheBoard, caller: View) -> World:
    """What a person beside it would see."""
    return World(**await kept.do(lambda board: world(board, kept.chips)))


@router.post("/{name}/{action}")
async def act(
    action: Literal["reset", "power", "unplug", "plug", "network-down", "network-up"],
    name: str, kept: TheBoard, farm: TheFarm, caller: Admin,
) -> Done:
    """The reset button; off and on again; the plug; the access point out of reach, and back."""
    acts: dict[str, Any] = {
        "reset": lambda board: board.reset(), "power": lambda board: board.power_cycle(),
        "unplug": lambda board: board.unplug(), "plug": lambda board: board.plug(),
        "network-down": lambda board: board.network(False), "network-up": lambda board: board.network(True)}
    await kept.do(acts[action])
    kept.is_in = {"unplug": False, "plug": True}.get(action, kept.is_in)
    return Done(state=(await kept.do(lambda board: board.info()))["state"])


@router.put("/{name}/pins/{pin}")
async def drive(pin: Annotated[str, Path(max_length=20)], wanted: Level, kept: TheBoard, caller: Admin) -> Reading:
    """Put a level on a pin from outside, as a button does."""
    return Reading(value=await kept.do(lambda board: board.ask("pin", pin=_pin(pin), value=wanted.value)))


@router.put("/{name}/analog/{pin}")
async def analog(pin: Annotated[str, Path(max_length=20)], wanted: Reading, kept: TheBoard, caller: Admin) -> Reading:
    """What the pin's ADC reads, 0 to 65535."""
    return Reading(value=await kept.do(lambda board: board.ask("adc", pin=_pin(pin), value=wanted.value)))


@router.put("/{name}/sensors/{sensor}")
async def sensor(sensor: Literal["raw_temperature", "hall", "battery_mv"], wanted: Reading, kept: TheBoard,
                 caller: Admin) -> Reading:
    """Readings without a pin; raw_temperature is in Fahrenheit, as the chip's."""
    return Reading(value=await kept.do(lambda board: board.ask("sensor", name=sensor, value=wanted.value)))


@router.put("/{name}/chips/{address}")
async def chip(address: Annotated[int, Path(ge=8, le=0x77)], wanted: Chip, kept: TheBoard, caller: Admin) -> Chip:
    """Hang a chip on the I2C bus, or change what it measures."""
    if wanted.model and wanted.model not in CHIPS:
        raise UsageError(f"model is one of {', '.join(CHIPS)}, got {wanted.model!r}")
    if not wanted.model and address not in kept.chips:
        raise UsageError(f"no chip at {address}: give a model")
    await kept.do(lambda board: board.chip(address, wanted.model or None, **wanted.facts))
    kept.chips[address] = wanted.model or kept.chips[address]
    return Chip(model=kept.chips[address], facts=wanted.facts)


@router.delete("/{name}/chips/{address}", status_code=204)
async def take_off(address: Annotated[int, Path(ge=8, le=0x77)], kept: TheBoard, caller: Admin) -> None:
    """Take a chip off the bus."""
    await kept.do(lambda board: board.ask("i2c", address=address))
    kept.chips.pop(address, None)


def _row(name: str, kept: Kept) -> Board:
    board = kept.board
    return Board(name=name, kind=kept.kind, address=board.address, shell_port=board.shell_port,
                 serial=str(board.serial), plugged=kept.is_in)


def _pin(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
