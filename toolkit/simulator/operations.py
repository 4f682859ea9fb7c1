"""What the control channel can do to a board; the table in control.py is its description."""
from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any

from toolkit.simulator.chips import MODELS
from toolkit.simulator.chips.oled import Oled
from toolkit.simulator.control import LATER, Operation, Request
from toolkit.simulator.i2c import ChipModel, RegisterChip
from toolkit.simulator.i2s import PORTS
from toolkit.simulator.onewire import FAULTS as WIRE_FAULTS
from toolkit.simulator.timeserver import MODES
from toolkit.simulator.world import Place

if TYPE_CHECKING:
    from toolkit.simulator.board import Board

RESETS = ("hard", "soft", "power")
LIMIT_S, GRACE_MS = 60.0, 200  # of clock run


def _integer(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"value is an integer, {low} to {high}, got {value!r}")
    return value


def _span_s(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < 10 * 366 * 86400:
        raise ValueError("a clock goes forward, ten years at most")
    return seconds


def _place(to: Any) -> Place:
    """to: "address", or ["address", port]"""
    address, port = (to, 0) if isinstance(to, str) else to
    if not re.fullmatch(r"[\w.:-]+", address):
        raise ValueError(f"an address is letters, digits, . : and -, got {address!r}")
    return address, port and _integer(port, 1, 65535)


class Desk:
    """One method per operation; each takes the request and returns what goes into `ok`."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._gpio = board.chip.gpio

    def _number(self, request: Request) -> int:
        pin = request["pin"]
        if isinstance(pin, str) and not pin.isdigit():
            if pin not in self._board.names:
                raise ValueError(f"no pin is called {pin!r}; LP_{self._board.setup.kind.name}.py knows: "
                                 + (", ".join(sorted(self._board.names)) or "none"))
            pin = self._board.names[pin]
        self._gpio.pad(int(pin))
        return int(pin)

    def pin(self, request: Request) -> int:
        number = self._number(request)
        if "value" in request:
            value = request["value"]
            self._gpio.drive(number, None if value is None else _integer(int(value), 0, 1))
        return self._gpio.read(number)

    def pins(self, _: Request) -> dict[int, Any]:
        names = self._board.names.items()
        return {number: {"value": pad.level(), "mode": pad.mode, "pull": pad.pull,
                         "names": [name for name, at in names if at == number]}
                for number, pad in sorted(self._gpio.pads.items())}

    def pwm(self, request: Request) -> dict[str, int] | None:
        channel = self._gpio.pwm.get(self._number(request))
        return channel.as_dict() if channel else None

    def adc(self, request: Request) -> int:
        number = self._number(request)
        if "value" in request:
            self._gpio.analog(number)
            self._gpio.adc[number] = _integer(request["value"], 0, 65535)
        return self._gpio.analog(number)

    def touch(self, request: Request) -> int:
        number = self._number(request)
        if "value" in request:
            self._gpio.touch[number] = _integer(request["value"], 0, 65535)
        return self._gpio.touched(number)

    def pulse(self, request: Request) -> int:
        number = self._number(request)
        if "value" in request:
            self._gpio.pulses_us[number] = _integer(request["value"], -2, 2**31 - 1)
        return self._gpio.pulses_us.get(number, -2)

    def sensor(self, request: Request) -> int:
        sensors, name = self._board.chip.sensors, request["name"]
        if "value" in request:
            sensors[name] = _integer(request["value"], -2**31, 2**31 - 1)
        return sensors[name]

    def pixels(self, request: Request) -> list[list[int]] | None:
        return self._gpio.pixels.get(self._number(request))

    def i2c(self, request: Request) -> list[int]:
        chips, address = self._board.chip.bus.chips, _integer(request["address"], 0, 127)
        chips.pop(address, None)
        if "registers" in request:
            chips[address] = RegisterChip({int(at): int(value) for at, value in request["registers"].items()})
        return sorted(chips)

    def chip(self, request: Request) -> dict[str, Any]:
        bus, address = self._board.chip.bus, _integer(request["address"], 0, 127)
        if "model" in request:
            if request["model"] not in MODELS:
                raise ValueError(f"model is one of {', '.join(sorted(MODELS))}, got {request['model']!r}")
            bus.chips[address] = MODELS[request["model"]](self._board.clock.now)
        chip = bus.chips.get(address)
        if not isinstance(chip, ChipModel):
            raise ValueError(f"no chip model at address {address}")
        chip.be(request.get("facts", {}))
        return chip.facts()

    def display(self, request: Request) -> list[str]:
        chip = self._board.chip.bus.chips.get(_integer(request["address"], 0, 127))
        if not isinstance(chip, Oled):
            raise ValueError(f"no display at address {request['address']}")
        return chip.rows()

    def i2s(self, request: Request) -> dict[str, Any] | None:
        return self._board.chip.sound.facts(_integer(request["port"], 0, PORTS - 1))

    def dht(self, request: Request) -> dict[str, Any]:
        number, wires = self._number(request), self._board.chip.wires
        if "frame" in request:
            wires.frames.pop(number, None)
            if request["frame"] is not None:
                wires.frames[number] = bytes.fromhex(request["frame"])
        return {"frame": wires.frames[number].hex() if number in wires.frames else None,
                "asked": wires.asked.get(number, 0)}

    def onewire(self, request: Request) -> dict[str, Any]:
        chip = self._board.chip.wires.thermometer(self._number(request), _integer(request["serial"], 0, 2**48 - 1))
        if request.get("fault", "") not in WIRE_FAULTS:
            raise ValueError(f"fault is one of {', '.join(map(repr, WIRE_FAULTS))}, got {request['fault']!r}")
        chip.temp = float(request.get("temp", chip.temp))
        chip.is_parasite = bool(request.get("parasite", chip.is_parasite))
        chip.fault = request.get("fault", chip.fault)
        return {"rom": chip.rom.hex(), "temp": chip.temp, "parasite": chip.is_parasite, "fault": chip.fault}

    def clock(self, request: Request) -> object:
        if "set" in request:
            self._board.clock.set_rtc(float(request["set"]))
        if "advance" in request:
            self._board.advance(_span_s(request["advance"]))
        if "run" in request:
            grace_ms = _integer(request.get("grace_ms", GRACE_MS), 0, 65535)
            limit_s = float(request.get("limit", LIMIT_S))
            self._board.run_clock(_span_s(request["run"]), limit_s, grace_ms, request.get("id"))
            return LATER
        return {"rtc": self._board.clock.rtc()}

    def timers(self, _: Request) -> dict[int, Any]:
        return {ident: {"period_s": timer.period_s, "fired": timer.fired, "late": timer.late}
                for ident, timer in self._board.chip.timers.table.items()}

    def wdt(self, _: Request) -> dict[str, float] | None:
        timers = self._board.chip.timers
        if not timers.wdt_ms:
            return None
        return {"timeout_ms": timers.wdt_ms, "left_s": timers.wdt_due_s - self._board.clock.now()}

    def reset(self, request: Request) -> int:
        kind = request.get("kind", "hard")
        if kind not in RESETS:
            raise ValueError(f"kind is one of {', '.join(RESETS)}, got {kind!r}")
        self._board.reset_now(kind)
        return self._board.starts

    def download(self, _: Request) -> str:
        self._board.reset_now("power", boot_held=True)
        return self._board.state

    def flash(self, request: Request) -> str:
        offset, size = _integer(request["offset"], 0, 2**32), _integer(request["size"], 0, 4 << 20)
        return self._board.flash.read(offset, size).hex()

    def plug(self, request: Request) -> str:
        """in: plugged or not; after: out when so many more bytes have reached the board"""
        if "after" in request:
            self._board.cable.unplug_after(_integer(request["after"], 0, 2**31))
        elif request["in"]:
            self._board.plug()
        else:
            self._board.unplug()
        return self._board.state

    def network(self, request: Request) -> dict[str, Any]:
        chip = self._board.chip
        delay_ms = _integer(request["delay_ms"], 0, 60000) if "delay_ms" in request else None
        self._board.set_network(bool(request.get("up", chip.network_up)), delay_ms)
        chip.rssi_dbm = _integer(request.get("rssi", chip.rssi_dbm), -120, 0)
        return {"up": chip.network_up, "rssi": chip.rssi_dbm}

    def world(self, request: Request) -> list[list[Any]]:
        names = self._board.world.names
        if "name" in request:
            name = str(request["name"]).lower()
            key = (name, _integer(request["port"], 1, 65535)) if request.get("port") else name
            if request["to"] is None:
                del names[key]
            else:
                names[key] = _place(request["to"])
        return [[*(key if isinstance(key, tuple) else (key, None)), address, port or None]
                for key, (address, port) in names.items()]

    def ntp(self, request: Request) -> dict[str, Any]:
        server = self._board.time_server
        if request.get("mode", "ok") not in MODES:
            raise ValueError(f"mode is one of {', '.join(MODES)}, got {request['mode']!r}")
        server.mode = request.get("mode", server.mode)
        if "set" in request:
            server.set(float(request["set"]))
        return {"time": server.time(), "mode": server.mode, "asked": server.asked, "port": server.port}

    def uart(self, request: Request) -> dict[str, Any]:
        line = self._board.uarts[_integer(request["port"], 0, 15)]
        line.paced = bool(request.get("paced", line.paced))
        line.baud = _integer(request.get("baud", line.baud), 0, 2**31 - 1)
        if "model" in request:
            line.attach(request["model"])
        if line.model:
            line.model.be(request.get("facts", {}))
        return {**line.facts(), "socket": line.listen()}

    def console(self, _: Request) -> str:
        return self._board.console.history.decode("utf-8", "replace")

    def write(self, request: Request) -> int:
        data = str(request["text"]).encode()
        if not self._board.boot_rom.state:
            self._board.console.type(data)
        return len(data)

    def info(self, _: Request) -> dict[str, Any]:
        board, identity = self._board, self._board.setup.identity
        return {"pid": board.vm.pid if board.vm else None, "board_pid": os.getpid(), "starts": board.starts,
                "cause": board.chip.cause, "state": board.state, "crashes": board.crashes,
                "uptime_s": time.monotonic() - board.started_s, "name": identity.name, "board": board.setup.kind.name,
                "address": identity.address, "dir": str(identity.directory), "heap": board.setup.heap,
                "names": board.names}

    def watch(self, _: Request) -> bool:
        assert self._board.serving
        self._board.serving.watches = True
        return True


def operations(board: Board) -> dict[str, Operation]:
    """word of a request -> what answers it."""
    desk = Desk(board)
    return {name: getattr(desk, name) for name in vars(Desk) if not name.startswith("_")}
