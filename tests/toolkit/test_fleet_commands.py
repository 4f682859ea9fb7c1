"""--search_devices, --node_status, --clean, --version, --drop: what they print and how they end."""
import json

import pytest
from foreign import Node120, StockWebrepl, a_node, free_port

from toolkit import VERSION, discover
from toolkit.commands import main
from toolkit.inventory import Device, Inventory

LAMP = Device("micr01OS", "127.0.0.1", 0, "lamp")


@pytest.fixture
def lamp():
    with a_node("lamp", "micr01OS") as node:
        Inventory().keep(Device("micr01OS", "127.0.0.1", node.port, "lamp"))
        yield node


def test_search_shows_and_keeps_who_answers(capsys):
    with a_node("lamp", "micr01OS") as node:
        words = ["-s", "--network", "127.0.0.1/32", "--network", "127.0.1.0/27", "--port", str(node.port)]
        assert main(words) == 0
        heads, row, count = capsys.readouterr().out.splitlines()
        assert (heads.split(), row.split()) == (
            ["UID", "FUID", "IP", "PORT"], ["micr01OS", "lamp", "127.0.0.1", str(node.port)])
        assert heads.index("IP") == row.index("127.0.0.1")
        assert count == "1 device found"
        assert Inventory().find("lamp").port == node.port
        assert main([*words, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["name"] == "lamp"


def test_search_takes_networks_only(capsys):
    with pytest.raises(SystemExit):
        main(["-s", "--network", "everything"])
    assert "expected a network like" in capsys.readouterr().err


def test_search_refuses_a_huge_network(capsys):
    assert main(["-s", "--network", "127.0.0.0/8"]) == 2
    assert "too many" in capsys.readouterr().err


def test_status_shows_a_line_for_each_and_fails_when_one_is_down(lamp, capsys):
    assert main(["-stat"]) == 0
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split() == ["UID", "FUID", "IP", "STATUS", "VERSION", "COMM[s]"]
    assert row.split()[:5] == ["micr01OS", "lamp", "127.0.0.1", "ONLINE", "1.20.4-0"]
    Inventory().keep(Device("micr02OS", "127.0.0.1", free_port(), "meter"))
    assert main(["-stat", "--json"]) == 1
    states = {row["name"]: (row["status"], row["version"]) for row in json.loads(capsys.readouterr().out)}
    assert states == {"lamp": ("ONLINE", "1.20.4-0"), "meter": ("OFFLINE", "-")}


def test_status_of_a_locked_node_is_online_and_sends_no_password(monkeypatch, capsys):
    monkeypatch.setenv("MICROS_PASSWORD", "secret")
    prompt = b"[password] lamp $ "
    with Node120({"hello": (b"hello:lamp:micr01OS\n", prompt)}, prompt) as node:
        monkeypatch.setattr(discover, "LOOPBACK", (("127.0.0.1", node.port),))
        assert main(["-stat"]) == 0
        assert "secret" not in node.heard
    assert "ONLINE  locked" in capsys.readouterr().out


def test_status_without_devices_says_what_to_do(capsys):
    assert main(["-stat"]) == 0
    assert "--search_devices" in capsys.readouterr().out


def test_clean_forgets_everything(capsys, data):
    Inventory().keep(LAMP)
    assert main(["-cl"]) == 0
    assert capsys.readouterr().out == f"1 device forgotten ({data / 'device_conn_cache.json'})\n"
    assert len(Inventory()) == 0


def test_version_is_that_of_the_toolkit_and_of_a_node(lamp, capsys):
    assert main(["-v"]) == 0
    assert main(["--version", "--dev", "lamp"]) == 0
    assert main(["--version", "--dev", "lamp", "--json"]) == 0
    toolkit, again, node, *rest = capsys.readouterr().out.splitlines()
    assert toolkit == again == f"toolkit {VERSION}"
    assert node == "lamp 1.20.4-0"
    assert json.loads("".join(rest)) == {"toolkit": VERSION, "lamp": "1.20.4-0"}


@pytest.fixture
def files():
    with StockWebrepl("ADmin123", refuses={"LM_bad.py": "no valid manifest"}) as server:
        yield server


def drop(server, *words):
    return main(["--drop", *map(str, words), "--dev", "lamp", "--port", str(server.port)])


def test_drop_sends_files_under_their_own_names(lamp, files, tmp_path, capsys):
    module, page = tmp_path / "LM_x.py", tmp_path / "page.html"
    module.write_text("def on():\n    return 1\n")
    page.write_text("<p>")
    assert drop(files, module, page) == 0
    assert files.files == {"LM_x.py": module.read_bytes(), "page.html": b"<p>"}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [["LM_x.py", "23", "bytes"], ["page.html", "3", "bytes"]]


def test_drop_takes_the_password_from_the_environment(lamp, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setenv("MICROS_PASSWORD", "secret")
    with StockWebrepl("secret") as server:
        assert drop(server, tmp_path / "a.txt") == 0
    with StockWebrepl("other") as server:
        assert drop(server, tmp_path / "a.txt") == 5


UNFIT = (
    ("LM_x.py", b"def on(:\n", "LM_x.py:1:8: "),
    ("LM_x.py", b"a = 1\nreturn a\n", "LM_x.py:2:1: 'return' outside function"),
    ("LM_x.py", b"a = '\0'", "LM_x.py"),
    ("x" * 65, b"", "too long a name"),
)


@pytest.mark.parametrize("name, content, told", UNFIT)
def test_drop_sends_nothing_when_a_file_is_unfit(lamp, files, tmp_path, capsys, name, content, told):
    (tmp_path / "good.txt").write_text("good")
    (tmp_path / name).write_bytes(content)
    assert drop(files, tmp_path / "good.txt", tmp_path / name) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err and err.count("\n") == 1
    assert files.files == {}


def test_drop_names_a_file_that_is_not_there(lamp, files, tmp_path, capsys):
    assert drop(files, tmp_path / "nothing.py") == 2
    assert "nothing.py is not there" in capsys.readouterr().err
    assert drop(files, tmp_path) == 2


def test_drop_tells_why_the_node_refused_and_what_had_arrived(lamp, files, tmp_path, capsys):
    for name in ("LM_good.py", "LM_bad.py"):
        (tmp_path / name).write_text("pass\n")
    assert drop(files, tmp_path / "LM_good.py", tmp_path / "LM_bad.py", "--json") == 5
    out, err = capsys.readouterr()
    assert [file["name"] for file in json.loads(out)["files"]] == ["LM_good.py"]
    assert err == "lamp refused LM_bad.py: no valid manifest\n"


def test_drop_reaches_a_node_in_recovery_by_its_address(files, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    words = ["--drop", str(tmp_path / "a.txt"), "--port", str(files.port), "--dev"]
    assert main([*words, f"127.0.0.1:{free_port()}"]) == 0
    assert main([*words, "nobody"]) == 3


def test_drop_needs_a_device(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    assert main(["--drop", str(tmp_path / "a.txt")]) == 2
    assert "--dev node01" in capsys.readouterr().err
