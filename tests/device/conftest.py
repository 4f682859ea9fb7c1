"""A node on a virtual board: one for a file's quiet tests, or a fresh one for a test that breaks things."""
from pathlib import Path

import pytest

from toolkit.simulator import VirtualBoard

QUIET = {"ntphost": "n/a"}           # asks no time server: `task list` is the same at any moment


@pytest.fixture(scope="module")
def board():
    """One board for all tests of a file; they leave it as they found it."""
    with VirtualBoard(config={**QUIET, "socmax": 8}) as running:
        yield running


@pytest.fixture
def make_board():
    """Function that starts a board of this test's own; it ends with the test."""
    boards = []

    def make(config=None, files=(), **options):
        quiet = {} if "node_config.json" in files else QUIET
        boards.append(VirtualBoard(config={**quiet, **(config or {})}, files=dict(files), **options))
        return boards[-1].__enter__()

    yield make
    for made in boards:
        made.__exit__(None, None, None)


@pytest.fixture(scope="session")
def spec():
    """Text of micrOS/SPEC.md."""
    return (Path(__file__).parents[2] / "micrOS" / "SPEC.md").read_text()
