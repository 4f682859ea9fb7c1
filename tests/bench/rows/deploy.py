"""How long it takes to bring the whole set onto an empty board over its serial port: ours, ampy, mpremote.

All three over the same pty, which has no baud rate; on a wire of 115,200 baud the ratios are smaller. mpremote and
ampy do not check what has arrived, ours is hashed on the board. ampy, as it is, gets every 20th file by size, and its
time is scaled up by the number of files or by their bytes, whichever says less.
"""
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path

from row import Budget, Sample, row

from toolkit.compile import shipped_source
from toolkit.link.serial import SerialLink
from toolkit.simulator.api import VirtualBoard
from toolkit.simulator.flash import shipped_set

IDLE = "import time\nwhile True: time.sleep(9)\n"
ONE_IN = 20
MPREMOTE_S = 120.0

Files = Mapping[str, Path]


@row("deploy-ampy", "whole .mpy set over USB", "ampy, every 20th file, scaled", "ms", Budget(1 / 20), rounds=2)
def deploy_ampy() -> Generator[Sample, None, None]:
    yield from _samples(_by_ampy)


@row("deploy-mpremote", "whole .mpy set over USB", "mpremote cp -r", "ms", Budget(1 / 5), rounds=2)
def deploy_mpremote() -> Generator[Sample, None, None]:
    yield from _samples(_by_mpremote)


def _samples(against: Callable[[VirtualBoard, Files], float]) -> Iterator[Sample]:
    with tempfile.TemporaryDirectory() as folder, VirtualBoard(main=IDLE) as board:
        files = _laid_out(Path(folder))
        while True:
            _empty(board)
            ours = _by_us(board, files)
            _empty(board)
            yield ours, against(board, files)


def _laid_out(folder: Path) -> dict[str, Path]:
    """The set under its names; main.py would start a node."""
    files = {path: folder / path for path in shipped_set(shipped_source(), mpy=True) if path != "main.py"}
    for path, data in shipped_set(shipped_source(), mpy=True).items():
        if path in files:
            files[path].parent.mkdir(parents=True, exist_ok=True)
            files[path].write_bytes(data)
    return files


def _empty(board: VirtualBoard) -> None:
    with SerialLink(str(board.serial)) as link:
        link.remove_strangers({}, lambda path: path == "main.py")


def _by_us(board: VirtualBoard, files: Files) -> float:
    begun = time.perf_counter()
    with SerialLink(str(board.serial)) as link:
        sent = link.sync(files).sent
    took_ms = 1000 * (time.perf_counter() - begun)
    _check(board, files, len(sent) == len(files))
    return took_ms


def _by_mpremote(board: VirtualBoard, files: Files) -> float:
    folder = files["Files.mpy"].parent
    words = [sys.executable, "-m", "mpremote", "connect", str(board.serial), "cp", "-r",
             *map(str, sorted(folder.iterdir())), ":"]
    begun = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, timeout=MPREMOTE_S)
    took_ms = 1000 * (time.perf_counter() - begun)
    _check(board, files, True)
    return took_ms


def _by_ampy(board: VirtualBoard, files: Files) -> float:
    from ampy.files import Files as AmpyFiles
    from ampy.pyboard import Pyboard

    some = sorted(files, key=lambda path: files[path].stat().st_size)[ONE_IN // 2::ONE_IN]
    begun = time.perf_counter()
    with contextlib.closing(Pyboard(str(board.serial))) as pyboard:
        ampy = AmpyFiles(pyboard)
        for number, path in enumerate(some):         # names of their own in the root: no mkdir in its time
            ampy.put(f"{number}.bin", files[path].read_bytes())
    took_ms = 1000 * (time.perf_counter() - begun)
    _check(board, {f"{number}.bin": files[path] for number, path in enumerate(some)}, True)
    return took_ms * min(len(files) / len(some), _bytes(files.values()) / _bytes(files[path] for path in some))


def _bytes(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _check(board: VirtualBoard, files: Files, is_whole: bool) -> None:
    wrong = [path for path, file in files.items() if (board.dir / path).read_bytes() != file.read_bytes()]
    if wrong or not is_whole:
        raise AssertionError(f"{len(wrong)} of {len(files)} files are not on the board as they were sent")
