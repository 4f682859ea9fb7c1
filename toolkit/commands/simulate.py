"""simulate -- run a virtual board: the device's own code on real MicroPython.

What only a board needs is imported inside the functions: every command is loaded for the overview, on Windows too,
where there is neither fork nor pty.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.paths import data_dir
from toolkit.simulator import address as places
from toolkit.simulator.boards import BOARDS, board_kind
from toolkit.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from toolkit.simulator.board import Board
    from toolkit.simulator.romfs import Rom

HELP = "run a virtual board: the device's own code on real MicroPython"
FLAGS = ("-sim", "--simulate")

NOT_READY_S = 20.0
POLL_S = 0.01
METER_UART, BEAT_S = 1, 5.0
UNITS = {"": 1, "K": 1024, "M": 1024 * 1024}
MIN_HEAP_BYTES = 32 * 1024

Out = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--board", default="esp32", metavar="KIND", help=f"one of {', '.join(sorted(BOARDS))} (default: esp32)")
    add("--name", default="node01", help="name of a new board (default: node01)")
    add("--dir", type=Path, metavar="DIR", help="the board's flash (default: boards/NAME in the user's data folder)")
    add("--heap", default="256K", metavar="SIZE", help="the interpreter's heap (default: 256K)")
    add("--flash", metavar="SIZE", help="size of the flash chip (default: 4M, with --no-mpy 8M: sources fill the half)")
    add("--address", default="127.0.0.1", help="where the board listens; auto: the next free 127.0.1.N")
    add("--shell-port", type=int, default=places.SHELL_PORT, metavar="PORT", help="the host's port for the shell")
    add("--webrepl-port", type=int, default=places.WEBREPL_PORT, metavar="PORT", help="the host's port for WebREPL")
    add("--serial", type=Path, metavar="LINK", help="where to put the link to the serial port")
    add("--rfc2217", type=int, nargs="?", const=places.RFC2217_PORT, metavar="PORT",
        help=f"the serial port over the network too, with DTR and RTS ({places.RFC2217_PORT}; 0: a free port)")
    add("--erased", action="store_true", help="a new board with nothing in its flash; put firmware there with esptool")
    add("--drive", type=Path, metavar="DIR", help="where an rp2 without firmware is a USB drive")
    add("--control", type=Path, metavar="SOCKET", help="where to put the control socket")
    add("--meter", nargs="?", const="meter", metavar="KIND",
        help="an electricity meter on UART 1 (try: meter load); dlms: a COSEM one (meter read 1.0.1.8.0)")
    add("--meter-fault", nargs="+", default=(), metavar="NAME=VALUE",
        help="lose=0.01 flip=0.01 double=0.01, chances of an octet, or silent=true; dlms: lose=1 damage=1, of answers")
    add("--meter-port", type=int, metavar="PORT", help="a COSEM meter behind TCP too, HDLC or wrapper (usual: 4059)")
    add("--vsoa-port", type=int, metavar="PORT", help="the board serves VSOA there, kept in its settings (usual: 3005)")
    add("--mpy", action=argparse.BooleanOptionalAction, default=True,
        help="compiled files, as --make puts them on a board, or sources")
    add("--clock", choices=("host", "unset"), default="host", help="the RTC at power-on (default: the host's time)")
    add("--turn", action="store_true", help="what sleeps follows the clock when a test turns it (costs heap)")
    add("--radio", type=int, nargs="*", metavar="PORT",
        help="connections of the shell, the WebREPL and these ports can be lost and slowed by the control socket")
    # for VirtualBoard and tests
    add("--source", default="", help=argparse.SUPPRESS)                      # another tree; "none": deploy nothing
    add("--no-shell", action="store_true", help=argparse.SUPPRESS)           # ready is when main.py starts
    add("--leash", action="store_true", help=argparse.SUPPRESS)              # end with stdin


def run(args: argparse.Namespace, out: Out) -> int | None:
    """Provision a board and run it until a signal. Returns 0, or 1 after one line on stderr."""
    try:
        with _runtime_dir() as scratch:
            _simulate(args, out, scratch)
    except SimulatorError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _runtime_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="micros-") as scratch:
        yield Path(scratch)


def _simulate(args: argparse.Namespace, out: Out, scratch: Path) -> None:
    if os.name != "posix":
        raise SimulatorError("the virtual board needs Linux or macOS; on Windows run it in WSL")
    from toolkit.simulator.board import Board, Setup
    from toolkit.simulator.silicon import Identity
    from toolkit.simulator.vm import interpreter
    kind = board_kind(args.board)
    heap_bytes = _size("--heap", args.heap, MIN_HEAP_BYTES)
    is_small = args.mpy or args.erased or args.source
    flash_bytes = _size("--flash", args.flash or ("4M" if is_small else "8M"), 1 << 20)
    become = interpreter()
    board_dir = _board_dir(args)
    place = places.take(args.address, args.shell_port, args.webrepl_port)
    try:
        identity = Identity(args.name, place.address, place.shell_port, place.webrepl_port, flash_bytes, board_dir)
        flash_file = _flash_file(board_dir)
        is_ours = not (args.erased or flash_file.exists())       # nobody has put firmware of their own there
        source = _provision(args, board_dir, is_ours)
        board = Board(Setup(
            kind=kind, identity=identity, rom=_rom(scratch), heap=str(heap_bytes), become=become,
            serial=_free_path(args.serial or scratch / "serial"), control=args.control or scratch / "control",
            source=source, clock_unset=args.clock == "unset", leash=sys.stdin.fileno() if args.leash else None,
            turn=args.turn, radio=None if args.radio is None else tuple(args.radio),
            flash=flash_file, erased=args.erased, drive=args.drive or scratch / "RPI-RP2", rfc2217=args.rfc2217))
        if args.meter:
            _hang(board, args.meter, _facts(args.meter_fault))
        if args.meter_port is not None:
            _listen(args.meter_port)
        _Herald(board, out, is_ours and not args.no_shell).start()
        board.run()
    finally:
        place.close()


def _facts(words: Sequence[str]) -> dict[str, object]:
    """{name: value} of NAME=VALUE. Raises SimulatorError."""
    try:
        return {name: json.loads(value) for name, _, value in (word.partition("=") for word in words)}
    except ValueError:
        raise SimulatorError(f"a fault is NAME=VALUE such as lose=0.01 or silent=true, got {' '.join(words)}") from None


def _hang(board: Board, kind: str, faults: dict[str, object]) -> None:
    """A model on UART 1, which does every few seconds what it does by itself. Raises SimulatorError."""
    from toolkit.simulator.uart import MODELS
    if kind not in MODELS:
        raise SimulatorError(f"--meter is one of {', '.join(sorted(MODELS))}, got {kind!r}")
    line = board.uarts[METER_UART]

    def beat() -> None:
        if line.model:
            line.model.beat()
        board.later(BEAT_S, beat)

    line.attach(kind)
    try:
        if line.model:
            line.model.be(faults)
    except (KeyError, ValueError) as error:
        raise SimulatorError(f"such a fault the meter {kind} has not: {error}") from None
    beat()


def _listen(port: int) -> None:
    """A DLMS meter behind TCP, as long as this process lives."""
    from toolkit.simulator.models.dlms_meter_lines import for_people
    try:
        for_people(port)
    except (OSError, OverflowError) as error:
        raise SimulatorError(f"--meter-port {port} cannot be the meter's port: {error}") from None


def _rom(scratch: Path) -> Rom:
    from toolkit.simulator import flash
    from toolkit.simulator.romfs import FolderRom, MemoryRom
    # another program does not find what lies in our memory
    return FolderRom(scratch / "rom", flash.shims()) if os.environ.get("MICROPYTHON") else MemoryRom(flash.shims())


def _size(flag: str, text: str, least: int) -> int:
    match = re.fullmatch(r"(\d+)([KM]?)B?", text.upper())
    size = int(match[1]) * UNITS[match[2]] if match else 0
    if size < least:
        raise SimulatorError(f"{flag} is a number of bytes like 256K or 4M, at least {least // 1024}K, got {text!r}")
    return size


def _board_dir(args: argparse.Namespace) -> Path:
    if not re.fullmatch(r"[\w.-]{1,32}", args.name) or args.name.startswith("."):
        raise SimulatorError(f"--name is 1-32 letters, digits, . _ or -, got {args.name!r}")
    folder: Path = args.dir or data_dir() / "boards" / args.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable")
    except OSError as error:
        raise SimulatorError(f"--dir {folder} cannot be the board's flash: {error.strerror}") from None
    return folder.resolve()


def _flash_file(board_dir: Path) -> Path:
    """Where the firmware is kept once somebody has written some."""
    return board_dir.with_name(board_dir.name + ".flash")


def _free_path(path: Path) -> Path:
    """A link may be put there: nothing is, or an old link."""
    if path.exists() and not path.is_symlink():
        raise SimulatorError(f"--serial {path} exists and is no link; name another path")
    return path.absolute()


def _provision(args: argparse.Namespace, board_dir: Path, is_ours: bool) -> Path | None:
    from toolkit.compile import shipped_source
    from toolkit.simulator import flash
    if args.erased and any(board_dir.iterdir()):
        raise SimulatorError(f"--erased is for a new board, and {board_dir} holds files; name another --dir")
    if args.source == "none":
        return None
    source = Path(args.source) if args.source else shipped_source()
    if not source.is_dir():
        raise SimulatorError(f"--source {source} is no directory")
    if not is_ours:
        if not args.erased:
            print(f"simulate: firmware and files are as you left them; remove {_flash_file(board_dir)} to get ours",
                  file=sys.stderr)
        return source
    if flash.is_new(board_dir):
        flash.name_board(board_dir, args.name)
    if args.vsoa_port is not None:
        _serve_vsoa(board_dir / flash.CONFIG, args.vsoa_port)
    report = flash.provision(board_dir, flash.shipped_set(source, args.mpy))
    if report.kept:
        print(f"simulate: kept your own {', '.join(report.kept)}; remove to get ours", file=sys.stderr)
    return source


def _serve_vsoa(path: Path, port: int) -> None:
    """Settings of a board that serves VSOA."""
    if not 0 < port < 65536:
        raise SimulatorError(f"--vsoa-port is 1-65535, got {port}")
    try:
        settings = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**settings, "vsoa": True, "vsoaport": port}))
    except (OSError, ValueError, TypeError) as error:
        raise SimulatorError(f"--vsoa-port: {path} cannot hold the setting: {error}") from None


class _Herald:
    """Says once that the board is ready, or that it is not."""

    def __init__(self, board: Board, out: Out, shell: bool) -> None:
        self._board = board
        self._out = out
        self._shell = shell
        self._waited_s = 0.0

    def start(self) -> None:
        self._board.later(0, self._look)

    def _look(self) -> None:
        if self._is_ready():
            self._out("ready " + json.dumps(self._facts()))
            sys.stdout.flush()
            if sys.stderr.isatty() and self._shell:
                self._greet()
            return
        self._waited_s += POLL_S
        if self._waited_s < NOT_READY_S:
            self._board.later(POLL_S, self._look)
            return
        lines = self._board.console.history.decode("utf-8", "replace").split("\r\n")
        last = " | ".join(line.strip() for line in lines[-12:] if line.strip())
        print(f"not ready: the shell does not listen after {NOT_READY_S:.0f} s; console: {last}",
              file=sys.stderr, flush=True)

    def _greet(self) -> None:
        """For a person at a terminal: what to type next."""
        identity = self._board.setup.identity
        print(f"\n  talk to it   telnet {identity.address} {identity.shell_port}"
              f"\n  or           devToolKit.py --connect --dev {identity.address}:{identity.shell_port}"
              f"\n  serial port  {self._board.setup.serial}"
              f"\n  its flash    {identity.directory}\n  Ctrl-C ends it", file=sys.stderr, flush=True)

    def _is_ready(self) -> bool:
        board = self._board
        if not self._shell:
            return board.state != "booting"
        port = board.world.own_port(places.SHELL_PORT)
        return board.vm is not None and places.is_listening(board.setup.identity.address, port)

    def _facts(self) -> dict[str, object]:
        setup = self._board.setup
        identity = setup.identity
        facts: dict[str, object] = {
            "name": identity.name, "shell": [identity.address, identity.shell_port],
            "webrepl": [identity.address, identity.webrepl_port], "serial": str(setup.serial),
            "control": str(setup.control), "dir": str(identity.directory)}
        if self._board.rfc2217:
            facts["rfc2217"] = self._board.rfc2217.url
        if setup.kind.native_usb:
            facts["drive"] = str(setup.drive)
        return facts
