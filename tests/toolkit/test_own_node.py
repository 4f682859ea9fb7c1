"""The toolkit against our own node: the device's code on the virtual board."""
import json
from ipaddress import IPv4Interface

import pytest

from toolkit import beacon, discover, mdns
from toolkit.commands import main
from toolkit.inventory import Device, Inventory
from toolkit.link.shell import ShellLink

simulator = pytest.importorskip("toolkit.simulator")
pytestmark = pytest.mark.slow
LOOPBACK = [IPv4Interface("127.0.0.1/8")]
TRIES = 5                        # of a second each: a machine under load may be late


@pytest.fixture(scope="module")
def running():
    with simulator.VirtualBoard(name="node77") as board:
        yield board


@pytest.fixture
def board(running, monkeypatch):
    monkeypatch.setattr(discover, "LOOPBACK", ((running.address, 9008),))
    return running


def test_it_is_found_by_name_and_answers(board, capsys):
    assert main(["-c", "--dev", "node77", "conf <a> devfid <a> noconf <a> version"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "node77"


def test_a_failing_call_is_exit_code_1(board):
    assert main(["-c", "--dev", "node77", "nosuchmodule call"]) == 1


def test_many_commands_go_through_one_session(board):
    with ShellLink(board.address) as link:
        assert {link.ask("hello") for _ in range(200)} == {f"hello:node77:{link.hello()[1]}"}


def test_help_lm_fills_the_completion(board):
    from toolkit.console import vocabulary

    with ShellLink(board.address) as link:
        assert "info" in vocabulary(link.ask("help lm"))["system"]


def test_status_finds_it_online(board, capsys):
    assert main(["-stat", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["status"]) == ("node77", "ONLINE")


def test_a_dropped_module_runs_at_once(board, tmp_path, capsys):
    (tmp_path / "LM_dropped.py").write_text("def hi(n=1):\n    return 'hi {}'.format(n)\n")
    assert main(["--drop", str(tmp_path / "LM_dropped.py"), "--dev", "node77"]) == 0
    assert main(["-c", "--dev", "node77", "dropped hi 5"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "hi 5"


def test_a_wrong_file_password_is_exit_code_5(board, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setenv("MICROS_PASSWORD", "wrong")
    assert main(["--drop", str(tmp_path / "a.txt"), "--dev", "node77"]) == 5


def test_an_old_name_in_the_cache_leads_to_it(board):
    uid = discover.hello(board.address).uid
    inventory = Inventory()
    inventory.keep(Device(uid, board.address, 9008, "oldname"))
    assert discover.resolve("oldname", inventory).name == "node77"


def of(board, ask):
    """What a board tells of itself among all boards of this machine; None when it does not."""
    for _ in range(TRIES):
        for told in ask():
            if told.device.address == board.address:
                return told
    return None


@pytest.mark.parametrize("way", [beacon, mdns], ids=["beacon", "mdns"])
def test_it_tells_who_it_is(board, way):
    told = of(board, lambda: way.ask(LOOPBACK, 1.0))
    assert told and told.device == discover.hello(board.address)
    assert (told.files_port, told.version, told.locked, told.board) == (8266, board.shell("version"), False, "ESP32")


def test_a_search_finds_it_without_a_scan(board, monkeypatch, capsys):
    monkeypatch.setattr(discover, "LOOPBACK", ())
    monkeypatch.setattr(discover, "_own_interfaces", lambda: LOOPBACK)
    for _ in range(TRIES):
        assert main(["-s"]) == 0
        found = Inventory().find("node77")
        if found:
            break
    assert found == discover.hello(board.address)
    assert board.address in capsys.readouterr().out


def test_a_renamed_node_keeps_its_uid(board):
    uid = discover.hello(board.address).uid
    board.shell("conf", "devfid renamed77")
    try:
        told = of(board, lambda: beacon.ask(LOOPBACK, 1.0))
        assert told and (told.device.name, told.device.uid) == ("renamed77", uid)
    finally:
        board.shell("conf", "devfid node77")
