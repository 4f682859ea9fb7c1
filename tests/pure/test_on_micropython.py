"""The tests beside this file, once more, on the interpreter that the board has."""
import subprocess
from pathlib import Path

import pytest

from tests.micropython import command

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = sorted(path.name for path in HERE.glob("test_*.py") if path.name != Path(__file__).name)


@pytest.mark.parametrize("file", FILES)
def test_the_same_holds_on_micropython(file):
    words = [*command(), "-X", "heapsize=4M", "tests/pure/on_micropython.py", f"tests/pure/{file}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout.startswith("0 ")
