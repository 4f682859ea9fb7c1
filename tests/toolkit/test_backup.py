"""-b and --restore: what is kept, what is shown of it, and that it comes back, over the air and over USB."""
import json

import pytest

from toolkit import archive, ports
from toolkit.commands import main
from toolkit.settings import differences, is_secret, restored

simulator = pytest.importorskip("toolkit.simulator")
slow = pytest.mark.slow

SECRETS = {"appwd": "my-own-secret", "stapwd": "wifi-secret", "telegram": "bot12345:token"}


@pytest.fixture
def make(request):
    def make(**config):
        board = simulator.VirtualBoard(config={"ntphost": "n/a", **config})
        request.addfinalizer(board.stop)
        return board.__enter__()
    return make


def no_secret_in(text):
    return not any(secret in text for secret in SECRETS.values())


@slow
def test_over_the_air_it_is_kept_compared_and_given_back(make, capsys, monkeypatch):
    node = make(**SECRETS)
    monkeypatch.setenv("MICROS_PASSWORD", SECRETS["appwd"])
    node.shell("conf", "guimeta {'a': 1}", "noconf")
    words = ["--dev", node.address]
    assert main(["-b", *words]) == 0
    kept = archive.load("node01")
    assert kept.items() >= SECRETS.items() and kept["guimeta"] == "{'a': 1}"
    assert main(["-b", "--diff", *words]) == 0
    node.shell("conf", "soctout 55", "stapwd other-secret", "guimeta []", "noconf")
    assert main(["-b", "--diff", *words]) == 1
    assert main(["--restore", "node01", "--dummy", *words]) == 0
    assert node.shell("conf", "soctout") == "\n55"
    assert main(["--restore", "node01", *words]) == 0      # with another Wi-Fi password: it is not waited for
    node.wait_ready()
    assert main(["-b", "--diff", *words]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert ["soctout", "100", "55"] in rows and ["stapwd", "********", "********"] in rows
    assert out.count("is as in the archive") == 2 and "is restored, its network settings" in out
    assert no_secret_in(out + err) and "other-secret" not in out + err
    assert json.loads((node.dir / "node_config.json").read_text())["stapwd"] == "wifi-secret"


@slow
def test_another_board_takes_the_place_of_one_that_broke(make, capsys):
    broken = make(devfid="kitchen", socmax=7)
    assert main(["-b", "--dev", broken.address]) == 0
    uid = broken.shell("hello").split(":")[2]
    broken.stop()
    fresh = make()
    own = fresh.shell("hello").split(":")[2]
    assert main(["--restore", "kitchen", "--dev", fresh.address]) == 0
    assert fresh.shell("hello") == f"hello:kitchen:{own}" and own != uid
    assert fresh.shell("conf", "socmax") == "\n7"


@slow
def test_over_usb_it_is_given_back(capsys, monkeypatch):
    naps = "import time\nwhile True: time.sleep(9)\n"
    old = {"devfid": "lamp", "hwuid": "micr01OS", "soctout": 100, **SECRETS}
    archive.archive(json.dumps(old).encode())
    new = {**old, "hwuid": "micr02OS", "soctout": 55, "appwd": "changed-one"}
    with simulator.VirtualBoard(main=naps, files={"node_config.json": json.dumps(new)}) as board:
        monkeypatch.setenv(ports.VARIABLE, str(board.serial))
        assert main(["--restore", "lamp"]) == 0
        assert json.loads((board.dir / "node_config.json").read_text()) == {**old, "hwuid": "micr02OS"}
        assert main(["--restore", "lamp"]) == 0
    out = capsys.readouterr().out
    assert "it is as lamp in the archive" in out and no_secret_in(out) and "changed-one" not in out


@slow
def test_a_wrong_password_keeps_nothing(make, capsys, monkeypatch):
    node = make(**SECRETS)
    monkeypatch.setenv("MICROS_PASSWORD", "wrong-one")
    assert main(["-b", "--dev", node.address]) == 5
    assert archive.archived() == {}
    assert "wrong-one" not in "".join(capsys.readouterr())


def test_the_archive_is_listed(capsys, data):
    assert main(["-b", "--list"]) == 0
    archive.archive(b'{"devfid": "lamp"}')
    assert main(["-b", "--list"]) == 0
    assert main(["-b", "--list", "--json"]) == 0
    first, *rest = capsys.readouterr().out.split("\n", 3)
    folder = data / "node_config_archive"
    assert (first, rest[:2]) == (f"0 in {folder}", ["lamp", f"1 in {folder}"])
    assert json.loads(rest[2]) == {"lamp": str(folder / "lamp-node_config.json")}


def test_what_is_not_in_the_archive_is_named(capsys):
    assert main(["--restore", "nosuch", "--dev", "node01"]) == 2
    assert "no configuration of 'nosuch' in the archive" in capsys.readouterr().err


ROWS = (
    ({"a": 1}, {"a": 1, "hwuid": "x"}, []),
    ({"a": 1, "b": None}, {"a": 2}, [("a", "1", "2"), ("b", "None", "-")]),
    ({"stapwd": "x"}, {"stapwd": "y"}, [("stapwd", "********", "********")]),
    ({"appwd": "x"}, {}, [("appwd", "********", "-")]),
    ({"appwd": "n/a"}, {"appwd": "x"}, [("appwd", "n/a", "********")]),
)


@pytest.mark.parametrize("ours, theirs, rows", ROWS)
def test_differences_are_rows_without_secrets(ours, theirs, rows):
    assert differences(ours, theirs) == rows


def test_what_looks_like_a_secret_is_one():
    assert all(map(is_secret, ("appwd", "stapwd", "telegram", "mqtt_password", "cloud_token", "psk_key")))
    assert not any(map(is_secret, ("devfid", "socport", "guimeta", "cstmpmap")))


def test_a_board_keeps_what_it_writes_itself_and_what_was_not_kept():
    kept = {"devfid": "a", "hwuid": "old", "guimeta": "...", "soctout": 9}
    current = {"devfid": "b", "hwuid": "new", "guimeta": "here", "devip": "1.2.3.4", "cron": True}
    assert restored(kept, current) == {
        "devfid": "a", "hwuid": "new", "guimeta": "here", "soctout": 9, "devip": "1.2.3.4"}
