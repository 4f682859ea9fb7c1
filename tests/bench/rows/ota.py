"""How long an update over the air takes: the whole set that differs, in one connection, against one file a process.

Against it stands tests/webrepl_cli.py, which puts on the wire what the public webrepl_cli.py does (that one is not on
PyPI), called as the toolkit of 1.20 calls it: a Python, a connection and a login for each file. It sends every 20th
file, by size, and its time is scaled up by the number of files or by their bytes, whichever says less. Nothing it sends
is verified, nor takes over; ours is hashed on the node, and the time includes its restart until the new set answers.
"""
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from row import Budget, Sample, row

from toolkit.compile import Build, Entry, build, digest
from toolkit.fileport import FileDoor
from toolkit.inventory import Device
from toolkit.link.webrepl import Held
from toolkit.ota import PAUSES_S, Air, Plan, planned, returned
from toolkit.simulator.api import VirtualBoard

CLI = Path(__file__).resolve().parents[2] / "webrepl_cli.py"
PASSWORD = "ADmin123"
ONE_IN = 20
CLI_S = 60.0
QUIET = {"ntphost": "n/a"}     # a name that is looked up holds up the loop


@row("ota", "whole .mpy set, sent and verified", "webrepl_cli.py, every 20th file, scaled", "ms", Budget(1 / 3),
     rounds=3)
def ota() -> Generator[Sample, None, None]:
    for staged_ms, _, cli_ms in _updates():
        yield staged_ms, cli_ms


@row("ota-answers", "the same until the new set answers", "webrepl_cli.py, every 20th file, scaled", "ms",
     Budget(1 / 3), rounds=3)
def ota_answers() -> Generator[Sample, None, None]:
    for _, whole_ms, cli_ms in _updates():
        yield whole_ms, cli_ms


def _updates() -> Iterator[tuple[float, float, float]]:
    """(ms until all is sent and verified, ms until the new set answers, ms of webrepl_cli.py). Each set differs in
    every file from the one before."""
    with tempfile.TemporaryDirectory() as folder, VirtualBoard(mpy=True, flash="16M", config=QUIET) as board:
        for number in range(1 << 30):
            varied = _varied(Path(folder, str(number)), number)
            door = FileDoor(Device("", board.address, board.shell_port, "node01"), PASSWORD, board.webrepl_port)
            cli_ms = _by_cli(board, varied)
            yield *_by_us(door, varied), cli_ms


def _varied(folder: Path, number: int) -> Build:
    """The set with a remark, or a byte after the end of the bytecode, that no set before had."""
    files, manifest = {}, []
    for path, file in build().files.items():
        mark = f"\n# {number}\n".encode() if path.endswith(".py") else number.to_bytes(4, "little")
        content = file.read_bytes() + mark
        files[path] = folder / path
        files[path].parent.mkdir(parents=True, exist_ok=True)
        files[path].write_bytes(content)
        manifest.append(Entry(path, len(content), digest(content)))
    return Build(files, manifest, [])


def _by_us(door: FileDoor, varied: Build) -> tuple[float, float]:
    def look(held: Held) -> Plan:
        return planned(varied, held.files)

    begun = time.perf_counter()
    link = door.open()
    air = Air(door, look, lambda done, total: None, lambda text: None, PAUSES_S)
    held = link.held()
    air.stage(link, held)
    staged_ms = 1000 * (time.perf_counter() - begun)
    returned(door, look, next(iter(look(held).put.items())))
    if air.done.sent != len(varied.files):
        raise AssertionError(f"{air.done.sent} of {len(varied.files)} files were sent")
    return staged_ms, 1000 * (time.perf_counter() - begun)


def _by_cli(board: VirtualBoard, varied: Build) -> float:
    some = sorted(varied.files.values(), key=lambda file: file.stat().st_size)[ONE_IN // 2::ONE_IN]
    begun = time.perf_counter()
    for at, file in enumerate(some):           # names of their own: the node goes on with the set it has
        remote = f"{board.address}:{board.webrepl_port}:{at}.bin"
        subprocess.run([sys.executable, CLI, "-p", PASSWORD, file, remote], check=True, timeout=CLI_S)
    took_ms = 1000 * (time.perf_counter() - begun)
    for at, file in enumerate(some):
        if (board.dir / f"{at}.bin").read_bytes() != file.read_bytes():
            raise AssertionError(f"{file.name} did not arrive")
    whole = sum(file.stat().st_size for file in varied.files.values())
    return took_ms * min(len(varied.files) / len(some), whole / sum(file.stat().st_size for file in some))
