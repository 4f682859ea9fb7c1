"""list_usb -- the serial ports of this machine, and the MicroPython images for the boards."""
from __future__ import annotations

import argparse

from toolkit import ports
from toolkit.commands import Out, add_json, to_json
from toolkit.table import table

HELP = "list the boards on serial ports, and the MicroPython images"
FLAGS = ("-l", "--list_devs_n_bins")
EPILOG = """BOARD is a guess by the USB chip (VID:PID); --make and --deploy ask the chip itself. A board that is not
listed: try a cable that also carries data, then the driver of its USB chip. The variable MICROS_SERIAL names a port
that is not on the USB.

examples:
  devToolKit.py -l
  devToolKit.py --list_devs_n_bins --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(args: argparse.Namespace, out: Out) -> int | None:
    found, silent = ports.ports(), ports.driverless(ports.SYSFS)
    silent = [bridge for bridge in silent if bridge not in [port.bridge for port in found]]
    images = _images()
    if args.json:
        out(to_json({"ports": [_to_dict(port) for port in found],
                     "without_port": [bridge.name for bridge in silent], "images": images}))
        return None
    rows = [(port.device, port.usb, _chip(port), _guess(port), port.serial_number or "-") for port in found]
    heads = ("PORT", "USB", "CHIP", "BOARD", "SERIAL")
    for line in table(heads, rows) if rows else ["no board on a serial port"]:
        out(line)
    for bridge in silent:
        out(f"{bridge.name} is plugged in without a serial port: {bridge.driver}")
    out("")
    for line in table(("BOARD", "IMAGE", "WHERE"), [(row["board"], row["image"], row["where"]) for row in images]):
        out(line)
    return None


def _chip(port: ports.Port) -> str:
    return port.bridge.name if port.bridge else port.description or "-"


def _guess(port: ports.Port) -> str:
    return port.bridge.boards if port.bridge else "-"


def _to_dict(port: ports.Port) -> dict[str, str | None]:
    return {"port": port.device, "usb": port.usb, "chip": _chip(port), "board": _guess(port),
            "serial": port.serial_number or None}


def _images() -> list[dict[str, str]]:
    from toolkit.boards import BOARDS
    from toolkit.images import cached

    here = {board.name: cached(board).is_file() for board in BOARDS}
    return [{"board": board.name, "image": board.image_name,
             "where": str(cached(board)) if here[board.name] else "downloaded when it is needed"} for board in BOARDS]
