"""A long run has no time limit and says how to repeat it; the board that is fuzzed."""
import pytest

from tests.fuzz.effort import EXAMPLES, IS_LONG, SEED
from toolkit.simulator import VirtualBoard

PROBE = """
import gc

def used():
    gc.collect()
    return gc.mem_alloc()
"""


def pytest_report_header():
    return f"fuzz: FUZZ_EXAMPLES={EXAMPLES} FUZZ_SEED={SEED}" if IS_LONG else None


def pytest_collection_modifyitems(items):
    for item in items:
        if IS_LONG and "tests/fuzz/" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(scope="module")
def board():
    """One board for all tests of a file."""
    with VirtualBoard(config={"socmax": 8}, files={"LM_probe.py": PROBE}) as running:
        yield running
