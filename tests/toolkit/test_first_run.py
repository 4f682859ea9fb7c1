"""First run where something is missing: a network, a home that can be written, a cache that can be read."""
import subprocess
import sys
from pathlib import Path

import pytest
from foreign import Node120

from toolkit import console, paths
from toolkit.commands import main
from toolkit.errors import UsageError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
NO_NETWORK = ["unshare", "--map-root-user", "--net"]       # its only interface is a loopback that is down


def toolkit(*words, wrapped=()):
    """(exit code, lines printed, lines of error) of a run with nobody at the terminal."""
    done = subprocess.run([*wrapped, sys.executable, "devToolKit.py", *words], cwd=ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def can_leave_the_network():
    try:
        return subprocess.run([*NO_NETWORK, "true"], capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


WITHOUT_NETWORK = (      # command, exit code, part of its one line
    (["-s"], 0, "0 devices found"),
    (["-s", "--scan"], 0, "0 devices found"),
    (["-s", "--network", "192.168.7.0/30"], 0, "0 devices found"),
    (["-stat"], 0, "--search_devices"),
    (["-c", "--dev", "node01", "version"], 3, "no device goes by 'node01'"),
    (["-c", "--dev", "192.168.7.7", "version"], 4, "is this machine connected to it?"),
    (["-o", "--dev", "192.168.7.7"], 4, "there is no way to that network"),
    (["-a", "GetVersion"], 4, "cannot be reached"),
    (["--telnet", "192.168.7.7"], 4, "cannot be reached"),
    (["-c"], 3, "no devices known"),
)


@pytest.mark.skipif(not can_leave_the_network(), reason="needs unshare and the right to use it")
@pytest.mark.parametrize("words, code, told", WITHOUT_NETWORK, ids=lambda value: str(value))
def test_without_a_network_there_is_one_clear_line(words, code, told):
    left, out, err = toolkit(*words, wrapped=NO_NETWORK)
    assert left == code and len(out + err) == 1 and told in (out + err)[0]


@pytest.fixture
def no_home(tmp_path, monkeypatch):
    """A home that cannot be made: it would be below a file. Root cannot write there either."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    for variable in ("MICROS_DATA", "XDG_DATA_HOME", "APPDATA"):
        monkeypatch.delenv(variable, raising=False)


WITHOUT_HOME = (         # command, exit code, part of its one line
    (["-stat"], 0, "no devices known"), (["-c"], 3, "no devices known"), (["-cl"], 0, "0 devices forgotten"),
    (["-v"], 0, "toolkit "), (["-c", "--dev", "node01", "hello"], 3, "no device goes by 'node01'"),
    (["--simulate", "--address", "auto"], 1, "cannot be the board's flash"),
    (["--lint", str(ROOT / "micrOS/source/modules/LM_rgb.py")], 0, "1 module, 0 findings"),
)


@pytest.mark.parametrize("words, code, told", WITHOUT_HOME, ids=lambda value: str(value))
def test_without_a_home_there_is_one_clear_line(no_home, words, code, told, capsys, caplog):
    assert main(words) == code
    lines = "".join(capsys.readouterr()).splitlines() + caplog.messages
    assert len(lines) == 1 and told in lines[0]


def test_without_a_home_micros_is_compiled_all_the_same(no_home, monkeypatch, tmp_path, capsys):
    (tmp_path / "main.py").write_text("A = 1\n")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "LM_a.py").write_text("B = 2\n")
    monkeypatch.delenv("MICROS_CACHE")
    assert main(["-cc", "--source", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == "" and (tmp_path / "out/modules/LM_a.mpy").exists()


def test_without_a_home_a_node_is_talked_to_and_one_line_says_that_it_is_not_remembered(no_home):
    with Node120() as node:
        code, out, err = toolkit("-c", "--dev", f"127.0.0.1:{node.port}", "version")
    assert (code, out) == (0, ["1.20.4-0"])
    assert len(err) == 1 and "devices are not remembered; set MICROS_DATA to a folder of yours" in err[0]


def test_who_has_no_home_at_all_is_told_what_to_set(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    for variable in ("MICROS_DATA", "XDG_DATA_HOME", "APPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(UsageError, match="set MICROS_DATA to a folder of yours"):
        paths.data_dir()


BROKEN = ("{", "[]", '{"u1": 5}', "\0", "")


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_cache_is_one_line_and_the_command_is_done(data, text):
    cache = data / "device_conn_cache.json"
    data.mkdir()
    cache.write_text(text)
    with Node120() as node:
        code, out, err = toolkit("-c", "--dev", f"127.0.0.1:{node.port}", "version")
    assert (code, out) == (0, ["1.20.4-0"])
    assert len(err) == 1 and "was no device cache" in err[0] and "starting with an empty one" in err[0]
    assert (data / "device_conn_cache.json.bad").read_text() == text and '"node01"' in cache.read_text()


def test_a_folder_in_place_of_the_cache_is_told_and_the_command_is_done(data):
    (data / "device_conn_cache.json" / "deep").mkdir(parents=True)
    with Node120() as node:
        code, out, err = toolkit("-c", "--dev", f"127.0.0.1:{node.port}", "version")
    assert (code, out) == (0, ["1.20.4-0"])
    assert len(err) == 2 and "cannot be read" in err[0] and "cannot be written" in err[1]


def test_a_history_that_cannot_be_written_is_one_line(no_home, tmp_path, caplog):
    class Readline:
        @staticmethod
        def write_history_file(path):
            raise AssertionError("not reached")

    console._write(Readline, tmp_path / "file" / "home" / "history")
    assert "the history is not kept" in caplog.text and "Not a directory" in caplog.text
