"""Clients of the shell that frame their commands as they like; board.shell() always sends a newline."""
import re
import socket
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 20.0                 # a busy machine is slow; who waits for what comes loses nothing by it
KEYS = re.findall(r'^    \("(\w+)",', (ROOT / "micrOS/source/Settings.py").read_text(), re.MULTILINE)     # all settings
COUNTER = """
class Calls:
    made = 0
def hit():
    Calls.made += 1
    return Calls.made
def made():
    return Calls.made
"""
HELD_UP = """
import asyncio
import time
def where():
{where}
async def until(octets):
    receiver, waiting = where()
    while receiver.is_idle():
        await asyncio.sleep_ms(1)
    print("held up")
    while waiting() < octets:
        time.sleep_ms(1)
    time.sleep_ms(150)
"""
FLASH = (Path(__file__).parent / "flash.py").read_text()      # a block device to send along with a test


class Wire:
    """A raw connection that reads up to a text."""

    def __init__(self, board, prompt="node01 $ ", receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect((board.address, board.shell_port))
        self.socket.settimeout(TIMEOUT_S)
        self.greeting = self.until(prompt)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def until(self, end, times=1):
        """All text up to the n-th `end`; with `<<EOF>>` behind what came when the node closes before."""
        received = b""
        while not received.endswith(end.encode()) or received.count(end.encode()) < times:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"waited for {end!r}, got {received[-500:]!r}") from None
            if not data:
                return received.decode() + "<<EOF>>"
            received += data
        return received.decode()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def say_in_two_halves(board, meter, frame):
    """The second half comes while the board, with HELD_UP as module, does nothing but wait for it."""
    half = len(frame) // 2
    board.shell(f"held_up until {len(frame) - half} &")
    meter._put(frame[:half])
    eventually(board.console, lambda text: "held up" in text)
    meter._put(frame[half:])


def is_closed(link: socket.socket) -> bool:
    """True when the peer has closed; reads away what was said before."""
    try:
        while link.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def eventually(get, is_wanted, timeout_s=TIMEOUT_S):
    """The first value of get() that is_wanted; AssertionError with the last one after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = get()
        if is_wanted(value):
            return value
        time.sleep(0.01)         # who asks without a breath leaves the board no time to get there
    raise AssertionError(f"waited {timeout_s} s, got {value!r}")
