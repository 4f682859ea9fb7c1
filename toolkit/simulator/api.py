"""A virtual board in a `with` statement: the very `--simulate` command in a process of its own, and its pins."""
import contextlib
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.nursery import Process, begin

PROMPT = re.compile(rb"(?:^|\n)[^\n]*\$ $")    # `node01 $ `, `[configure] node01 $ `
READY_S = 30.0
ANSWER_S = 10.0
STOP_S = 5.0

Pin = int | str


class Pwm(NamedTuple):
    """duty: 0-1023, as PWM.duty() counts; (0, 0) when the pin has no PWM."""

    freq_hz: int
    duty: int


class EndedError(SimulatorError):
    """Raised when the board's process is gone."""


class Control:
    """A connection to the control channel; control.py has the table of requests."""

    def __init__(self, path: str, timeout_s: float = ANSWER_S) -> None:
        self._link = socket.socket(socket.AF_UNIX)
        self._timeout_s = timeout_s
        self._link.settimeout(timeout_s)
        self._link.connect(path)
        self._file = self._link.makefile("rb")
        self._ident = 0

    def ask(self, op: str, **arguments: Any) -> Any:
        """`ok` of the answer. Raises SimulatorError with the `error`."""
        return self.ask_patiently(self._timeout_s, op, **arguments)

    def ask_patiently(self, timeout_s: float, op: str, **arguments: Any) -> Any:
        """The same with a time-out of its own."""
        self._link.settimeout(timeout_s)
        self._ident += 1
        self._link.sendall(json.dumps({"id": self._ident, "op": op, **arguments}).encode() + b"\n")
        while True:
            answer = self.next_message()
            if answer.get("id") == self._ident:
                break
        if "error" in answer:
            raise SimulatorError(answer["error"])
        return answer["ok"]

    def next_message(self) -> dict[str, Any]:
        try:
            line = self._file.readline()
        except TimeoutError:
            raise SimulatorError("the board said nothing on its control channel in time") from None
        if not line:
            raise EndedError("the board's process has ended")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        self._file.close()
        self._link.close()


class Changes:
    """What happens on a board from now on, one dictionary at a time; see control.py."""

    def __init__(self, path: str, timeout_s: float) -> None:
        self._control = Control(path, timeout_s)
        self._control.ask("watch")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            yield self._control.next_message()

    def until(self, **wanted: Any) -> dict[str, Any]:
        """The next change with these values, e.g. until(change="pin", pin=2, value=1). `name=` looks into names."""
        name = wanted.pop("name", None)
        for change in self:
            if (name is None or name in change.get("names", ())) and wanted.items() <= change.items():
                return change
        raise AssertionError("unreachable: a silent board raises")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()


class Pins:
    """board.pins["builtin"] reads a level, board.pins[5] = 1 drives a pad; None lets go of it."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, pin: Pin) -> int:
        return int(self._control.ask("pin", pin=pin))

    def __setitem__(self, pin: Pin, value: int | None) -> None:
        self._control.ask("pin", pin=pin, value=value)


class PwmChannels:
    """board.pwm["redgb"] -> Pwm(freq_hz, duty)"""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, pin: Pin) -> Pwm:
        channel = self._control.ask("pwm", pin=pin)
        return Pwm(channel["freq_hz"], channel["duty"]) if channel else Pwm(0, 0)


class Analog:
    """board.adc[33] = 0-65535: what ADC.read_u16() gives; read() is its upper 12 bits."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, pin: Pin) -> int:
        return int(self._control.ask("adc", pin=pin))

    def __setitem__(self, pin: Pin, value: int) -> None:
        self._control.ask("adc", pin=pin, value=value)


class BoardClock:
    """The board's own clock, without time zone, in seconds since 1970.

    What a turn moves, on any board: the RTC (time.time(), localtime()), machine.Timer, WDT and deepsleep; on a board
    with turn=True also what sleeps: asyncio.sleep(), wait_for() and time.sleep(), time.sleep_ms().
    What it never moves: time.ticks_ms() and its kin, time.sleep_us(), a socket's settimeout(), the world outside.
    """

    def __init__(self, control: Control) -> None:
        self._control = control

    def rtc(self) -> float:
        return float(self._control.ask("clock")["rtc"])

    def set(self, seconds_1970: float) -> None:
        self._control.ask("clock", set=seconds_1970)

    def advance(self, seconds: float) -> None:
        """That much time has passed, at once: who slept through several of its dates wakes once, late."""
        self._control.ask("clock", advance=seconds)

    def run(self, seconds: float, limit_s: float = 60.0, grace_ms: int = 200) -> None:
        """Let that much time pass as fast as the program can work; everything happens at its own date.

        Whenever nothing is ready the time up to the next date (a sleeping task, Timer, WDT, end of a deepsleep, of the
        span) is skipped, so a program that never sleeps takes the time that it takes. Resets, bites and deepsleep in
        the span are as always. Sockets get 1 ms of real time before each skip, grace_ms after traffic: a fake server
        of a test has so long to answer before a time-out of the board begins to run. Needs VirtualBoard(turn=True).
        Raises SimulatorError when the span has not passed after limit_s of real time.
        """
        self._control.ask_patiently(limit_s + ANSWER_S, "clock", run=seconds, limit=limit_s, grace_ms=grace_ms)


class World:
    """board.world["ip-api.com", 80] = ("127.0.0.1", port): a fake server of the test is what the board finds.

    Key: a name for all of its ports, or (name, port), which counts more. Value: (address, port), or an address for the
    port that was asked for. `del` forgets it. pool.ntp.org:123 is there from the start: board.ntp.
    """

    def __init__(self, control: Control) -> None:
        self._control = control

    def __setitem__(self, name: str | tuple[str, int], to: str | tuple[str, int]) -> None:
        self._control.ask("world", **self._words(name), to=to)

    def __delitem__(self, name: str | tuple[str, int]) -> None:
        self._control.ask("world", **self._words(name), to=None)

    @staticmethod
    def _words(name: str | tuple[str, int]) -> dict[str, Any]:
        return {"name": name} if isinstance(name, str) else {"name": name[0], "port": name[1]}


class TimeServer:
    """The board's time server: the host's time and all that board.clock has skipped, until it is set."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def set(self, seconds_1970: float) -> None:
        """It goes on from there."""
        self._control.ask("ntp", set=seconds_1970)

    def mode(self, mode: str) -> None:
        """mode: "ok", "silent" answers nothing, "garbage" answers several kinds of it, in turn"""
        self._control.ask("ntp", mode=mode)

    def time(self) -> float:
        return float(self._control.ask("ntp")["time"])

    def asked(self) -> int:
        """Questions that have come so far."""
        return int(self._control.ask("ntp")["asked"])


class Shell:
    """One session on the board's shell: what a person with telnet sees."""

    def __init__(self, link: socket.socket, timeout_s: float = ANSWER_S) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self.greeting = self._until_prompt()

    def send(self, line: str) -> str:
        """The answer to one line, without the prompt. "" when the board closed the session."""
        self._link.sendall(line.encode() + b"\n")
        return self._until_prompt()

    def close(self) -> None:
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _until_prompt(self) -> str:
        received = b""
        deadline = time.monotonic() + self._timeout_s
        while not PROMPT.search(received):
            self._link.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._link.recv(65536)
            except TimeoutError:
                raise SimulatorError(f"the shell gave no prompt in {self._timeout_s} s, only {received!r}") from None
            if not data:
                return received.decode("utf-8", "replace").rstrip("\n")
            received += data
        return received[:received.rfind(b"\n") + 1].decode("utf-8", "replace").rstrip("\n")


class VirtualBoard:
    """One virtual board, up when `with` begins, gone with all it had when `with` ends.

    dir       its files, kept, and beside it, in <dir>.flash, firmware written to it. None: all is removed
    name      devfid of a new board
    board     esp32, esp32s2, esp32s3, esp32c3, esp32c6, tinypico, rp2
    heap      of the interpreter, e.g. "256K"
    address   None: the next free 127.0.1.N; ports are 9008 and 8266 (elsewhere than on Linux: free ports)
    mpy       deploy compiled modules
    source    another tree than micrOS/source
    files     {path on the board: text or bytes} that lie there before the first boot
    config    merged into node_config.json before the first boot
    main      text of a main.py: the board holds only that and `files`, nothing is deployed
    shell     False: ready as soon as main.py starts; default: True, without it when `main` is given
    clock     "host", or "unset": 2000-01-01 at power-on
    flash     size of the flash chip; None: 4M, and 8M for sources, which fill the half of it
    radio     network(False) is true loss, and the network can be slow; for the ports of shell and WebREPL, those given
              here, e.g. radio=(80,), and all that the board connects to. Costs throughput
    erased    a new board with nothing in its flash: up at once, without a shell, until somebody puts firmware there
    rfc2217   a serial port over the network too, with DTR and RTS: board.rfc2217 is its URL
    turn      sleeping tasks follow board.clock, and board.clock.run() works; costs heap, so not for measuring

    Raises SimulatorError when the board does not come up; its stderr and console are in the message.
    """

    def __init__(self, dir: Path | str | None = None, name: str = "node01", board: str = "esp32",
                 heap: str = "256K", address: str | None = None, mpy: bool = False,
                 source: Path | str | None = None, files: Mapping[str, str | bytes] | None = None,
                 config: Mapping[str, Any] | None = None, main: str | None = None, shell: bool | None = None,
                 clock: str = "host", flash: str | None = None, turn: bool = False,
                 radio: bool | Sequence[int] = False, erased: bool = False, rfc2217: bool = False) -> None:
        self.name = name
        self._temporary = tempfile.TemporaryDirectory(prefix="micros-board-")
        self.dir = Path(dir) if dir is not None else Path(self._temporary.name, "flash")
        self._files = dict(files or {})
        if main is not None:
            self._files["main.py"] = main
        self._config = dict(config or {})
        self._has_shell = (main is None) if shell is None else shell
        self._flags = ["--name", name, "--board", board, "--heap", heap, "--address", address or "auto",
                       "--dir", str(self.dir), "--clock", clock, "--leash",
                       "--control", str(Path(self._temporary.name, "control")),
                       "--serial", str(Path(self._temporary.name, "serial"))]
        if main is not None or source is not None:
            self._flags += ["--source", "none" if source is None else str(source)]
        self._flags += ["--mpy" if mpy else "--no-mpy"] + (["--flash", flash] if flash else [])
        self._flags += ["--no-shell"] * (not self._has_shell) + ["--turn"] * turn
        self._flags += ["--erased"] * erased + ["--rfc2217", "0"] * rfc2217
        self._has_radio = radio is not False
        if self._has_radio:
            self._flags += ["--radio", *map(str, radio if isinstance(radio, Sequence) else ())]
        self._process: Process | None = None
        self._errors: IO[bytes] | None = None
        self._control: Control | None = None

    # -- life
    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error and self.stderr:
            error.add_note(f"the board's process said: {self.stderr.strip()}")
        self.stop()

    def start(self) -> None:
        """Lay out the flash and start the process; returns when the board is ready."""
        self._lay_out()
        self._errors = tempfile.TemporaryFile()    # noqa: SIM115 - closed in stop()
        self._process = begin(self._flags, self._errors)
        facts = json.loads(self._ready_line())
        self.facts: dict[str, Any] = facts
        self.address, self.shell_port = facts["shell"]
        self.webrepl_port = facts["webrepl"][1]
        self.serial = Path(facts["serial"])
        self.rfc2217: str | None = facts.get("rfc2217")
        self.drive = Path(facts["drive"]) if "drive" in facts else None
        self.control_path: str = facts["control"]
        self._control = Control(self.control_path)
        self.pins = Pins(self._control)
        self.pwm = PwmChannels(self._control)
        self.adc = Analog(self._control)
        self.clock = BoardClock(self._control)
        self.world = World(self._control)
        self.ntp = TimeServer(self._control)

    def stop(self) -> None:
        """End the process and remove what was temporary. May be called twice."""
        if self._control:
            self._control.close()
            self._control = None
        if self._process:
            self._end(self._process)
            self._process = None
        if self._errors:
            self._errors.close()
            self._errors = None
        self._temporary.cleanup()

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """After a reset: returns when the shell answers with a prompt, or main.py has started."""
        deadline = time.monotonic() + timeout_s
        with self.watch(timeout_s) as changes:
            if self.info()["state"] == "booting":
                changes.until(change="state", state="main")
        while self._has_shell:
            try:
                self.session(timeout_s).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise SimulatorError(f"no shell after {timeout_s} s; console: {self.console()[-2000:]}") from None
                time.sleep(0.01)

    @property
    def stderr(self) -> str:
        """What the board's process has said so far."""
        if not self._errors:
            return ""
        # not read(): the process writes on where the common file position stands
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    # -- shell
    def connect(self) -> socket.socket:
        """A connection to the shell, nothing read yet."""
        link = socket.create_connection((self.address, self.shell_port), ANSWER_S)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def session(self, timeout_s: float = ANSWER_S) -> Shell:
        """A session that has read the first prompt. Raises OSError while nobody listens."""
        link = self.connect()
        try:
            return Shell(link, timeout_s)
        except BaseException:
            link.close()
            raise

    def shell(self, *commands: str) -> str:
        """Answers to the commands, all in one session, joined by newlines; prompts left out."""
        with self.session() as session:
            return "\n".join([session.send(command) for command in commands])

    # -- the world around it
    def pixels(self, pin: Pin) -> list[tuple[int, ...]]:
        """Colours last written to the strip at a pin, (r, g, b) or (r, g, b, w); [] before."""
        return [tuple(colour) for colour in self.ask("pixels", pin=pin) or ()]

    def chip(self, address: int, model: str | None = None, **facts: Any) -> dict[str, Any]:
        """Facts of the chip model at an I2C address. model: put a fresh one there; facts: change these.

        fault="unplugged" takes it off, "held", "zeros" and "ones" break it, "" gives it back.
        """
        told: dict[str, Any] = self.ask("chip", address=address, facts=facts, **({"model": model} if model else {}))
        return told

    def display(self, address: int = 0x3C) -> list[str]:
        """What the glass of a display model shows: 64 lines of 128 signs, `#` is lit. chips.png makes a picture."""
        rows: list[str] = self.ask("display", address=address)
        return rows

    def reset(self, hard: bool = True) -> None:
        """hard: as machine.reset(); else as Ctrl-D. Does not wait: see wait_ready()."""
        self.ask("reset", kind="hard" if hard else "soft")

    def power_cycle(self) -> None:
        """Unplug it and plug it in again: RTC and its memory are lost."""
        self.ask("reset", kind="power")

    def download(self) -> None:
        """Press EN with BOOT held: the ROM's loader waits for esptool, on an rp2 board.drive is mounted.

        reset() leads out of it. For a user of the pty see bootrom.py; one of rfc2217 has DTR and RTS.
        """
        self.ask("download")

    def flash_bytes(self, offset: int, size: int) -> bytes:
        """Of the flash chip; files do not lie in it, but in board.dir."""
        return bytes.fromhex(self.ask("flash", offset=offset, size=size))

    def unplug(self) -> None:
        """Pull the USB cable: no power, board.serial is gone and whoever has it open reads its end."""
        self.ask("plug", **{"in": False})

    def unplug_after(self, count: int) -> None:
        """Pull it when so many more bytes have reached the board, over whichever port."""
        self.ask("plug", after=count)

    def plug(self) -> None:
        """The board starts; board.serial is back under the same path. Nothing when it is plugged in."""
        self.ask("plug", **{"in": True})

    def network(self, up: bool, delay_ms: int = 0) -> None:
        """The access point comes and goes: the station loses it, names are not found.

        Without radio=True that is all: open connections go on and new ones come in. With it, while down:
        - connections stand still: not a byte, not a FIN either way. They go on when the network is back; what was
          written, the board's own end included, comes then.
        - who connects from outside hears nothing (elsewhere than on Linux: is refused).
        - the board's lookups raise OSError, -202 for a name, 113 (EHOSTUNREACH) for an address; connect() to what
          was looked up before: 111 (ECONNREFUSED).
        - UDP to what was looked up is lost, both ways; broadcasts and UDP from outside still pass.
        delay_ms: in each direction, of TCP connections through the radio, in real time.
        """
        self.ask("network", up=up, **({"delay_ms": delay_ms} if delay_ms or self._has_radio else {}))

    def uart(self, port: int, **wanted: Any) -> dict[str, Any]:
        """How the program opened a UART, what was lost on it.

        wanted: paced=, baud= of the other end, model= of uart.MODELS, facts= that change it; see uart.Uart
        """
        facts: dict[str, Any] = self.ask("uart", port=port, **wanted)
        return facts

    def cable(self, port: int) -> socket.socket:
        """The other end of a UART; close it and the cable is out."""
        link = socket.socket(socket.AF_UNIX)
        link.connect(self.uart(port)["socket"])
        self.uart(port)            # from now on it is plugged in
        link.settimeout(ANSWER_S)
        return link

    def info(self) -> dict[str, Any]:
        info: dict[str, Any] = self.ask("info")
        return info

    def console(self) -> str:
        """The last 64 KiB that the board printed."""
        return str(self.ask("console"))

    def type(self, text: str) -> None:
        """Type on the board's serial line."""
        self.ask("write", text=text)

    def watch(self, timeout_s: float = ANSWER_S) -> Changes:
        """Changes from now on; a wait of more than timeout_s raises SimulatorError."""
        return Changes(self.control_path, timeout_s)

    def ask(self, op: str, **arguments: Any) -> Any:
        """Any request of the control channel."""
        if not self._control:
            raise SimulatorError("the board is not running")
        return self._control.ask(op, **arguments)

    def run(self, code: str, timeout_s: float = ANSWER_S) -> str:
        """Interrupt the program, run code in the raw REPL; what it printed. SimulatorError with its traceback."""
        with self.watch(timeout_s) as changes:
            typed = self._type_raw(changes, code)
            output, error = typed.until("\x04>").removeprefix("OK").split("\x04")[:2]
        if error:
            raise SimulatorError(error)
        return output.replace("\r\n", "\n")

    def run_blind(self, code: str, timeout_s: float = ANSWER_S) -> None:
        """The same without waiting for its end: for code that ends the VM."""
        with self.watch(timeout_s) as changes:
            self._type_raw(changes, code)

    # -- inside
    def _type_raw(self, changes: Changes, code: str) -> "_Expect":
        typed = _Expect(changes)
        # Ctrl-B shows the friendly banner from either REPL: what came before it is none of ours
        self.type("\x03\x03\x02\x01")
        typed.until("for more information.")
        typed.until("raw REPL; CTRL-B to exit\r\n>")
        self.type(code + "\x04")
        return typed

    def _lay_out(self) -> None:
        for path, content in self._files.items():
            target = self.dir / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.dir.mkdir(parents=True, exist_ok=True)
        if self._config:
            config = self.dir / "node_config.json"
            old = json.loads(config.read_text()) if config.exists() else {}
            config.write_text(json.dumps({**old, **self._config}))

    def _ready_line(self) -> str:
        assert self._process and self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(READY_S) else b""
        if not line.startswith(b"ready "):
            raise SimulatorError(self._why_not())
        return line.decode().removeprefix("ready ")

    def _why_not(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert self._process
            self._process.wait(0.5)
        return self.stderr.strip() or f"the board was not ready after {READY_S} s"

    @staticmethod
    def _end(process: Process) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


class _Expect:
    """Console text as it comes."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._text = ""

    def until(self, mark: str) -> str:
        while mark not in self._text:
            self._text += self._changes.until(change="console")["text"]
        before, _, self._text = self._text.partition(mark)
        return before
