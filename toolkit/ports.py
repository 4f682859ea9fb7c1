"""Serial ports: which boards are plugged in, which one is meant, and a clear line when a port cannot be opened."""
from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import LinkError, NoPortError, PortBusyError, PortDeniedError, UsageError

VARIABLE = "MICROS_SERIAL"     # names the port where no --port does
BAUD = 115200                  # of the REPL of every port of MicroPython
POLL_S = 0.05                  # a constant: over RFC 2217 each change of it is negotiated anew
WRITE_S = 10.0                 # a port that takes nothing for so long is dead
UDEV_RULE = "env/udev/70-micros.rules"
SYSFS = Path("/sys/bus/usb/devices")
PROC = Path("/proc")

_VENDOR_DRIVER = "its driver is part of Linux and Windows 11; older systems need that of the maker"
_ON_BOARD = "the board itself is the USB device: press its reset button, or try a cable that also carries data"


@dataclass(frozen=True)
class Bridge:
    """What sits at the board's end of the cable.

    pids      first and last product number
    boards    what is usually behind it, a guess
    driver    what helps when the system shows no port for it
    """

    vid: int
    pids: tuple[int, int]
    name: str
    boards: str
    driver: str = _VENDOR_DRIVER

    def is_at(self, vid: int | None, pid: int | None) -> bool:
        return vid == self.vid and pid is not None and self.pids[0] <= pid <= self.pids[1]


# the first row that matches counts
BRIDGES = (
    Bridge(0x10C4, (0xEA60, 0xEA71), "CP210x", "esp32, tinypico", f"CP210x of Silicon Labs: {_VENDOR_DRIVER}"),
    Bridge(0x1A86, (0x7522, 0x7523), "CH340", "esp32, esp8266",
           "CH340 of WCH: on Ubuntu the package brltty takes it away, remove that; else " + _VENDOR_DRIVER),
    Bridge(0x1A86, (0x55D2, 0x55D4), "CH9102", "esp32, tinypico", f"CH9102 of WCH: {_VENDOR_DRIVER}"),
    Bridge(0x0403, (0x6001, 0x6015), "FTDI", "esp32", f"FT232 of FTDI: {_VENDOR_DRIVER}"),
    Bridge(0x067B, (0x2303, 0x23F3), "PL2303", "esp32", f"PL2303 of Prolific: {_VENDOR_DRIVER}"),
    Bridge(0x303A, (0x1001, 0x1001), "Espressif USB JTAG", "esp32s3, esp32c3, esp32c6", _ON_BOARD),
    Bridge(0x303A, (0x0000, 0xFFFF), "Espressif USB", "esp32s2, esp32s3", _ON_BOARD),
    Bridge(0x2E8A, (0x0003, 0x0003), "Raspberry Pi boot ROM", "rp2",
           "it is in its boot mode, a drive without a serial port: --deploy writes firmware to it, "
           "unplugging and plugging it in starts what is on it"),
    Bridge(0x2E8A, (0x000F, 0x000F), "Raspberry Pi boot ROM", "rp2",
           "an RP2350 in its boot mode, a drive without a serial port: plug it in again without BOOTSEL"),
    Bridge(0x2E8A, (0x0000, 0xFFFF), "Raspberry Pi", "rp2", _ON_BOARD),
    Bridge(0xF055, (0x9800, 0x9802), "pyboard", "pyboard", _ON_BOARD),
)


@dataclass(frozen=True)
class Port:
    """A serial port of this machine; bridge: None when nothing is known of what is behind it."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str = ""
    description: str = ""
    bridge: Bridge | None = None

    @property
    def usb(self) -> str:
        return "-" if self.vid is None or self.pid is None else f"{self.vid:04X}:{self.pid:04X}"


def bridge_of(vid: int | None, pid: int | None) -> Bridge | None:
    return next((bridge for bridge in BRIDGES if bridge.is_at(vid, pid)), None)


def ports() -> list[Port]:
    """Ports of this machine that are a USB device, and the one that the variable MICROS_SERIAL names, first."""
    from serial.tools import list_ports

    named = os.environ.get(VARIABLE)
    found = sorted(_ports_of(list_ports.comports()), key=lambda port: port.device)
    first = [port for port in found if port.device == named] or [Port(named, description=VARIABLE)] if named else []
    return [*first, *(port for port in found if port not in first)]


def _ports_of(infos: Iterable[Any]) -> Iterator[Port]:
    """From pyserial's ListPortInfo."""
    for info in infos:
        if info.vid is not None:
            bridge = bridge_of(info.vid, info.pid)
            yield Port(info.device, info.vid, info.pid, info.serial_number or "", info.description or "", bridge)


def choose(port: str | None = None) -> str:
    """The port that is meant: the one named, by the variable MICROS_SERIAL too, else the only board there is.

    Raises UsageError when there are several, NoPortError when there is none.
    """
    named = port or os.environ.get(VARIABLE)
    if named:
        return named
    found = ports()
    known = [each for each in found if each.bridge]
    if len(known) == 1:
        return known[0].device
    if found:
        raise UsageError(f"{_which(known)}: {_listed(known or found)}. Name one: --port {(known or found)[0].device}")
    raise NoPortError(_why_none())


def _which(known: Sequence[Port]) -> str:
    return f"{len(known)} boards are plugged in" if known else "no known board is plugged in, though there are ports"


def _listed(found: Sequence[Port]) -> str:
    return ", ".join(f"{port.device} ({port.bridge.name if port.bridge else port.usb})" for port in found)


def _why_none() -> str:
    silent = driverless(SYSFS)
    if silent:
        return f"{silent[0].name} is plugged in, but the system shows no serial port for it. {silent[0].driver}"
    return ("no board is plugged in: expected a USB serial port. If there is a board, try a cable that also carries "
            "data, then the driver of its USB chip (CP210x, CH340, CH9102)")


def driverless(usb_devices: Path) -> list[Bridge]:
    """Bridges that are on the USB, by the folder in which Linux shows its devices; [] on other systems."""
    numbers = (tuple(_hex(device / name) for name in ("idVendor", "idProduct")) for device in _folders(usb_devices))
    return [bridge for vid, pid in numbers if (bridge := bridge_of(vid, pid))]


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _hex(path: Path) -> int | None:
    try:
        return int(path.read_text(), 16)
    except (OSError, ValueError):
        return None


# -- opening


def open_port(name: str, baud: int = BAUD) -> Any:
    """An open pyserial port, ours alone; reads wait 50 ms at most. name: a device, or a URL as rfc2217://host:port.

    Raises NoPortError, PortDeniedError, PortBusyError, LinkError.
    """
    import serial

    is_url = "://" in name
    try:
        port = serial.serial_for_url(name, do_not_open=True, baudrate=baud, timeout=POLL_S)
        if not is_url:                         # RFC 2217 of pyserial has neither
            port.write_timeout, port.exclusive = WRITE_S, True
        _rest_lines(port)
        port.open()
    except (OSError, ValueError) as error:
        raise explained(name, error) from None
    return port


def _rest_lines(port: Any) -> None:
    """On Windows DTR and RTS rise one after the other, which resets an ESP32; elsewhere together, which does not."""
    bridge = next((each.bridge for each in ports() if each.device == port.port), None) if os.name == "nt" else None
    if bridge and bridge.driver != _ON_BOARD:       # a USB of the board's own is silent without DTR
        port.dtr = port.rts = False


def explained(name: str, error: OSError | ValueError) -> LinkError:
    """What went wrong when a port was opened, and what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return PortDeniedError(_denied(name))
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortBusyError(f"{name} is in use by {holder(name) or 'another program'}: end that first")
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return NoPortError(f"there is no port {name}; {_there_are()}")
    if os.name == "nt" and any(port.device == name for port in ports()):      # Windows gives no errno
        return PortBusyError(f"{name} is there but cannot be opened: end the program that uses it")
    return NoPortError(f"{name} cannot be opened as a serial port: {error}; {_there_are()}")


def _there_are() -> str:
    found = ports()
    return f"there are {_listed(found)}" if found else "none is plugged in (devToolKit.py -l lists them)"


def _denied(name: str) -> str:
    group = _group(name)
    return (f"{name} may not be opened by this user: sudo usermod -aG {group} $USER, then log in again; "
            f"or copy {UDEV_RULE} to /etc/udev/rules.d and plug the board in again")


def _group(name: str) -> str:
    try:
        import grp
        group = grp.getgrgid(os.stat(name).st_gid).gr_name
    except (ImportError, OSError, KeyError):
        return "dialout"
    return "dialout" if group == "root" else group


def holder(name: str) -> str | None:
    """`screen (process 123)`: who has locked a port or, if nobody has, who has it open. None: nobody tells."""
    try:
        status = os.stat(name)
    except OSError:
        return None
    pids = [*_lockers(status), *_openers(status)]
    return next((f"{words} (process {pid})" for pid in pids if (words := _program(pid))), None)


def _lockers(status: os.stat_result) -> Iterator[int]:
    """By /proc/locks: `1: FLOCK  ADVISORY  WRITE 4242 00:18:5 0 EOF`, device and inode of the file in the sixth."""
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with contextlib.suppress(OSError):
        for line in (PROC / "locks").read_text().splitlines():
            words = line.split()
            if inode in words:
                yield int(words[words.index(inode) - 1])


def _openers(status: os.stat_result) -> Iterator[int]:
    for link in PROC.glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.stat().st_rdev == status.st_rdev and int(link.parts[-3]) != os.getpid():
                yield int(link.parts[-3])


def _program(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""
