"""Espressif chips, through esptool in a process of its own: its prints stay away from ours, its licence too."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from toolkit import ports
from toolkit.boards import Board
from toolkit.errors import LinkError, NoPortError, PortLostError, ToolkitError

_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_CHIP = re.compile(r"^Connected to (\S+) on ")
_MAC = re.compile(r"^MAC:\s+([0-9a-fA-F:]{17,23})")
_COMPLAINT = re.compile(r"error occurred: (.*)")

Progress = Callable[[int, int], None]


class FlashError(ToolkitError):
    """Raised when the chip does not answer, or does not take what it is sent."""

    exit_code = 13


@dataclass(frozen=True)
class Chip:
    """What a chip told of itself. name: "ESP32-C3"; mac: "24:0a:c4:12:34:56"."""

    name: str
    mac: str


def ask(port: str, progress: Progress) -> Chip:
    """The chip at a port, which then waits in its boot loader."""
    lines = _run(port, ask_arguments(port), progress)
    found = [match[1] for line in lines if (match := _CHIP.match(line))]
    macs = [match[1] for line in lines if (match := _MAC.match(line))]
    if not found or not macs:
        raise FlashError(f"what is at {port} told no chip: {' | '.join(lines[-3:])}")
    return Chip(found[-1], macs[-1])


def erase(board: Board, port: str, progress: Progress) -> None:
    """The whole flash."""
    _run(port, board.erase(port), progress)


def write(board: Board, port: str, image: Path, progress: Progress) -> None:
    """Firmware, which esptool reads back as a hash."""
    _run(port, board.write(port, str(image)), progress)


def ask_arguments(port: str) -> list[str]:
    return ["--port", port, "--after", "no-reset", "--no-stub", "read-mac"]


def _run(port: str, arguments: Sequence[str], progress: Progress) -> list[str]:
    """Lines that esptool prints. Raises LinkError of a port that cannot be used, FlashError."""
    if not find_spec("esptool"):
        raise FlashError("no esptool: pip install esptool")
    ports.open_port(port).close()             # tells busy from denied from gone, which esptool does not
    # a pipe on Windows has a code page that esptool's progress bar is not in
    surroundings = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
    with subprocess.Popen([sys.executable, "-m", "esptool", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=surroundings,
                          encoding="utf-8", errors="replace") as process:
        try:
            lines = list(_followed(process.stdout or (), progress))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _failure(port, lines)
    return lines


def _followed(lines: Iterable[str], progress: Progress) -> Iterator[str]:
    for line in lines:
        if found := _PERCENT.search(line):
            progress(round(10 * float(found[1])), 1000)
        yield line.strip()


def _failure(port: str, lines: Sequence[str]) -> ToolkitError:
    try:
        ports.open_port(port).close()
    except NoPortError:
        return PortLostError(f"{port} has gone in the middle of it: plug the board in again and repeat the command")
    except LinkError as error:
        return error
    complaints = [found[1] for line in lines if (found := _COMPLAINT.search(line))]
    why = complaints[-1] if complaints else next((line for line in reversed(lines) if line), "it said nothing")
    return FlashError(f"the chip at {port} cannot be flashed: {why.rstrip('.')}. Hold its BOOT button while the "
                      "command begins, or try another cable, then repeat it")
