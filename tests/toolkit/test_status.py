"""-stat on a terminal: a table that fills as the nodes answer, in colours; and again and again."""
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest
from foreign import Node120, a_node, free_port

from tests.device.wire import ROOT
from toolkit.inventory import Device, Inventory

pytestmark = pytest.mark.slow
GREEN, YELLOW, RED = "\x1b[32m", "\x1b[33m", "\x1b[31m"
LIMIT_S = 30


class Terminal:
    """devToolKit.py with a person in front of it."""

    def __init__(self, *words):
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen([sys.executable, "devToolKit.py", *words], cwd=ROOT, env=environment,
                                        stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.text = ""

    def until(self, wanted):
        """All that was shown, once wanted(text) holds, or the program has ended."""
        deadline = time.monotonic() + LIMIT_S
        while not wanted(self.text):
            assert time.monotonic() < deadline, self.text
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self._ours, 65536).decode()
                except OSError:          # Linux says so when the other end is closed
                    break
        return self.text

    def ended(self):
        self.until(lambda text: False)
        return self.process.wait(LIMIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def test_the_table_fills_in_colours(data):
    with a_node("lamp", "micr01OS") as lamp, Node120(turned_away=99) as full:
        Inventory().keep(Device("micr01OS", "127.0.0.1", lamp.port, "lamp"),
                         Device("micr02OS", "127.0.0.1", full.port, "full"),
                         Device("micr03OS", "127.0.0.1", free_port(), "gone"))
        with Terminal("-stat") as terminal:
            assert terminal.ended() == 1
            shown = terminal.text
    assert "\x1b[2m" in shown                                  # rows that wait are dim
    last = shown.rpartition("COMM")[2]
    for colour, state, name in ((GREEN, "ONLINE", "lamp"), (YELLOW, "BUSY", "full"), (RED, "OFFLINE", "gone")):
        row = next(line for line in last.splitlines() if name in line)
        assert colour in row and state in row
    assert "1.20.4-0" in last


def test_it_looks_again_until_ctrl_c(data):
    with a_node("lamp", "micr01OS") as lamp:
        Inventory().keep(Device("micr01OS", "127.0.0.1", lamp.port, "lamp"))
        with Terminal("-stat", "--watch", "0.05") as terminal:
            terminal.until(lambda text: lamp.heard.count("version") >= 3)
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.ended() == 130
