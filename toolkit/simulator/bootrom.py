"""What runs on a chip before any firmware: it starts what is in the flash, says why it cannot, or waits to be flashed.

A pty has no DTR and RTS. What esptool does with them on a real port is read from its bytes there, and only there:
- the loader's SYNC request, sent to a chip that is not in its loader: BOOT held and EN pressed. The request itself is
  lost, as it is while a chip resets; esptool repeats it.
- a byte outside of every frame, sent to a chip in its loader (a Ctrl-C, a Return; no loader client sends one): EN
  pressed. The byte reaches the firmware.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from toolkit.simulator.boards import BoardKind
from toolkit.simulator.drive import Drive
from toolkit.simulator.espressif import CHIPS
from toolkit.simulator.firmware import FAMILIES, esp_complaint, image, rp2_image, rp2_starts
from toolkit.simulator.flashchip import FlashChip
from toolkit.simulator.loader import SYNC, Loader
from toolkit.simulator.ports import Port

COMPLAIN_S = 0.5               # until the watchdog of the ROM lets it try again
COMPLAINTS = 5
WDT_S = 0.2                    # esptool locks the watchdog's registers again before it bites
LOOK_S = 0.02                  # how often the drive is looked at


@dataclass(frozen=True)
class Host:
    """What the chip does to the board around it.

    later    call once in so many seconds
    press    reset it: (cause, with BOOT held)
    print    on the console
    """

    later: Callable[[float, Callable[[], None]], None]
    press: Callable[[str, bool], None]
    print: Callable[[bytes], None]


class BootRom(Protocol):
    """state: "" while firmware runs, else what the board's state is then. firmware_at: where in the flash it lies."""

    state: str

    def delivered(self) -> tuple[int, bytes]:
        """(offset, image) that a new board has in its flash."""
        ...

    def start(self, cause: str, boot_held: bool) -> bool:
        """Out of reset. True when the firmware takes over."""
        ...

    def stop(self) -> None:
        """Reset, or no power."""
        ...

    def receive(self, port: Port, data: bytes) -> bytes:
        """Bytes of a user; returns those that are for the firmware."""
        ...


class EspRom:
    """state: "download" the loader waits, "empty" nothing to start"""

    def __init__(self, kind: BoardKind, flash: FlashChip, mac: bytes, host: Host) -> None:
        self.state = ""
        self._kind = kind
        self._chip = CHIPS[kind.chip]
        self._flash = flash
        self._loader = Loader(self._chip, flash, mac)
        self._host = host
        self._held = b""       # the beginning of a SYNC, perhaps
        self._tries = 0        # to start what is not there

    def delivered(self) -> tuple[int, bytes]:
        return self._chip.boot_at, image(self._kind.name)

    def start(self, cause: str, boot_held: bool) -> bool:
        self._host.print(self._kind.boot_lines(cause, boot_held))
        if boot_held:
            self.state = "download"
            self._loader.restart()
            return False
        complaint = esp_complaint(self._chip, self._flash.read)
        self.state = "empty" if complaint else ""
        if complaint:
            self._complain(complaint)
        return not complaint

    def stop(self) -> None:
        self.state, self._held = "", b""

    def receive(self, port: Port, data: bytes) -> bytes:
        if self.state == "download":
            return self._load(port, data)
        if not port.has_lines:
            data = self._without_sync(data)
        return b"" if self.state else data

    def _load(self, port: Port, data: bytes) -> bytes:
        port.send(self._loader.feed(data))
        way_out, stray = self._loader.take_way_out(), self._loader.take_stray()
        if way_out == "run":
            self._host.press("hard", False)
        elif way_out == "wdt":
            self._host.later(WDT_S, lambda: self._host.press("wdt", False) if self.state == "download" else None)
        elif stray and not port.has_lines:
            self._host.press("power", False)
            return stray
        return b""

    def _without_sync(self, data: bytes) -> bytes:
        data = self._held + data
        before, sync, _ = data.partition(SYNC)
        if sync:
            self._held = b""
            self._host.press("power", True)
            return before
        keep = next((n for n in range(min(len(SYNC) - 1, len(data)), 0, -1) if SYNC.startswith(data[-n:])), 0)
        self._held = data[len(data) - keep:]
        return data[:len(data) - keep]

    def _complain(self, complaint: str) -> None:
        """Over and over, until something else happens to the chip."""
        self._host.print(f"{complaint}\r\n".encode() * COMPLAINTS)
        self._tries += 1
        tries = self._tries

        def again() -> None:
            if self.state == "empty" and self._tries == tries:
                self._host.print(self._kind.boot_lines("rtcwdt"))
                self._complain(complaint)
        self._host.later(COMPLAIN_S, again)


class Rp2Rom:
    """state: "bootsel" it is a USB drive, and has no serial port"""

    def __init__(self, kind: BoardKind, flash: FlashChip, drive: Path, host: Host) -> None:
        self.state = ""
        self._flash = flash
        self._drive = Drive(drive, FAMILIES[kind.chip])
        self._host = host

    def delivered(self) -> tuple[int, bytes]:
        return 0, rp2_image(b"micrOS virtual board firmware")

    def start(self, cause: str, boot_held: bool) -> bool:
        if rp2_starts(self._flash.read) and not boot_held:
            self.state = ""
            return True
        self.state = "bootsel"
        self._drive.mount()
        self._look()
        return False

    def stop(self) -> None:
        self.state = ""
        self._drive.unmount()

    def receive(self, port: Port, data: bytes) -> bytes:
        return b"" if self.state else data

    def _look(self) -> None:
        if self.state != "bootsel":
            return
        blocks = self._drive.arrived()
        if blocks is None:
            self._host.later(LOOK_S, self._look)
            return
        for offset, content in blocks.items():
            self._flash.erase(offset, len(content))
        for offset, content in blocks.items():
            self._flash.program(offset, content)
        self._host.press("hard", False)
