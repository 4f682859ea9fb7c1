"""--drop with folders, over the air and over USB, onto nodes on virtual boards."""
import json

import pytest
from foreign import StockWebrepl, a_node

from toolkit import ports
from toolkit.commands import main
from toolkit.inventory import Device, Inventory
from toolkit.link.webrepl import FileLink

simulator = pytest.importorskip("toolkit.simulator")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node():
    with simulator.VirtualBoard(config={"ntphost": "n/a"}) as board:
        yield board


@pytest.fixture
def tree(tmp_path):
    """usr/ with a program, a picture and what nobody wants on a node."""
    usr = tmp_path / "usr"
    for path, text in (("app.py", "APP = 1\n"), ("bin/deep/tool.py", "TOOL = 1\n"), ("logo.bin", "\0\1"), ("empty", ""),
                       ("__pycache__/app.pyc", "x"), (".git/config", "x")):
        (usr / path).parent.mkdir(parents=True, exist_ok=True)
        (usr / path).write_text(text)
    (tmp_path / "LM_tree.py").write_text("def on():\n    return 'on'\n")
    return usr


KEPT = {"app.py": b"APP = 1\n", "bin/deep/tool.py": b"TOOL = 1\n", "logo.bin": b"\0\1", "empty": b""}


def held(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_goes_with_all_in_it_and_what_is_there_is_not_sent_again(node, tree, capsys):
    words = ["--drop", str(tree), str(tree.parent / "LM_tree.py"), "--dev", node.address, "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert {file["name"] for file in told["files"]} == {*("usr/" + name for name in KEPT), "LM_tree.py"}
    assert all(file["seconds"] is not None for file in told["files"])
    assert KEPT.items() <= held(node.dir / "usr").items() and node.shell("tree on") == "on"
    assert not [name for name in held(node.dir / "usr") if "__pycache__" in name or ".git" in name]
    (tree / "app.py").write_text("APP = 2\n")
    assert main(words) == 0
    sent = [file["name"] for file in json.loads(capsys.readouterr().out)["files"] if file["seconds"] is not None]
    assert sent == ["usr/app.py"]
    assert main(words[:-1]) == 0
    assert capsys.readouterr().out.count("already there") == 5


def test_a_file_goes_into_a_folder_that_is_named(node, tmp_path, capsys):
    (tmp_path / "lamp.py").write_text("on = True\n")
    words = ["--drop", str(tmp_path / "lamp.py"), "--dev", node.address, "--to"]
    assert main([*words, "/usr/lamps"]) == 0
    assert "usr/lamps/lamp.py" in capsys.readouterr().out
    assert (node.dir / "usr/lamps/lamp.py").read_text() == "on = True\n"
    assert main([*words, "usr/lamps"]) == 0 and "already there" in capsys.readouterr().out
    assert main([*words, "../usr"]) == 2
    assert "expected a path like" in capsys.readouterr().err


def test_a_folder_with_a_typing_error_is_not_sent(node, tmp_path, capsys):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "good.py").write_text("A = 1\n")
    (tmp_path / "code" / "bad.py").write_text("A =\n")
    assert main(["--drop", str(tmp_path / "code"), "--dev", node.address]) == 2
    assert "bad.py:1:" in capsys.readouterr().err and not (node.dir / "code").exists()


def test_a_file_in_the_place_of_a_folder_is_refused(node, tmp_path, capsys):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "a.txt").write_text("a")
    with FileLink(node.address, "ADmin123") as link:
        link.put("taken", b"a file")
        link.make_folder("made/twice")
        link.make_folder("made/twice/")
    assert (node.dir / "made" / "twice").is_dir()
    assert main(["--drop", str(tmp_path / "taken"), "--dev", node.address]) == 5
    assert "node01 refused taken" in capsys.readouterr().err


def test_a_file_that_hides_a_sent_one_is_named(node, tmp_path, capsys):
    (tmp_path / "hid.mpy").write_bytes(b"M\6\0\x1f")
    (tmp_path / "hid.py").write_bytes(b"A = 1\n")
    assert main(["--drop", str(tmp_path / "hid.py"), "--dev", node.address]) == 0
    assert main(["--drop", str(tmp_path / "hid.mpy"), "--dev", node.address]) == 0
    assert "hid.py on the node is found before hid.mpy" in capsys.readouterr().err


def test_over_usb_the_same_lies_on_the_board(tree, capsys, monkeypatch):
    naps = "import time\nwhile True: time.sleep(9)\n"
    with simulator.VirtualBoard(main=naps) as board:
        monkeypatch.setenv(ports.VARIABLE, str(board.serial))
        words = ["--drop", str(tree), str(tree.parent / "LM_tree.py"), "--usb"]
        assert main(words) == 0
        assert held(board.dir / "usr") == KEPT
        assert (board.dir / "modules" / "LM_tree.py").exists()
        capsys.readouterr()
        assert main([*words, str(board.serial)]) == 0
        assert capsys.readouterr().out.count("already there") == 5


def test_a_node_of_1_20_takes_files_and_no_folders(tree, capsys):
    with a_node("lamp", "micr01OS") as node, StockWebrepl("ADmin123") as files:
        Inventory().keep(Device("micr01OS", "127.0.0.1", node.port, "lamp"))
        words = ["--dev", "lamp", "--port", str(files.port)]
        assert main(["--drop", str(tree), *words]) == 2
        assert "takes no folders over the air" in capsys.readouterr().err
        assert main(["--drop", str(tree / "app.py"), *words]) == 0
        assert files.files == {"app.py": b"APP = 1\n"}
