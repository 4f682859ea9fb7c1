"""The board: one process that owns the chip, the serial line and, one after the other, the interpreters."""
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.simulator.boards import BoardKind
from toolkit.simulator.bootrom import BootRom, EspRom, Host, Rp2Rom
from toolkit.simulator.clock import Clock
from toolkit.simulator.console import Console
from toolkit.simulator.control import Client, answer
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.events import Events
from toolkit.simulator.flashchip import SECTOR_BYTES, FileSystem, FlashChip
from toolkit.simulator.operations import operations
from toolkit.simulator.pinmap import logical_pins
from toolkit.simulator.ports import Cable, Port, PtyPort
from toolkit.simulator.radio import Radio
from toolkit.simulator.rfc2217 import Rfc2217Port, Transistors
from toolkit.simulator.romfs import Rom
from toolkit.simulator.silicon import Effects, Identity, Silicon
from toolkit.simulator.sleepers import Sleepers
from toolkit.simulator.span import Span
from toolkit.simulator.timeserver import TimeServer
from toolkit.simulator.uart import Uarts
from toolkit.simulator.vm import Start, Vm
from toolkit.simulator.wire import Wire
from toolkit.simulator.world import TIME_SERVER, World

IDLE_S = 3600.0
CRASH_PAUSE_S = 0.5            # between two starts of a VM that dies of a signal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """What a board is made of.

    leash   a file descriptor whose end of file ends the board, None = on its own
    turn    sleeping tasks follow the board's clock, and time can pass fast
    radio   ports besides shell and WebREPL whose connections can be lost and slowed; None: those of no port can
    flash   the file that keeps the firmware, once somebody has written some; None: it is not kept
    erased  nothing is in the flash
    drive   where an rp2 without firmware is a USB drive
    rfc2217 port of the serial line with DTR and RTS, 0: a free one; None: there is none
    """

    kind: BoardKind
    identity: Identity
    rom: Rom
    heap: str
    serial: Path
    control: Path
    become: Callable[[list[str]], object]
    source: Path | None = None
    clock_unset: bool = False
    leash: int | None = None
    turn: bool = False
    radio: tuple[int, ...] | None = None
    flash: Path | None = None
    erased: bool = False
    drive: Path | None = None
    rfc2217: int | None = None


@dataclass(frozen=True)
class Restart:
    """raw: into the raw REPL; boot_held: into the loader"""

    cause: str
    raw: bool = False
    boot_held: bool = False


class Board:
    """state: "booting" boot.py runs, "main" main.py runs, "repl" both are over.

    Without a VM: "asleep" (deepsleep), "held" in reset by the lines, "off" unplugged, or those of bootrom.py.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.clock = Clock(setup.clock_unset)
        self.chip = Silicon(setup.kind, setup.identity, self.clock, Effects(
            self._changed, self._event, self.reset, self._sleep, self._mask, lambda: self.console.take_ctrl_c(),
            lambda: self._enter("main")))
        self.world = World(setup.identity, lambda: self.chip.network_up)
        self.chip.resolve = self.world.answer
        self.console = Console(time.monotonic, lambda: self._enter("repl"))
        self.cable = Cable(self._typed, self.unplug)
        self.console.listeners += [self, self.cable]
        files = FileSystem(min(setup.kind.firmware_bytes, setup.identity.flash_bytes - SECTOR_BYTES),
                           setup.identity.directory, setup.kind.platform == "esp32")
        self.flash = FlashChip(setup.identity.flash_bytes, files, setup.flash)
        self.boot_rom = self._boot_rom()
        self.rfc2217: Rfc2217Port | None = None
        self.state = "booting"
        self.starts = 0
        self.crashes = 0
        self.started_s = 0.0
        self.vm: Vm | None = None
        self.names: dict[str, int] = {}
        self._wire: Wire | None = None
        self._events: Events | None = None
        self._sleepers: Sleepers | None = None
        self.span: Span | None = None              # passes just now
        self._wake_due_s: float | None = None      # end of a deepsleep
        self._restart: Restart | None = None
        self.serving: Client | None = None         # whose request is being answered
        self._clients: list[Client] = []
        self._calls: list[tuple[float, Callable[[], None]]] = []
        self._selector = selectors.DefaultSelector()
        self._operations = operations(self)
        self._over = False
        self.uarts = Uarts(setup.kind.name, setup.control, self._rewatch, self.later)
        self.chip.verbs.update(self.uarts.verbs())

    # -- life
    def run(self) -> None:
        """Until stop(), a signal or the end of the leash."""
        self._open()
        try:
            self._start("power")
            while not self._over:
                self._turn()
        finally:
            self._close()

    def stop(self, *_: object) -> None:
        self._over = True

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, in about that many seconds, from the loop."""
        self._calls.append((time.monotonic() + seconds, call))

    def reset(self, cause: str, raw: bool = False) -> None:
        """End the VM and start it again, from the loop: the caller may stand in the middle of the VM's request."""
        self._restart = Restart(cause, raw)

    def press(self, cause: str, boot_held: bool) -> None:
        """The same, with the boot button held or not while the chip comes out of reset."""
        self._restart = Restart(cause, boot_held=boot_held)

    def reset_now(self, cause: str, boot_held: bool = False) -> None:
        """Raises SimulatorError when there is no power."""
        if self.state == "off":
            raise SimulatorError("the cable is out: plug it in first")
        self.press(cause, boot_held)
        self._do_restart()

    def unplug(self) -> None:
        """Pull the cable: line and power are gone, at once."""
        self.cable.unplug()
        self._rest("off")

    def plug(self) -> None:
        if self.state == "off":
            if not self.setup.kind.native_usb:
                self.cable.plug()
            self.press("power", False)
            self._do_restart()

    def advance(self, seconds: float) -> None:
        """Let time have passed for the board, at once."""
        self.skip(seconds)
        if self.chip.timers.catch_up(self.clock.now()):
            self.reset_now("wdt")
        self._wake_from_sleep()

    def set_network(self, is_up: bool, delay_ms: int | None) -> None:
        """Lose the network, or have it back. Raises SimulatorError when it shall be slow and there is no radio."""
        radio = self.world.radio
        if delay_ms and not radio:
            raise SimulatorError("only a board with radio=True can have a slow network")
        self.chip.network_up = is_up
        if radio:
            radio.set(is_up, radio.delay_s if delay_ms is None else delay_ms / 1000)

    def run_clock(self, seconds: float, limit_s: float, grace_ms: int, ident: object) -> None:
        """Let time pass as fast as the program can work; its end is the answer to the request with this id.

        Raises SimulatorError when that cannot be.
        """
        if not self.setup.turn:
            raise SimulatorError("only a board with turn=True can let its time pass faster")
        if self.span:
            raise SimulatorError("a span of time is passing already")
        assert self.serving
        client = self.serving
        self.span = Span(self, seconds, limit_s, grace_ms, client, lambda error: self._post(
            client, {"id": ident, "error": str(error)} if error else {"id": ident, "ok": {"rtc": self.clock.rtc()}}))

    def skip(self, seconds: float) -> None:
        """Turn the clocks forward; what is due then comes with the next turn of the loop."""
        self.clock.skip(seconds)
        self.wake_sleepers()

    def wake_sleepers(self) -> None:
        """Have them look at the clock."""
        if self._sleepers:
            self._sleepers.wake()

    def idle_s(self) -> float | None:
        """What the program has said: seconds of sleep, inf = for ever, None while it works."""
        return self._sleepers.idle_s() if self._sleepers else None

    def events_are_over(self) -> bool:
        return not self._events or self._events.is_idle()

    def next_due_s(self) -> float | None:
        """When the next timer, watchdog or end of a deepsleep is due, in clock.now()."""
        return self.chip.timers.next_due_s() if self.vm else self._wake_due_s

    def drain(self) -> None:
        """Do all that the program has told so far."""
        if self._wire:
            self._wire.drain()
        self._do_restart()

    def send(self, data: bytes) -> None:
        """Console text, to those who watch."""
        self._tell_watchers({"change": "console", "text": data.decode("utf-8", "replace")})

    # -- the loop
    def _open(self) -> None:
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop)
        self._lay_cable()
        self._listener = socket.socket(socket.AF_UNIX)
        self._bind_control(self.setup.control)
        self._listener.listen()
        self.time_server = TimeServer(lambda: time.time() + self.clock.skipped_s)
        at = ("127.0.0.1", self.time_server.port)
        self.world.names[TIME_SERVER] = at
        self.world.inside.add(at)
        if self.setup.radio is not None:
            own = self.setup.identity
            self.world.radio = Radio(own.address, (own.shell_port, own.webrepl_port, *self.setup.radio), self._rewatch)
        self._watch(self._wake_r, self._signalled)
        self._watch(self.time_server, lambda: self.time_server.serve(self.chip.network_up))
        self._watch(self._listener, self._accept)
        if self.setup.leash is not None:
            self._watch(self.setup.leash, self._leash_moved)

    def _boot_rom(self) -> BootRom:
        kind, host = self.setup.kind, Host(self.later, self.press, self.console.print)
        rom: BootRom
        if kind.platform == "esp32":
            rom = EspRom(kind, self.flash, self.setup.identity.mac(), host)
        else:
            rom = Rp2Rom(kind, self.flash, self.setup.drive or self.setup.control.with_name("RPI-RP2"), host)
        if self.setup.erased:
            self.flash.blank()
        elif self.flash.is_kept():
            self.flash.load()
        else:
            self.flash.deliver(*rom.delivered())
        return rom

    def _lay_cable(self) -> None:
        pty = PtyPort(self.setup.serial, self._rewatch, self.cable.receive)
        self.cable.ports = (pty,)
        if self.setup.rfc2217 is not None:
            transistors = Transistors(lambda: self._rest("held"), lambda io0: self.press("power", io0), self.later)
            self.rfc2217 = Rfc2217Port(self.setup.identity.address, self.setup.rfc2217, self._rewatch,
                                       self.cable.receive, transistors.set)
            self.cable.ports = (pty, self.rfc2217)
        self.cable.plug()

    def _bind_control(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
            self._listener.bind(str(path))
        except OSError as error:
            raise SimulatorError(f"--control {path} cannot be made: {error}; name a shorter path of yours") from None

    def _close(self) -> None:
        self.unplug()
        if self.rfc2217:
            self.rfc2217.end()
        signal.set_wakeup_fd(-1)
        for client in list(self._clients):
            self._drop(client)
        if self.world.radio:
            self.world.radio.close()
        self.uarts.close()
        self._selector.close()
        self._listener.close()
        self.time_server.close()
        self.setup.control.unlink(missing_ok=True)
        self.clock.close()
        os.close(self._wake_r)
        os.close(self._wake_w)

    def _watch(self, what: Any, call: Callable[[], object], mask: int = selectors.EVENT_READ) -> None:
        self._selector.register(what, mask, call)

    def _rewatch(self, what: Any, call: Callable[[], object], mask: int) -> None:
        """Call when `what` is ready for the mask; 0: no longer."""
        if not mask:
            self._unwatch(what)
        elif self._is_watched(what):
            self._selector.modify(what, mask, call)
        else:
            self._watch(what, call, mask)

    def _is_watched(self, what: Any) -> bool:
        try:
            return bool(self._selector.get_key(what))
        except (KeyError, ValueError):             # ValueError: it is closed
            return False

    def _unwatch(self, what: Any) -> None:
        if self._is_watched(what):
            self._selector.unregister(what)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._time_out_s()):
            if self._is_watched(key.fileobj):      # an earlier call may have ended its owner
                key.data()
        self._do_restart()
        self._tick()
        self._do_restart()
        if self.span:
            self.span.step()

    def _time_out_s(self) -> float:
        now = time.monotonic()
        due = [self.console.next_pump_s(), self.cable.next_flush_s(),
               self._events.next_wake_s() if self._events else None]
        due += [at for at, _ in self._calls]
        board_due = self.next_due_s()
        due += [None if board_due is None else now + board_due - self.clock.now(),
                self.span.next_step_s() if self.span else None,
                self.world.radio.next_due_s() if self.world.radio else None]
        return max(0.0, min((at for at in due if at is not None), default=now + IDLE_S) - now)

    def _tick(self) -> None:
        self.console.pump()
        self.cable.flush()
        if self._events:
            self._events.wake()
        if self.vm and self.chip.timers.tick(self.clock.now()):
            self._bite()
        self._wake_from_sleep()
        if self.world.radio:
            self.world.radio.tick()
        now = time.monotonic()
        calls, self._calls = self._calls, []
        for at, call in calls:
            if at <= now:
                call()
            else:
                self._calls.append((at, call))

    def _bite(self) -> None:
        """The watchdog is due: what the program told before counts, so a feed on the wire saves it."""
        self.drain()
        if self.chip.timers.tick(self.clock.now()):
            self.reset("wdt")

    def _signalled(self) -> None:
        os.read(self._wake_r, 4096)

    def _leash_moved(self) -> None:
        assert self.setup.leash is not None
        if not os.read(self.setup.leash, 4096):
            self.stop()

    # -- the VM
    def _typed(self, port: Port, data: bytes) -> None:
        data = self.boot_rom.receive(port, data) if self.state not in ("held", "off") else b""
        if data:
            self.console.type(data)

    def _rest(self, state: str) -> None:
        """No firmware, and no boot ROM either."""
        self._end_vm()
        self._restart = self._wake_due_s = None
        self.boot_rom.stop()
        self.flash.save()
        self.console.forget()
        self._enter(state)

    def _start(self, cause: str, raw: bool = False, boot_held: bool = False) -> None:
        self.chip.restart(cause)
        if cause != "soft" and not self._boot(cause, boot_held):
            self.console.forget()
            self._enter(self.boot_rom.state)
            return
        start = Start(self.setup.identity.directory, self.setup.rom, self.setup.heap, self.clock.fileno(), not raw,
                      self.setup.turn, self.uarts.restart())
        vm = self.vm = Vm(start, self.setup.become)
        self._wire = Wire(vm.requests, self.chip.obey)
        self._events = Events(vm.events, vm.pid)
        self.console.attach(vm, raw)
        self._watch(vm.tty, self._printed)
        self._watch(vm.requests, self._requested)
        self._watch(vm.events, self._event_word)
        if vm.sleepers:
            self._sleepers = Sleepers(vm.sleepers, self.clock)
            self._watch(vm.sleepers, self._reported)
        self.names = logical_pins(self.setup.identity.directory, self.setup.kind, self.setup.source)
        self.starts += 1
        self.started_s = time.monotonic()
        self._tell_watchers({"change": "start", "starts": self.starts, "cause": cause})
        self._enter("booting")

    def _boot(self, cause: str, boot_held: bool) -> bool:
        """True when the firmware takes over. A chip that is its own USB device has no serial port before."""
        self.boot_rom.stop()
        has_firmware = self.boot_rom.start(cause, boot_held)
        if has_firmware:
            self.flash.format_if_blank()
        if self.setup.kind.native_usb:
            (self.cable.plug if has_firmware else self.cable.unplug)()
        self.flash.save()
        return has_firmware

    def _end_vm(self) -> int:
        if not self.vm:
            return 0
        assert self._wire and self._events
        for what in (self.vm.tty, self.vm.requests, self.vm.events, self.vm.sleepers):
            self._unwatch(what)
        self.console.detach()
        self._wire.close()
        self._events.close()
        if self._sleepers:
            self._sleepers.close()
        status = self.vm.end()
        self.vm = self._wire = self._events = self._sleepers = None
        return status

    def _do_restart(self) -> None:
        if self._restart:
            wanted, self._restart = self._restart, None
            if self.vm:
                self.console.take_last()
            self._end_vm()
            self._wake_due_s = None
            if wanted.cause == "soft":
                self.console.print(b"MPY: soft reboot\r\n")
            self._start(wanted.cause, wanted.raw, wanted.boot_held)

    def _printed(self) -> None:
        if not self.console.receive():
            self._ended()

    def _ended(self) -> None:
        """The VM left by itself: Ctrl-D, sys.exit, machine.soft_reset() - or it crashed."""
        self.drain()
        if not self.vm:
            return
        raw = self.console.raw
        status = self._end_vm()
        if not os.WIFSIGNALED(status):
            self.reset("soft", raw)
            return
        self.crashes += 1
        self.console.print(f"virtual board: the VM died of signal {os.WTERMSIG(status)}\r\n".encode())
        state = self.state
        self.later(CRASH_PAUSE_S, lambda: None if self.vm or self.state != state else self.reset("hard"))

    def _requested(self) -> None:
        if self._wire and self.vm and not self._wire.drain() and self.vm:
            self._selector.unregister(self.vm.requests)    # the VM closed it: its console says the same in a moment

    def _sleep(self, ms: int) -> None:
        self._wake_due_s = self.clock.now() + ms / 1000 if ms else None
        self._end_vm()
        self._enter("asleep")

    def _wake_from_sleep(self) -> None:
        if self._wake_due_s is not None and self.clock.now() >= self._wake_due_s:
            self.reset_now("deepsleep")

    def _event(self, kind: int, ident: int, value: int, may_wait: bool) -> bool:
        return bool(self._events and self._events.put(kind, ident, value, may_wait))

    def _event_word(self) -> None:
        if self._events and self.vm and not self._events.drain():
            self._selector.unregister(self.vm.events)

    def _reported(self) -> None:
        if self._sleepers and self.vm and not self._sleepers.drain():
            self._unwatch(self.vm.sleepers)

    def _mask(self, masked: bool) -> None:
        if self._events:
            self._events.mask(masked)

    def _enter(self, state: str) -> None:
        self.state = state
        self._tell_watchers({"change": "state", "state": state})

    # -- control
    def _accept(self) -> None:
        link, _ = self._listener.accept()
        client = Client(link)
        self._clients.append(client)
        self._watch(client, lambda: self._serve(client))

    def _serve(self, client: Client) -> None:
        lines = client.lines() if client.flush() else None
        self.serving = client
        for line in lines or []:
            self.drain()
            reply = answer(line, self._operations)
            self._do_restart()
            if reply and not client.send(reply):
                lines = None
                break
        if lines is None:
            self._drop(client)
        else:
            self._want_write(client)

    def _want_write(self, client: Client) -> None:
        if client not in self._clients:
            return
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.wants_to_write() else 0)
        key = self._selector.get_key(client)
        if key.events != mask:
            self._selector.modify(client, mask, key.data)

    def _drop(self, client: Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client)
            client.close()
            if self.span and self.span.asked_by is client:
                self.span.stop(None)

    def _changed(self, change: dict[str, Any]) -> None:
        names = [name for name, number in self.names.items() if number == change["pin"]]
        self._tell_watchers({**change, "names": names})

    def _tell_watchers(self, change: dict[str, Any]) -> None:
        for client in [client for client in self._clients if client.watches]:
            self._post(client, change)

    def _post(self, client: Client, message: dict[str, Any]) -> None:
        if client not in self._clients:
            return
        if client.send(message):
            self._want_write(client)
        else:
            self._drop(client)
