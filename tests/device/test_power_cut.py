"""The power goes at every single write of a save; a start after it finds the old value or the new one, all of it.

The modules of micrOS run as they are shipped, on MicroPython, on a flash in memory: power_cut/on_board.py.
POWER_CUT=long takes more values, more sizes of disks and operations that land in other parts.
"""
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.micropython import command
from toolkit.simulator.flash import shipped_set

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "micrOS" / "source"
LONG = os.environ.get("POWER_CUT") == "long"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800 if LONG else 60)]

LANDED = [0, 1, 4, 7] if LONG else [0, 4]          # eighths of the cut operation that reach the flash
SIZES = [                                          # bytes of a block, blocks, bytes of a long value
    (512, 64, 1500), (4096, 64, 5000),
    *([(512, 64, 2500), (512, 500, 1500), (4096, 24, 14000), (4096, 256, 5000)] if LONG else [])]


SAVES = (
    # what is saved, fewest cut points of a pass on blocks of 512 and of 4096 bytes (measured: a third more)
    ("first save, short", 8, 7),
    ("first save, long", 19, 38),
    ("save, short", 9, 8),
    ("save, long", 23, 39),
    ("save, growing", 20, 39),
    ("save, shrinking", 9, 8),
    ("save of a number", 9, 8),
    ("save beside a stranger", 9, 8),
    ("save while the file is broken", 9, 8),
    ("first key, short", 2, 2),
    ("first key, long", 13, 33),
    ("key, short", 2, 2),
    ("key, long", 13, 33),
    ("state, first", 2, 2),
    ("state, short", 2, 2),
    ("state, long", 13, 33),
    ("purge", 9, 9),
    ("update", 40, 60),
    ("update of a 1.20 node", 40, 60),
)
NAIVE = (
    # what is saved, on what, the finding
    ("naive, flushed", "littlefs", "differs in devfid, repairs"),
    ("naive, removed", "littlefs", "differs in devfid"),
    ("naive, unclosed", "littlefs", "('uncut',): old"),
    ("naive", "fat on a card", "differs in devfid, repairs"),
)
TWICE = (
    # as above, both cuts together, on blocks of 512 bytes
    ("save, short", 140),
    ("key, short", 18),
    ("state, short", 40),
    ("purge", 250),
)


@pytest.fixture(scope="module")
def micros(tmp_path_factory):
    """Folder with the compiled modules of micrOS, as a board gets them."""
    folder = tmp_path_factory.mktemp("micros")
    for path, content in shipped_set(SOURCE, mpy=True).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture
def cut(micros):
    """Function that runs one scenario, cut everywhere; returns the counts of on_board.py."""
    def run(scenario, **options):
        words = [str(micros), str(HERE), json.dumps(dict(options, scenario=scenario))]
        done = subprocess.run([*command(), "-X", "heapsize=16M", str(HERE / "power_cut" / "on_board.py"), *words],
                              capture_output=True, text=True)
        counts = [line for line in done.stdout.split("\n") if line.startswith('{"')]
        assert counts, done.stdout + done.stderr
        return json.loads(counts[-1])
    return run


@pytest.mark.parametrize(("block_size", "blocks", "long"), SIZES)
@pytest.mark.parametrize(("scenario", "least_512", "least_4096"), SAVES)
def test_a_cut_save_leaves_the_old_value_or_the_new_one(
        cut, scenario, least_512, least_4096, block_size, blocks, long):
    found = cut(scenario, block_size=block_size, blocks=blocks, long=long, landed=LANDED)
    assert found["lost"] == []
    assert len(found["passes"]) == len(LANDED)
    assert min(found["passes"]) >= (least_512 if block_size == 512 else least_4096)
    assert found["old"] + found["new"] == sum(found["passes"])


@pytest.mark.parametrize("block_size", [512, 4096] if LONG else [512])
@pytest.mark.parametrize(("scenario", "least"), TWICE)
def test_a_cut_in_the_save_after_a_cut_loses_nothing_either(cut, scenario, least, block_size):
    found = cut(scenario, block_size=block_size, twice=True, landed=LANDED if LONG else [4])
    assert found["lost"] == []
    assert min(found["passes"]) >= (least if block_size == 512 else 10)


def test_a_disk_that_tidies_up_during_the_save_loses_nothing(cut):
    found = cut("save, short", block_size=4096, ages=(0, 120) if LONG else (0, 48, 4), landed=[4])
    assert len(found["passes"]) == (120 if LONG else 12)
    assert found["lost"] == []
    assert max(found["passes"]) > min(found["passes"])      # so some of the ages were the right ones


@pytest.mark.parametrize(("scenario", "disk", "finding"), NAIVE)
def test_the_harness_catches_a_naive_save(cut, scenario, disk, finding):
    found = cut(scenario, disk=disk)
    assert any(finding in text for text in found["lost"])


@pytest.mark.parametrize("disk", ["fat", "fat on a card"])
@pytest.mark.parametrize("scenario", ["save, short", "key, short", "state, short"])
def test_on_fat_nothing_is_promised_but_what_is_lost_is_counted(cut, record_property, scenario, disk):
    found = cut(scenario, disk=disk, landed=[0])
    report = f"{scenario} on {disk}: {sum(found['passes'])} cut points, {found['old']} old, {found['new']} new"
    record_property("power_cut", report)
    print(report)
    assert sum(found["passes"]) >= 5
