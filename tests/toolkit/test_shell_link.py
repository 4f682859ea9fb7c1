"""The shell client against 1.20 nodes; the bytes are recorded ones."""
import pytest
from foreign import HINTS, Node120, free_port

from toolkit.errors import LinkError, RefusedError, UsageError
from toolkit.link import shell
from toolkit.link.shell import ShellLink

ANSWERS = (
    ("hello", "hello:node01:n/a"),
    ("version", "1.20.4-0"),
    ("system clock", "2026.11.21  1:12:17\nWD: 5 YD: 325"),
    ("system cachedump", ""),
    ("system rssi >json", '{"Amazing": -50}'),
    ("robustness recursion_limit 3", "recalled 1\nrecalled 2\nrecalled 3\n0"),
    ("foo", HINTS.decode().rstrip()),
)


@pytest.mark.parametrize("command, answer", ANSWERS)
def test_an_answer_comes_without_the_prompt(command, answer):
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.name == "node01"
        assert link.ask(command) == answer


def test_one_connection_serves_many_commands():
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        assert [link.ask(command) for command, _ in ANSWERS] == [answer for _, answer in ANSWERS]


def test_conf_mode_lasts_over_commands_and_shows_in_the_prompt():
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.ask("conf") == ""
        assert link.prompt == "[configure] node01 $ "
        assert link.ask("devfid") == "node01"
        link.ask("noconf")
        assert link.prompt == "node01 $ "


def test_the_cleanup_line_after_the_prompt_belongs_to_no_answer():
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        for _ in range(20):     # it comes with the prompt, before the next command, or with the next answer
            assert link.ask("system heartbeat undefinedname").endswith("is not defined")
            assert link.ask("version") == "1.20.4-0"


def test_an_answer_may_come_byte_by_byte(monkeypatch):
    monkeypatch.setattr(shell, "CHUNK_BYTES", 1)
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        assert [link.ask(command) for command, _ in ANSWERS] == [answer for _, answer in ANSWERS]
        link.ask("system heartbeat undefinedname")
        assert link.ask("version") == "1.20.4-0"


def test_another_clients_stream_is_dropped():
    answer = (b"mine\nnode01 $ recalled 1\n",)
    with Node120({"stream": answer}) as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.ask("stream") == "mine"
        assert link.ask("version") == "1.20.4-0"


def test_a_name_with_blanks_is_a_name():
    with Node120({"hello": (b"hello:n a m e:n/a\nn a m e $ ",)}, b"n a m e $ ") as node:
        with ShellLink("127.0.0.1", node.port) as link:
            assert link.hello() == ("n a m e", "n/a")


def test_exit_ends_with_bye():
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.ask("exit") == "Bye!"
        assert link.closed
        with pytest.raises(LinkError, match="closed the session"):
            link.ask("hello")


def test_reboot_gives_the_answer_and_ends_the_session():
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.ask("reboot") == "Reboot micrOS system.\nBye!"
        assert link.closed


def test_a_board_that_reboots_before_it_answers_says_bye():
    with Node120({"reboot -h": (None,)}) as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.ask("reboot -h") == "Bye!"


def test_a_reboot_that_was_not_sent_is_no_reboot():
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        link.ask("exit")
        with pytest.raises(LinkError, match="closed the session"):
            link.ask("reboot")


def test_a_farewell_is_believed_when_the_board_falls_silent():
    with Node120({"webrepl --update": (b" Restarting\n Bye!\n",)}) as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.ask("webrepl --update") == " Restarting\n Bye!"


def test_a_busy_node_is_tried_again():
    with Node120(turned_away=2) as node, ShellLink("127.0.0.1", node.port, busy_pauses_s=(0.01, 0.01)) as link:
        assert link.ask("version") == "1.20.4-0"


def test_a_node_that_stays_busy_refuses():
    with Node120(turned_away=9) as node, pytest.raises(RefusedError, match=f"{node.port} is busy"):
        ShellLink("127.0.0.1", node.port, busy_pauses_s=(0.01, 0.01))


LOCKED = b"[password] authnode $ "
PASSWORDS = {
    "hello": (b"hello:authnode:micr1OS\n", LOCKED),
    "right": (b"AuthOk\n", b"authnode $ "),
    "wrong": (b"AuthFailed\n", b"Bye!\n", LOCKED, b"[HA] Shells cleanup: 5000\n"),
    "version": (b"1.20.4-0\n", b"authnode $ "),
}


def test_a_password_opens_a_locked_node():
    with Node120(PASSWORDS, LOCKED) as node, ShellLink("127.0.0.1", node.port, "right") as link:
        assert not link.locked
        assert link.ask("version") == "1.20.4-0"


def test_a_wrong_password_is_refused_and_not_told():
    with Node120(PASSWORDS, LOCKED) as node, pytest.raises(RefusedError) as caught:
        ShellLink("127.0.0.1", node.port, "wrong")
    assert "AuthFailed" in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_without_a_password_only_hello_is_sent_to_a_locked_node():
    with Node120(PASSWORDS, LOCKED) as node, ShellLink("127.0.0.1", node.port) as link:
        assert link.hello() == ("authnode", "micr1OS")
        with pytest.raises(RefusedError, match="MICROS_PASSWORD"):
            link.ask("version")
    assert node.heard == ["hello"]


def test_an_open_node_is_not_told_the_password():
    with Node120() as node, ShellLink("127.0.0.1", node.port, "right") as link:
        link.ask("version")
    assert node.heard == ["version"]


def test_nobody_there_names_the_address():
    port = free_port()
    with pytest.raises(LinkError, match=f"127.0.0.1:{port} cannot be reached: nothing listens"):
        ShellLink("127.0.0.1", port)


def test_a_silent_server_is_no_shell():
    with Node120(greeting=None) as node, pytest.raises(LinkError, match="sent no prompt"):
        ShellLink("127.0.0.1", node.port, timeout_s=0.05)


def test_a_server_that_talks_on_and_on_is_no_shell():
    with Node120(greeting=b"blah " * 1000) as node, pytest.raises(LinkError, match="sent no prompt"):
        ShellLink("127.0.0.1", node.port, timeout_s=5)


def test_a_server_that_hangs_up_is_no_shell():
    with Node120({"": (None,)}, greeting=b"") as node:
        node.serve = lambda client: None
        with pytest.raises(LinkError, match="without a prompt"):
            ShellLink("127.0.0.1", node.port)


def test_silence_instead_of_an_answer_closes_the_link():
    with Node120({"sleep": ()}) as node, ShellLink("127.0.0.1", node.port, timeout_s=0.05) as link:
        with pytest.raises(LinkError, match=f"node01 .127.0.0.1:{node.port}. was silent"):
            link.ask("sleep")
        assert link.closed


def test_a_broken_answer_is_an_error():
    with Node120({"system info": (b"CPU clock: 0 [MHz]\n", None)}) as node, ShellLink("127.0.0.1", node.port) as link:
        with pytest.raises(LinkError, match="within an answer"):
            link.ask("system info")


def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(shell, "MAX_ANSWER_BYTES", 1000)
    with Node120({"flood": (b"x" * 2000,)}) as node, ShellLink("127.0.0.1", node.port) as link:
        with pytest.raises(LinkError, match="over 1000 bytes"):
            link.ask("flood")


@pytest.mark.parametrize("command", ("", "  ", "hello\nversion", "x" * 2048))
def test_a_command_is_one_line_that_fits(command):
    with Node120() as node, ShellLink("127.0.0.1", node.port) as link:
        with pytest.raises(UsageError):
            link.ask(command)
    assert node.heard == []


def test_hello_of_something_else_is_an_error():
    with Node120({"hello": (b"nice to meet you\nnode01 $ ",)}) as node, ShellLink("127.0.0.1", node.port) as link:
        with pytest.raises(LinkError, match="no micrOS node"):
            link.hello()
