"""Virtual boards of a gateway: started here, each a process of its own, and gone with it; their files stay."""
from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit import discover
from toolkit.errors import LinkError, ToolkitError, UsageError
from toolkit.gateway.errors import UnknownThingError
from toolkit.paths import data_dir

if TYPE_CHECKING:
    from toolkit.gateway.nodes import Nodes
    from toolkit.simulator import VirtualBoard

MOST_BOARDS = 8
HELLO_S = 3.0
GREET_TRIES, GREET_PAUSE_S = 40, 0.25
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
CHIPS = {"bme280": 0x76, "vl53l0x": 0x29, "ssd1306": 0x3C, "sh1106": 0x3C}       # model -> where it usually is
DISPLAYS = ("ssd1306", "sh1106")
# Names of pins that a person gives a level, or an analog one, to; the rest the board drives.
BUTTONS = ("irq1", "irq2", "irq3", "irq4", "oleduibttn", "rot_dt", "rot_clk")
ANALOG = ("co2", "temp6000", "ph", "mic")
SENSORS = ("raw_temperature", "hall", "battery_mv")

T = TypeVar("T")


@dataclass
class Kept:
    """A board and what its control channel does not tell: one request at a time goes there."""

    board: VirtualBoard
    kind: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    chips: dict[int, str] = field(default_factory=dict)
    is_in: bool = True

    async def do(self, act: Callable[[VirtualBoard], T]) -> T:
        """act(board) in a thread. Raises UsageError for what the board does not have, LinkError when it has ended."""
        from toolkit.simulator.api import EndedError
        from toolkit.simulator.errors import SimulatorError

        async with self.lock:
            try:
                return await asyncio.to_thread(act, self.board)
            except (EndedError, OSError) as error:
                raise LinkError(f"the virtual board {self.board.name} has ended: {error}") from None
            except SimulatorError as error:
                raise UsageError(str(error)) from None


class Farm:
    """The virtual boards that were started here."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._kept: dict[str, Kept] = {}
        self._starting: set[str] = set()

    def all(self) -> list[tuple[str, Kept]]:
        return sorted(self._kept.items())

    def find(self, name: str) -> Kept:
        if name not in self._kept:
            raise UnknownThingError(f"no virtual board {name[:40]!r} runs: GET /api/v1/virtual lists them")
        return self._kept[name]

    def ports(self) -> dict[str, str]:
        """Serial port -> name of the board."""
        return {str(kept.board.serial): name for name, kept in self._kept.items()}

    def stopped(self) -> list[str]:
        """Boards that have files here and do not run."""
        folder = data_dir() / "boards"
        names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        return sorted(name for name in names if NAME.fullmatch(name) and name not in self._kept)

    async def start(self, name: str, kind: str, erased: bool) -> Kept:
        """Raises UsageError when it cannot be started."""
        from toolkit.simulator import VirtualBoard
        from toolkit.simulator.errors import SimulatorError

        if name in self._kept or name in self._starting:
            raise UsageError(f"the virtual board {name} runs already")
        if len(self._kept) + len(self._starting) >= MOST_BOARDS:
            raise UsageError(f"{MOST_BOARDS} virtual boards run, which is all there is room for")
        folder = _folder(name)
        # compiled, as a real node is; with seats for the gateway, a person and an app at the same time
        config = {} if erased or folder.exists() else {"socmax": 4}
        board = VirtualBoard(dir=folder, name=name, board=kind, erased=erased, mpy=not erased, config=config,
                             radio=True)
        self._starting.add(name)
        try:
            await asyncio.to_thread(board.__enter__)
        except (SimulatorError, OSError) as error:
            raise UsageError(f"the virtual board does not start: {error}") from None
        finally:
            self._starting.discard(name)
        self._kept[name] = Kept(board, kind)
        if not erased:
            await self.greet(name)
        return self._kept[name]

    async def stop(self, name: str) -> None:
        kept = self.find(name)
        async with kept.lock:
            self._kept.pop(name, None)
            await asyncio.to_thread(kept.board.stop)

    async def close(self) -> None:
        await asyncio.gather(*(self.stop(name) for name, _ in self.all()), return_exceptions=True)

    async def greet(self, name: str) -> None:
        """Into the list of nodes, when it answers."""
        board = self.find(name).board
        place = (board.address, board.shell_port)
        for _ in range(GREET_TRIES):
            with contextlib.suppress(ToolkitError):
                found = await asyncio.to_thread(discover.hello_all, [place], HELLO_S)
                if found:
                    self._nodes.keep(found)
                    return
            await asyncio.sleep(GREET_PAUSE_S)


def _folder(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise UsageError(f"a name is 1 to 32 letters, digits, . _ or -, got {name[:40]!r}")
    return data_dir() / "boards" / name


def world(board: VirtualBoard, chips: dict[int, str]) -> dict[str, Any]:
    """Everything that a person beside the board would see."""
    info = board.info()
    names: dict[str, int] = info["names"]
    pins = []
    for number, pad in board.ask("pins").items():
        pwm, pixels = board.ask("pwm", pin=int(number)), board.ask("pixels", pin=int(number))
        pins.append({"pin": int(number), "names": pad["names"], "mode": _mode(pad["mode"]), "value": pad["value"],
                     "duty_pct": round(100 * pwm["duty_u16"] / 65535, 1) if pwm else None,
                     "freq_hz": pwm["freq_hz"] if pwm else None,
                     "pixels": [list(colour[:3]) for colour in pixels or ()]})
    hung = [{"address": address, "model": model, "rows": board.display(address) if model in DISPLAYS else [],
             "facts": {key: value for key, value in board.chip(address).items() if _is_number(value)}}
            for address, model in sorted(chips.items())]
    return {"state": info["state"], "uptime_s": round(info["uptime_s"], 1), "starts": info["starts"],
            "network": bool(board.ask("network")["up"]), "pins": pins, "chips": hung,
            "buttons": _named(names, BUTTONS), "analog": [
                {**each, "value": board.adc[each["pin"]]} for each in _named(names, ANALOG)],
            "sensors": {name: board.ask("sensor", name=name) for name in SENSORS}}


def _named(names: dict[str, int], wanted: tuple[str, ...]) -> list[dict[str, Any]]:
    found: dict[int, str] = {}
    for name in wanted:
        if name in names:
            found.setdefault(names[name], name)
    return [{"name": name, "pin": pin} for pin, name in found.items()]


def _mode(number: int | None) -> str:
    return {1: "in", 3: "out", 7: "open drain"}.get(number or 0, "")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
