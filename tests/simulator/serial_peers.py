"""Other people's programs at the virtual board's serial port: esptool, ampy, mpremote, each as a process of its own."""
import importlib.util
import os
import select
import subprocess
import sys
import time

import pytest

MODULES = {"esptool": "esptool", "ampy": "ampy.cli", "mpremote": "mpremote"}
PACKAGES = {"ampy": "adafruit-ampy"}


def run_tool(name, *words, timeout_s=60):
    """The finished process, its output as text. Skips the test when the tool is not installed."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install {PACKAGES.get(name, name)}")
    return subprocess.run([sys.executable, "-m", MODULES[name], *map(str, words)], capture_output=True, text=True,
                          timeout=timeout_s, stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "200"})


def output(name, *words, **options):
    """What the tool printed. Fails when the tool does."""
    done = run_tool(name, *words, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def mpremote(board, *words):
    return output("mpremote", "connect", board.serial, *words)


def ampy(board, *words):
    return output("ampy", "-p", board.serial, *words)


def flash(board, *words):
    """esptool on the pty, as the toolkit runs it there."""
    return output("esptool", "-p", board.serial, "--before", "no-reset", "--after", "no-reset", *words)


def wait_for_state(board, state):
    with board.watch() as changes:
        if board.info()["state"] != state:
            changes.until(change="state", state=state)


class Terminal:
    """A user with the serial port open."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.data = b""

    def type(self, data):
        os.write(self.fd, data)

    def until(self, mark, timeout_s=10.0):
        """What came before the mark."""
        end = time.monotonic() + timeout_s
        while mark not in self.data:
            readable, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert readable, f"{mark!r} did not come, only {self.data!r}"
            data = os.read(self.fd, 4096)
            assert data, f"the line ended before {mark!r}, after {self.data!r}"
            self.data += data
        before, _, self.data = self.data.partition(mark)
        return before

    def close(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
