"""What the toolkit costs before it does anything: its place on the disk, and the time until the overview is there."""
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

from row import Budget, Sample, row, side_by_side

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "devToolKit.py", "toolkit", "micrOS")
UNWANTED = ("PyQt5", "PyQt6", "PySide6", "numpy")
VENV_120_BYTES = 473e6         # spec/devtoolkit.md 1: 1.20.7 in a venv on Python 3.11
SIZE = Budget(80e6, of_ratio=False)
START = Budget(300.0, of_ratio=False)


@row("install-size", "pip install . into an empty venv", "1.20.7: 473 MB", "B", SIZE, rounds=1)
def install_size() -> Generator[Sample, None, None]:
    while True:
        yield float(_installed_bytes()), VENV_120_BYTES


@row("help", "devToolKit.py -h", "an empty Python", "ms", START, rounds=15)
def help_start() -> Generator[Sample, None, None]:
    front_door = str(ROOT / "devToolKit.py")
    yield from side_by_side(lambda: _run_ms(front_door, "-h"), lambda: _run_ms("-c", ""))


def _run_ms(*words: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - begun)


def _installed_bytes() -> int:
    """Of the whole venv, pip included. Raises AssertionError when something large and unwanted came along."""
    with tempfile.TemporaryDirectory() as scratch:
        source, venv = Path(scratch, "source"), Path(scratch, "venv")
        source.mkdir()
        for name in SHIPPED:           # a copy, since pip builds in the tree
            copy: Callable[..., object] = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, source / name)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [next(venv.glob("*/python")), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, source], check=True, stderr=subprocess.PIPE)
        unwanted = [path.name for name in UNWANTED for path in venv.glob(f"**/site-packages/{name}")]
        if unwanted:
            raise AssertionError(f"{', '.join(unwanted)} came along")
        return sum(path.lstat().st_size for path in venv.rglob("*") if path.is_file() and not path.is_symlink())
