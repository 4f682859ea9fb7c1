"""A person's first start: a clone, a Python that has nothing, a terminal, and two boards on this machine.

    python -m tests.gateway.first_start CLONE PYTHON      prints what was seen, as one line of JSON

It is run in a network of its own, where only loopback is, since its gateway looks for every board there is: those of
other tests would have a visitor. Source of the calls: netdevice(7).
"""
import contextlib
import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import httpx

from toolkit.simulator import VirtualBoard

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
QUIET = {"ntphost": "n/a", "socmax": 4}
MODULE = b'''"""Greets."""


def hi(name="you"):
    return "hi " + name


def help():
    return "hi name=<text>",
'''
PATIENCE_S = 100.0               # pip and a busy machine
URL = "http://127.0.0.1:5000"


class Terminal:
    """A program at a terminal, and all that it has said."""

    def __init__(self, words, folder):
        self._ours, theirs = pty.openpty()
        self.said, self._is_over = "", False
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        threading.Thread(target=self._listen, daemon=True).start()

    def until(self, pattern):
        """The match. Raises AssertionError with what was said instead."""
        with self._news:
            self._news.wait_for(lambda: re.search(pattern, self.said) or self._is_over, PATIENCE_S)
        found = re.search(pattern, self.said)
        assert found, f"waited for {pattern!r}, got {self.said[-3000:]!r}"
        return found

    def end(self):
        """Ctrl-C. Returns the exit code."""
        os.write(self._ours, b"\x03")
        try:
            return self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()

    def _listen(self):
        with contextlib.suppress(OSError):           # Linux tells so that the other end is closed
            while data := os.read(self._ours, 65536):
                self._hear(data.decode(errors="replace").replace("\r\n", "\n"))
        self._hear("", is_over=True)

    def _hear(self, text, is_over=False):
        with self._news:
            self.said, self._is_over = self.said + text, is_over
            self._news.notify_all()


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        fcntl.ioctl(door, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def first(clone, python, names):
    """No argument at all: what was said, and what the gateway then did."""
    terminal = Terminal([python, "devToolKit.py"], clone)
    try:
        token = terminal.until(r"shown this once: (micros_\S+)")[1]
        terminal.until(r"gateway at http://127\.0\.0\.1:5000/")
        with httpx.Client(base_url=f"{URL}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60,
                          trust_env=False) as client:
            told = used(client, names)
    finally:
        code = terminal.end()
    return {"said": terminal.said, "token": token, "code": code, **told}


def used(client, names):
    """The gateway's own search, a command, a drop and a call of what was dropped."""
    end_s, found = time.monotonic() + PATIENCE_S, []
    while not set(names) <= set(found) and time.monotonic() < end_s:      # a board that has just started is silent
        client.post("/devices/search").raise_for_status()
        found = [row["name"] for row in client.get("/devices").json()]
    lamp = f"/devices/{names[0]}"
    dropped = client.post(f"{lamp}/files", files=[("files", ("LM_greet.py", MODULE))]).json()
    ask = [client.post(f"{lamp}/commands", json={"command": line}).json() for line in ("version", "greet hi Ada")]
    return {"found": found, "answers": [each.get("text") for each in ask], "dropped": dropped.get("done"),
            "parts": client.get("/gateway").json()["parts"]}


def second(clone, python):
    """What is said at the next start."""
    terminal = Terminal([python, "devToolKit.py", "--gateway", "--engine", "off", "--no-search"], clone)
    try:
        terminal.until(r"gateway at http://127\.0\.0\.1:5000/")
    finally:
        terminal.end()
    return terminal.said


def main(clone, python):
    loopback_up()
    names = ("porch", "cellar")
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(VirtualBoard(config={**QUIET, "devfid": name}))
        seen = first(clone, python, names)
    print(json.dumps({**seen, "second": second(clone, python)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
