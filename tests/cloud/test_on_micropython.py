"""What needs no board, once more, on the interpreter that the board has."""
import subprocess
from pathlib import Path

import pytest

from tests.micropython import command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", ["test_store.py"])
def test_the_same_holds_on_micropython(file):
    words = [*command(), "-X", "heapsize=4M", "tests/pure/on_micropython.py", f"tests/cloud/{file}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout.startswith("0 ")
