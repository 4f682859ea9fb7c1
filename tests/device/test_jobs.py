"""`job <id> <command>`: a command runs once, however often it is asked for and whenever the power goes."""
import json
import subprocess

import pytest

from tests.device.wire import FLASH, ROOT, Wire, eventually
from tests.micropython import command
from toolkit.simulator.flash import shipped_set

TALLY = """
import asyncio
import os

def _count(name):
    try:
        with open(name) as file:
            return int(file.read())
    except OSError:
        return 0

def hit():
    count = _count("tally") + 1
    with open("tally", "w") as file:
        file.write(str(count))
    return count

def made():
    return _count("tally")

async def slow():
    hit()
    await asyncio.sleep(3600)

async def soon():
    await asyncio.sleep_ms(1)
    return hit()

def talk(times):
    for at in range(times):
        _say("line {}".format(at))
    return "end"

def _say(text):
    from Modules import modules
    modules().say(text)
"""


@pytest.fixture(scope="module")
def node(board):
    (board.dir / "modules").mkdir(exist_ok=True)
    (board.dir / "modules" / "LM_tally.py").write_text(TALLY)
    return board


def test_a_repeated_id_gets_the_answer_and_runs_nothing(node):
    before = int(node.shell("tally made"))
    assert node.shell("job a1 tally hit") == f"job a1: new\n{before + 1}"
    assert node.shell("job a1 tally hit", "job a1 tally hit") == "\n".join([f"job a1: known\n{before + 1}"] * 2)
    assert node.shell("tally made") == str(before + 1)


def test_an_awaited_command_runs_once_too(node):
    before = int(node.shell("tally made"))
    assert node.shell("job a2 tally soon") == f"job a2: new\n{before + 1}"
    assert node.shell("job a2 tally soon") == f"job a2: known\n{before + 1}"


def test_streamed_lines_are_kept_up_to_200_characters(node):
    lines = "\n".join([*(f"line {at}" for at in range(5)), "end"])
    assert node.shell("job a4 tally talk 5") == f"job a4: new\n{lines}"
    assert node.shell("job a4 tally talk 5") == f"job a4: known\n{lines}"
    whole = "\n".join([*(f"line {at}" for at in range(50)), "end"])
    assert node.shell("job a5 tally talk 50") == f"job a5: new\n{whole}"
    assert node.shell("job a5 tally talk 50") == f"job a5: known\n{whole[:200]} ... {len(whole) - 200} more"


def test_the_last_16_ids_are_remembered(node):
    before = int(node.shell("tally made"))
    node.shell(*(f"job b{number} tally hit" for number in range(17)))
    assert node.shell("job b1 tally hit") == f"job b1: known\n{before + 2}"
    assert node.shell("job b0 tally hit") == f"job b0: new\n{before + 18}"


def test_a_running_job_is_told_of_and_one_cut_by_a_restart_is_unknown(make_board):
    board = make_board(files={"modules/LM_tally.py": TALLY})
    board.shell("job c1 tally hit")
    with Wire(board) as wire:
        wire.send("job c2 tally slow\n")
        eventually(lambda: board.shell("tally made"), lambda told: told == "2")
        assert board.shell("job c2 tally slow") == "job c2: running"
        board.power_cycle()
    board.wait_ready()
    assert board.shell("job c1 tally hit") == "job c1: known\n1"
    assert board.shell("job c2 tally slow") == "job c2: unknown, the node went down while it ran"
    assert board.shell("tally made") == "2"


def test_a_broken_memory_is_an_empty_one(make_board):
    board = make_board(files={"modules/LM_tally.py": TALLY, "jobs.mem": '{"a": ['})
    assert board.shell("job e1 tally hit", "job e1 tally hit") == "job e1: new\n1\njob e1: known\n1"


def test_jobs_leave_nothing_in_memory(node):
    node.shell("job f1 tally hit", "job f2 tally soon")
    assert "Jobs" not in json.loads(node.run("import sys, json; print(json.dumps(list(sys.modules)))"))


ON_A_CUT_FLASH = FLASH + """
import errno, json, os, sys, vfs

sys.path.insert(0, sys.argv[1])
import Jobs

class CutFlash(Flash):
    cut_at, operations = None, 0

    def writeblocks(self, block, buffer, offset=0):
        return self._operate(super().writeblocks, block, buffer, offset)

    def erase(self, block):
        return self._operate(super().erase, block)

    def _operate(self, do, *args):
        self.operations += 1
        if self.cut_at is not None and self.operations > self.cut_at:
            return -errno.EIO
        do(*args)
        return 0

def _forever():
    while True:
        yield

class Shell:
    runs = 0

    def answer(self, line, say):
        self.runs += 1
        return _forever() if line == "wait" else "ran " + line

def asked(shell, data, cut_at=None, line="do it"):
    flash = CutFlash(64, 512, data)
    flash.cut_at = cut_at
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.chdir("/flash")
    try:
        said = Jobs.answer(shell, "j1 " + line, lambda text: 0)
        if not isinstance(said, str):
            said.send(None)
            said.close()
        return said, flash
    finally:
        os.chdir("/")
        vfs.umount("/flash")

empty = CutFlash(64, 512)
vfs.VfsLfs2.mkfs(empty)
_, whole = asked(Shell(), empty.data)
found = []
for cut_at in range(whole.operations + 1):
    shell = Shell()
    _, left = asked(shell, empty.data, cut_at)
    said, after = asked(shell, left.data)
    again, _ = asked(shell, after.data)
    found.append((shell.runs, said, again))
_, closed = asked(Shell(), empty.data, None, "wait")
print(json.dumps({"cut": found, "closed": asked(Shell(), closed.data)[0]}))
"""


@pytest.fixture(scope="module")
def on_a_cut_flash(tmp_path_factory):
    folder = tmp_path_factory.mktemp("micros")
    shipped = shipped_set(ROOT / "micrOS" / "source", mpy=True)
    for path in ("Jobs.mpy", "Files.mpy", "Modules.mpy", "pure/lazy.mpy", "pure/words.mpy"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(shipped[path])
    (folder / "Debug.py").write_text("console_write = trace = print\n")
    (folder / "cut.py").write_text(ON_A_CUT_FLASH)
    done = subprocess.run([*command(), str(folder / "cut.py"), str(folder)], capture_output=True, text=True, timeout=50)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_a_cut_at_any_write_never_makes_it_run_twice(on_a_cut_flash):
    assert len(on_a_cut_flash["cut"]) > 4
    for runs, said, again in on_a_cut_flash["cut"]:
        assert runs == 1 or (runs == 0 and "unknown" in said)
        assert again == (f"job j1: known\n{said}" if said == "ran do it" else said)


def test_a_session_that_is_closed_amid_a_job_leaves_an_outcome(on_a_cut_flash):
    assert on_a_cut_flash["closed"] == "job j1: known\ncancelled: the session was closed"
