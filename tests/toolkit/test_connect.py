"""devToolKit.py --connect, from the command line to the exit code."""
import io
import json

import pytest
from foreign import HINTS, Node120, a_node, free_port

from toolkit import archive, discover, session
from toolkit.commands import connect, main
from toolkit.inventory import Device, Inventory


@pytest.fixture
def node01(monkeypatch):
    with Node120() as node:
        monkeypatch.setattr(discover, "LOOPBACK", (("127.0.0.1", node.port),))
        yield node


LINES = (      # arguments after -c, what is printed
    (["-p", "--dev node01 hello"], "hello:node01:n/a\n"),
    (["-p", "--dev node01 system clock"], "2026.11.21  1:12:17\nWD: 5 YD: 325\n"),
    (["-p", "--dev node01 conf <a> devfid"], "node01\n"),
    (["-p", "--dev node01 version<a>system rssi >json"], '1.20.4-0\n{"Amazing": -50}\n'),
    (["-p", '--dev node01 "system clock" "version"'], "2026.11.21  1:12:17\nWD: 5 YD: 325\n1.20.4-0\n"),
    (["--dev", "node01", "system clock"], "2026.11.21  1:12:17\nWD: 5 YD: 325\n"),
    (["--dev", "node01", "system", "heartbeat", "<a>", "version"], "<3 heartbeat <3\n1.20.4-0\n"),
    (["system heartbeat", "--dev", "node01"], "<3 heartbeat <3\n"),
    (["--dev", "node01", "-p", "version"], "1.20.4-0\n"),
)


@pytest.mark.parametrize("words, printed", LINES)
def test_commands_are_run_and_only_their_answers_printed(node01, words, printed, capsys):
    assert main(["-c", *words]) == 0
    assert capsys.readouterr() == (printed, "")


def test_json_holds_device_commands_and_answers(node01, capsys):
    assert main(["-c", "--dev", "node01", "--json", "conf <a> devfid"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "device": {"uid": "n/a", "address": "127.0.0.1", "port": node01.port, "name": "node01"},
        "commands": [{"command": "conf", "answer": ""}, {"command": "devfid", "answer": "node01"}],
    }


FAILING = ("foo", "foo bar", "robustness raise_error", "conf <a> dbg maybe", "conf <a> nosuch 1", "foo <a> version")


@pytest.mark.parametrize("command", FAILING)
def test_a_command_that_fails_on_the_node_is_exit_code_1(node01, command):
    assert main(["-c", "--dev", "node01", command]) == 1


def test_an_alarm_log_is_no_failure():
    assert not session.failed("2026.11.21-1:12:21 _exec_lm_core re-import LM_system!\n OK alarm: 0")
    assert session.failed(HINTS.decode())


def test_an_unknown_device_is_exit_code_3(capsys):
    assert main(["-c", "-p", "--dev nobody hello"]) == 3
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "--search_devices" in err


def test_a_node_that_is_down_is_exit_code_4(capsys):
    Inventory().keep(Device("micr01OS", "127.0.0.1", free_port(), "lamp"))
    assert main(["-c", "--dev", "lamp", "hello"]) == 4
    assert "cannot be reached" in capsys.readouterr().err


def test_a_command_without_a_device_is_wrong_use(capsys):
    assert main(["-c", "-p", "hello"]) == 2
    assert "--dev node01" in capsys.readouterr().err


LOCKED = b"[password] lamp $ "


@pytest.fixture
def locked(monkeypatch):
    replies = {
        "hello": (b"hello:lamp:micr01OS\n", LOCKED),
        "right": (b"AuthOk\n", b"lamp $ "),
        "wrong": (b"AuthFailed\n", b"Bye!\n", LOCKED),
        "version": (b"1.20.4-0\n", b"lamp $ "),
    }
    with Node120(replies, LOCKED) as node:
        monkeypatch.setattr(discover, "LOOPBACK", (("127.0.0.1", node.port),))
        yield node


def test_the_password_comes_from_the_variable(locked, monkeypatch):
    monkeypatch.setenv("MICROS_PASSWORD", "right")
    assert main(["-c", "--dev", "lamp", "version"]) == 0


@pytest.mark.parametrize("words", [["-p", "--dev lamp --pwd right version"], ["--dev", "lamp", "--pwd", "right"]])
def test_a_password_on_the_command_line_is_refused_and_not_shown(locked, capsys, words):
    assert main(["-c", *words]) == 2
    err = capsys.readouterr().err
    assert "MICROS_PASSWORD" in err and "right" not in err


def test_a_password_missing_or_wrong_is_exit_code_5_and_not_shown(locked, monkeypatch, capsys):
    assert main(["-c", "--dev", "lamp", "version"]) == 5
    monkeypatch.setenv("MICROS_PASSWORD", "wrong")
    assert main(["-c", "--dev", "lamp", "version"]) == 5
    out, err = capsys.readouterr()
    assert out == "" and "wrong" not in err and err.count("\n") == 2


def test_what_was_answered_before_a_reboot_is_in_the_json(node01, capsys):
    assert main(["-c", "--dev", "node01", "--json", "version <a> reboot <a> hello"]) == 4
    commands = json.loads(capsys.readouterr().out)["commands"]
    assert [row["command"] for row in commands] == ["version", "reboot"]


def keep_password(password, uid="micr01OS", name="lamp"):
    archive.archive(json.dumps({"devfid": name, "appwd": password, "hwuid": uid}).encode())


def test_the_password_comes_from_the_archive(locked, capsys):
    keep_password("right")
    assert main(["-c", "--dev", "lamp", "version"]) == 0
    assert capsys.readouterr().out == "1.20.4-0\n"


def test_a_password_that_was_given_goes_before_the_archive(locked, monkeypatch):
    keep_password("wrong")
    monkeypatch.setenv("MICROS_PASSWORD", "right")
    assert main(["-c", "--dev", "lamp", "version"]) == 0
    assert "wrong" not in locked.heard


UNUSED = (("right", "micr02OS"), ("********", "micr01OS"), ("...", "micr01OS"), (7, "micr01OS"), (None, "n/a"))


@pytest.mark.parametrize("password, uid", UNUSED)
def test_a_password_of_another_board_or_none_at_all_is_not_sent(locked, capsys, password, uid):
    keep_password(password, uid)
    assert main(["-c", "--dev", "lamp", "version"]) == 5
    assert "asks for a password" in capsys.readouterr().err
    assert set(locked.heard) == {"hello"}


def test_what_the_archive_has_wrong_a_person_is_asked_for(locked, monkeypatch, capsys):
    typed = iter(("wrong", "right"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(session, "getpass", lambda prompt: next(typed))
    keep_password("wrong")
    assert main(["-c", "--dev", "lamp", "version"]) == 0
    assert locked.heard[-4:] == ["wrong", "wrong", "right", "version"]
    assert "right" not in "".join(capsys.readouterr())


def test_hello_needs_no_password_and_nobody_is_asked(locked, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(session, "getpass", lambda prompt: pytest.fail("asked"))
    assert main(["-c", "--dev", "lamp", "hello"]) == 0


def test_a_damaged_archive_is_no_password(locked, data):
    keep_password("right")
    archive.archived()["lamp"].write_text("{")
    assert main(["-c", "--dev", "lamp", "version"]) == 5


SPLIT = (      # text, commands
    ("a b<a>c", ["a b", "c"]),
    ("<a> <a>a<a>", ["a"]),
    ("oled text 'x <a> y' <a> b", ["oled text 'x <a> y'", "b"]),
    ('oled text string="x<a>y"<a>b', ['oled text string="x<a>y"', "b"]),
    ("telegram send it's <a> that's", ["telegram send it's", "that's"]),
    ('"a b" <a> "c"', ["a b", "c"]),
    ("a \"b", ['a "b']),
    ("", []),
)


@pytest.mark.parametrize("text, commands", SPLIT)
def test_commands_are_parted_outside_of_quotes(text, commands):
    assert connect.split(text) == commands


def test_an_open_quote_is_wrong_use(node01, capsys):
    assert main(["-c", "-p", '--dev node01 "version']) == 2
    assert "a quote is not closed" in capsys.readouterr().err


PARTS = (
    ("--dev x rgb status >json", {"--dev": "x"}, "rgb status >json"),
    ("  --dev  x   oled text  'a  b' ", {"--dev": "x"}, "oled text  'a  b'"),
    (" --dev x  hello", {"--dev": "x"}, "hello"),
    ("--dev x", {"--dev": "x"}, ""),
    ("--dev", {"--dev": ""}, ""),
    ("hello --dev x", {}, "hello --dev x"),
    ("", {}, ""),
)


@pytest.mark.parametrize("line, options, rest", PARTS)
def test_a_line_of_1_20_is_taken_apart(line, options, rest):
    assert connect.parse_line(line) == (options, rest)


def type_lines(monkeypatch, *lines):
    """What comes through a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))


def test_without_a_command_one_types(node01, monkeypatch, capsys):
    type_lines(monkeypatch, "1", "version", "exit")
    assert main(["-c"]) == 0
    assert capsys.readouterr().out == f"  1  node01               127.0.0.1:{node01.port}\n1.20.4-0\n"


def test_leaving_the_menu_is_no_error(node01, monkeypatch):
    type_lines(monkeypatch)
    assert main(["-c"]) == 0


def test_lines_through_a_pipe_give_their_answers_only_and_an_exit_code(node01, monkeypatch, capsys, data):
    type_lines(monkeypatch, "version", "system heartbeat")
    assert main(["-c", "--dev", "node01"]) == 0
    assert capsys.readouterr().out == "1.20.4-0\n<3 heartbeat <3\n"
    type_lines(monkeypatch, "foo", "version")
    assert main(["-c", "--dev", "node01"]) == 1
    assert not (data / "shell_history").exists()


def test_no_devices_at_all_is_exit_code_3(capsys):
    assert main(["-c"]) == 3
    assert "--simulate" in capsys.readouterr().err


def test_two_nodes_are_told_apart(monkeypatch, capsys):
    with a_node("lamp", "micr01OS") as lamp, a_node("meter", "micr02OS") as meter:
        monkeypatch.setattr(discover, "LOOPBACK", (("127.0.0.1", lamp.port), ("127.0.0.1", meter.port)))
        assert main(["-c", "--dev", "micr02OS", "hello"]) == 0
    assert capsys.readouterr().out == "hello:meter:micr02OS\n"
