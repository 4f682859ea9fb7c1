"""Boards that are forked from one process have nothing in common but their beginning."""
import os
import signal
import sys

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.nursery import nursery

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere each starts anew")

IDLE = "import time\nwhile True: time.sleep(9)\n"


def parent(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def test_a_killed_board_leaves_its_sister_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))        # nobody cleans up after it
    with VirtualBoard(main=IDLE) as one, VirtualBoard(main=IDLE) as other:
        pids = [board.info()["board_pid"] for board in (one, other)]
        assert [parent(pid) for pid in pids] == [nursery(os.getpid()).pid] * 2
        os.kill(pids[0], signal.SIGKILL)
        assert other.run("print(6 * 7)") == "42\n"


def test_the_environment_of_its_start_counts(monkeypatch):
    monkeypatch.setenv("MICROPYTHON", "/no/such")
    with pytest.raises(SimulatorError, match="MICROPYTHON=/no/such is no program"), VirtualBoard(main=IDLE):
        pass
    monkeypatch.delenv("MICROPYTHON")
    with VirtualBoard(main=IDLE) as board:
        assert board.run("print(6 * 7)") == "42\n"


def test_without_the_nursery_a_board_starts_all_the_same():
    with VirtualBoard(main=IDLE) as board:
        killed = nursery(os.getpid()).pid
        os.kill(killed, signal.SIGKILL)
        with VirtualBoard(main=IDLE) as orphan:
            assert parent(orphan.info()["board_pid"]) == os.getpid()
        assert board.run("print(6 * 7)") == "42\n"
    with VirtualBoard(main=IDLE) as later:
        assert parent(later.info()["board_pid"]) == nursery(os.getpid()).pid != killed
