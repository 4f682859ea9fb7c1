"""--macro: files of commands, read whole before the first is sent."""
import json

import pytest
from foreign import Node120

from toolkit import console, macro
from toolkit.commands import main
from toolkit.errors import UsageError

simulator = pytest.importorskip("toolkit.simulator")


@pytest.fixture
def node01():
    with Node120() as node:
        yield node


@pytest.fixture
def write(tmp_path, node01):
    def write(*lines, head=f"#microscript 127.0.0.1:{node01.port}"):
        path = tmp_path / "evening.macro"
        path.write_text("\n".join([head, *lines]), encoding="utf-8")
        return path
    return write


def test_commands_run_in_one_session_and_their_answers_are_printed(write, node01, capsys):
    path = write("", "# a remark", "conf", "  devfid", "wait 0", "noconf")
    assert main(["--macro", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "node01"
    assert node01.heard == ["hello", "conf", "devfid", "noconf"]


def test_a_sharp_inside_a_command_is_part_of_it(write):
    assert [line.command for line in macro.load(write("oled text '# 1'", "#2")).lines] == ["oled text '# 1'"]


def test_a_refused_command_is_told_with_its_line_and_the_next_one_runs(write, node01, capsys):
    path = write("foo bar", "version")
    assert main(["--macro", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == "1.20.4-0\n"
    assert err.startswith(f"{path}:2: refused: exec_lm_core LM_foo->bar: No module named 'LM_foo'")


def test_safe_ends_at_the_first_refused_command(write, node01, capsys):
    path = write("version", "foo bar", "hello", head=f"#microscript 127.0.0.1:{node01.port} safe")
    assert main(["-macro", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == "1.20.4-0\n" and "the rest is left out (safe)" in err
    assert node01.heard[-1] == "foo bar"


def test_debug_prints_each_command(write, node01, capsys):
    path = write("version", head=f"#microscript 127.0.0.1:{node01.port} debug")
    assert main(["--macro", str(path)]) == 0
    command, answer = capsys.readouterr().out.splitlines()
    assert command.startswith("2: version   0.") and answer == "1.20.4-0"


def test_json_has_a_row_for_each_command(write, capsys):
    assert main(["--macro", str(write("version", "wait 0", "foo")), "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["line"], row["command"], row["failed"]) for row in rows] == [(2, "version", False), (4, "foo", True)]


def test_dev_takes_another_node(write, node01, capsys):
    path = write("version", head="#microscript somebody_else")
    assert main(["--macro", str(path)]) == 3
    assert main(["--macro", str(path), "--dev", f"127.0.0.1:{node01.port}"]) == 0


def test_a_password_in_the_file_works_and_is_warned_about(write, capsys):
    locked = b"[password] lamp $ "
    replies = {"hello": (b"hello:lamp:u1\n", locked), "hunter2": (b"AuthOk\n", b"lamp $ "),
               "version": (b"1.20.4-0\n", b"lamp $ ")}
    with Node120(replies, locked) as node:
        path = write("version", head=f"#microscript 127.0.0.1:{node.port} hunter2 safe")
        assert main(["--macro", str(path)]) == 0
        out, err = capsys.readouterr()
        assert out == "1.20.4-0\n" and "use MICROS_PASSWORD" in err and "hunter2" not in err


def test_a_restart_is_waited_for(write, node01, monkeypatch, capsys):
    monkeypatch.setattr(console, "_REBOOT_PAUSES_S", (0.001,))
    assert main(["--macro", str(write("reboot", "version"))]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1.20.4-0"


HEADS = (
    ("#microscript node01", ("node01", None, "")),
    ("#microscript node01 safe", ("node01", None, "safe")),
    ("#microscript node01 pass debug", ("node01", "pass", "debug")),
    ("#microscript safe", ("safe", None, "")),
    ("#microscript node01 safe safe", ("node01", "safe", "safe")),
)


@pytest.mark.parametrize("head, parts", HEADS)
def test_the_first_line_names_device_password_and_mode(write, head, parts):
    told = macro.load(write("version", head=head))
    assert (told.device, told.password, told.mode) == parts


WRONG = (
    ("rgb toggle", ":1: expected #microscript"), ("#microscript", ":1: expected #microscript"), ("", ":1: expected"),
    ("#microscript a b c", ":1: expected"), ("#microscriptnode01 a", ":1: expected"),
    ("#microscript a\nwait", ":2: expected wait <0-86400 seconds>"), ("#microscript a\nwait 1 2", ":2: "),
    ("#microscript a\nhello\nwait -1", ":3: "), ("#microscript a\nwait nan", ":2: "),
    ("#microscript a\nwait 1e9", ":2: "),
)


@pytest.mark.parametrize("text, told", WRONG)
def test_a_wrong_file_is_named_with_the_line_and_nothing_is_sent(write, node01, text, told):
    head, *lines = text.split("\n")
    with pytest.raises(UsageError, match=r"evening\.macro" + told):
        macro.load(write(*lines, head=head))
    assert node01.heard == []


def test_a_file_that_cannot_be_read_is_wrong_use(tmp_path, capsys):
    assert main(["--macro", str(tmp_path / "none.macro")]) == 2
    (tmp_path / "raw.macro").write_bytes(b"\xff")
    assert main(["--macro", str(tmp_path / "raw.macro")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.slow
def test_a_macro_lights_a_lamp_of_our_own_node(tmp_path):
    with simulator.VirtualBoard(name="node78") as board:
        path = tmp_path / "lamp.macro"
        path.write_text(f"#microscript {board.address} safe\r\n# on\r\nrgb color r=300 g=0 b=0 smooth=False\r\n"
                        "reboot\r\nwait 0.1\r\nrgb brightness\r\n")
        assert main(["--macro", str(path)]) == 0
        assert board.pwm["redgb"].duty == 300
