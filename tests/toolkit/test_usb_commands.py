"""-l, -ls, -u, -b, -i: what they print, leave behind and how they end."""
import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest
from cable import Cable
from serial.tools import list_ports

from tests.device.wire import ROOT, eventually
from toolkit import archive, ports
from toolkit.boards import BOARDS
from toolkit.commands import main
from toolkit.commands.backup import config_of
from toolkit.compile import build
from toolkit.images import cached
from toolkit.link.serial import SerialLink

simulator = pytest.importorskip("toolkit.simulator")
pytestmark = pytest.mark.slow

NAPS = "import time\nprint('main runs')\nwhile True: time.sleep(9)\n"


@pytest.fixture(autouse=True)
def nothing_plugged_in(monkeypatch, tmp_path):
    monkeypatch.delenv(ports.VARIABLE, raising=False)
    monkeypatch.setattr(ports, "SYSFS", tmp_path / "sys")
    monkeypatch.setattr(list_ports, "comports", list)


@pytest.fixture
def board(monkeypatch):
    """A board that is the one plugged in."""
    with simulator.VirtualBoard(main=NAPS) as board:
        monkeypatch.setenv(ports.VARIABLE, str(board.serial))
        yield board


def put(board, **files):
    """Store text; node_config__json is node_config.json."""
    with SerialLink(str(board.serial)) as link:
        for name, text in files.items():
            link.put(name.replace("__", "."), text.encode())


# -- -l


def test_l_lists_ports_and_images(monkeypatch, capsys):
    monkeypatch.setenv(ports.VARIABLE, "/dev/pts/77")
    cached(BOARDS[0]).parent.mkdir(parents=True)
    cached(BOARDS[0]).write_bytes(b"image")
    assert main(["-l"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^/dev/pts/77 +- +MICROS_SERIAL +-", shown, re.MULTILINE)
    assert re.search(rf"^{BOARDS[0].name} +{BOARDS[0].image_name} +{cached(BOARDS[0])}$", shown, re.MULTILINE)
    assert main(["--list_devs_n_bins", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ports"] == [
        {"port": "/dev/pts/77", "usb": "-", "chip": "MICROS_SERIAL", "board": "-", "serial": None}]
    assert [row["board"] for row in told["images"]] == [board.name for board in BOARDS]


def test_l_without_a_board_says_so(capsys):
    assert main(["-l"]) == 0
    assert capsys.readouterr().out.startswith("no board on a serial port\n")


# -- all of them


@pytest.mark.parametrize("command", ["-ls", "-u", "-b", "-i"])
def test_a_dry_run_touches_nothing(board, command, capsys):
    starts = board.info()["starts"]
    assert main(["--dummy", command]) == 0           # 1.20 took it before the command, too
    assert main([command, "--dummy"]) == 0
    assert str(board.serial) in capsys.readouterr().out
    assert (board.info()["starts"], board.info()["state"]) == (starts, "main")
    assert sorted(path.name for path in board.dir.iterdir()) == ["main.py"]
    assert not archive.archived()


@pytest.mark.parametrize("command", ["-ls", "-u", "-b", "-i"])
def test_without_a_board_it_is_one_line_and_exit_code_6(command, capsys):
    assert main([command]) == 6
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("no board is plugged in") and err.count("\n") == 1


def test_a_busy_port_is_exit_code_8(board, capsys):
    with ports.open_port(str(board.serial)):
        assert main(["-ls"]) == 8
    assert "is in use by" in capsys.readouterr().err


# -- -ls


def test_ls_lists_files_and_free_space(board, capsys):
    put(board, config__txt="12345")
    assert main(["-ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [["BYTES", "FILE"], ["5", "config.txt"], [str(len(NAPS)), "main.py"]]
    assert re.fullmatch(r"2 files, \d+ of \d+ KB free", lines[3])
    assert main(["--node_ls", "--json", "--port", str(board.serial)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == {"config.txt": 5, "main.py": len(NAPS)} and told["free"] < told["size"]


# -- -b


def test_b_keeps_the_configuration_for_its_owner_alone(board, capsys):
    config = '{"devfid": "lamp", "stapwd": "secret"}'
    put(board, node_config__json=config)
    assert main(["-b"]) == 0
    out, err = capsys.readouterr()
    path = archive.folder() / "lamp-node_config.json"
    assert out == f"kept as {path}\n" and "secret" not in out + err
    assert path.read_text() == config
    assert path.stat().st_mode & 0o777 == 0o600


def test_b_takes_values_in_files_of_their_own_along(board):
    config = {"devfid": "lamp", "telegram": "...", "guimeta": "...", "dbg": True}
    with SerialLink(str(board.serial)) as link:
        link.put("node_config.json", json.dumps(config).encode())
        link.put(".telegram.key", b"12:token")
        assert json.loads(config_of(link)) == {**config, "telegram": "12:token"}


@pytest.mark.parametrize("config, told", [('{"devfid": ', "no node configuration"), ("{}", "devfid")])
def test_b_of_a_damaged_configuration_keeps_nothing(board, capsys, config, told):
    put(board, node_config__json=config)
    assert main(["-b"]) == 2
    assert told in capsys.readouterr().err
    assert not archive.archived()


def test_b_of_a_board_without_micros_says_which_file_is_missing(board, capsys):
    assert main(["-b"]) == 5
    assert capsys.readouterr().err.startswith("node_config.json: the board says: OSError")


# -- -i


def test_i_makes_a_node_and_the_second_time_sends_nothing(board, capsys):
    put(board, mine__txt="mine", Common__py="raise SystemExit")
    assert main(["-i", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    files = build().files
    assert (sorted(done["sent"]), done["same"], done["removed"]) == (sorted(files), [], ["Common.py"])
    assert eventually(lambda: _hello(board), bool).startswith("hello:node01:")
    assert main(["--install"]) == 0
    assert re.match(rf"0 files sent \(0 bytes\), {len(files)} were there already", capsys.readouterr().out)
    assert eventually(lambda: _hello(board), bool)
    assert (board.dir / "mine.txt").read_text() == "mine"


def test_i_goes_through_ampy_when_it_is_told_to(board, capsys):
    words = ["-i", "--source", "--parts", "none"]
    assert main(words) == 0
    put(board, main__py="# older")
    (board.dir / "LM_rgb.py").write_text("")
    capsys.readouterr()
    assert main([*words, "--ampy"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert re.match(r"\d files? sent", shown[0])
    assert shown[1].startswith("LM_rgb.py on the board is found before ours")
    assert (board.dir / "main.py").read_bytes() == build(mpy=False).files["main.py"].read_bytes()


def test_i_with_the_cable_out_is_exit_code_11_and_can_be_run_again(board, capsys):
    with Cable(board, pulled_after=50_000) as cable:
        assert main(["-i", "--parts", "none", "--port", cable.path]) == 11
    assert "repeat the command" in capsys.readouterr().err
    assert main(["-i", "--parts", "none"]) == 0
    assert eventually(lambda: _hello(board), bool)


def _hello(board):
    try:
        return board.shell("hello")
    except Exception:        # its shell is not there yet, or on its way out
        return ""


# -- -u


class Person:
    """Sits at a terminal in which the console of a board is open."""

    def __init__(self, port):
        self._keyboard, screen = pty.openpty()
        self.settings = screen
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "devToolKit.py"), "-u", "--port", str(port)], stdin=screen, stdout=screen,
            stderr=screen, close_fds=True)
        self.text = b""

    def type(self, keys):
        os.write(self._keyboard, keys)

    def until(self, mark, timeout_s=10.0):
        end_s = time.monotonic() + timeout_s
        while mark not in self.text:
            ready = select.select([self._keyboard], (), (), max(0.0, end_s - time.monotonic()))[0]
            assert ready, f"{mark!r} did not come, only {self.text!r}"
            self.text += os.read(self._keyboard, 4096)
        before, _, self.text = self.text.partition(mark)
        return before

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._keyboard)
        os.close(self.settings)


@pytest.fixture
def person(board):
    person = Person(board.serial)
    person.until(b"Ctrl-] leaves")
    yield person
    person.close()


def test_u_is_the_console_of_the_board_until_ctrl_bracket(board, person):
    person.type(b"\x03")
    person.until(b"KeyboardInterrupt")
    person.until(b">>> ")
    person.type(b"6 * 7\r")
    person.until(b"42")
    person.until(b">>> ")
    person.type(b"\x04")
    person.until(b"main runs")
    person.type(b"\x1d")
    assert person.process.wait(10) == 0
    assert board.info()["state"] == "main"


def test_u_ends_when_the_cable_is_pulled_with_nobody_at_the_keys(board):
    with Cable(board) as cable:
        person = Person(cable.path)
        person.until(b"Ctrl-] leaves")
        cable.pull()
        person.until(b"plug the board in again")
        assert person.process.wait(10) == 11
        person.close()


def test_u_wants_a_person(board, capsys, monkeypatch):
    with open(os.devnull) as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert main(["-u"]) == 2
    assert "scripts use --connect" in capsys.readouterr().err
