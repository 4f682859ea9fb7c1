"""The password: what is free, what it opens, and what guessing costs."""
import pytest

from tests.device.wire import eventually
from toolkit.errors import RefusedError
from toolkit.link.shell import ShellLink
from toolkit.link.webrepl import FileLink

PASSWORD = "Secret-77"


@pytest.fixture
def locked(make_board):
    return make_board(config={"auth": True, "appwd": PASSWORD, "socmax": 8})


def guess(board, times):
    """Answers to wrong passwords, each on a session of its own."""
    answers = []
    for _ in range(times):
        with board.session() as session:
            answers.append(session.send("wrong"))
    return answers


def test_hello_version_and_exit_are_free(locked):
    with locked.session() as session:
        assert session.send("hello").startswith("hello:") and session.send("version").count(".") == 2
        assert session.send("exit") == "Bye!"


@pytest.mark.parametrize("line", ["system heartbeat", "conf", "help", "task list", "reboot", "hello hello", "modules"])
def test_anything_else_is_a_try_at_the_password(locked, line):
    starts = locked.info()["starts"]
    with locked.session() as session:
        assert session.send(line).startswith(("AuthFailed", "hello:node01:"))
    assert locked.info()["starts"] == starts


def test_the_password_opens_the_session_and_only_this_one(locked):
    with locked.session() as session:
        assert session.send(PASSWORD) == "AuthOk"
        assert session.send("system heartbeat") == "<3 heartbeat <3"
    with locked.session() as session:
        assert session.send("system heartbeat") == "AuthFailed\nBye!"


def test_five_tries_are_free_then_they_cost_a_wait(locked):
    answers = guess(locked, 12)
    assert answers[:5] == ["AuthFailed\nBye!"] * 5
    assert [answer for answer in answers[5:] if answer.startswith("AuthFailed: too many tries, wait ")]


@pytest.mark.slow
def test_after_the_wait_the_password_opens_again(locked):
    guess(locked, 5)

    def attempt():
        with locked.session() as session:
            return session.send(PASSWORD)
    assert eventually(attempt, lambda answer: answer == "AuthOk")


def test_the_file_service_counts_the_same_guesses(locked):
    guess(locked, 12)
    with pytest.raises(RefusedError, match="too many tries"):
        FileLink(locked.address, PASSWORD)


def test_a_new_password_counts_at_once(locked):
    with locked.session() as session:
        for line in (PASSWORD, "conf", "appwd Other-88"):
            session.send(line)
    with locked.session() as session:
        assert session.send("Other-88") == "AuthOk"
    with FileLink(locked.address, "Other-88") as link:
        assert link.version()


def test_switching_auth_on_counts_for_the_next_session(make_board):
    board = make_board()
    board.shell("conf", "auth true")
    with board.session() as session:
        assert session.send("system heartbeat") == "AuthFailed\nBye!"


def test_the_toolkits_client_logs_in_by_itself(locked):
    with ShellLink(locked.address, password=PASSWORD) as link:
        assert link.ask("system heartbeat") == "<3 heartbeat <3"


def test_no_password_shows_on_the_console_or_in_the_log(locked):
    with locked.session() as session:
        session.send(PASSWORD)
        session.send("conf")
        assert PASSWORD not in session.send("dump") + session.send("appwd")
    guess(locked, 1)
    assert PASSWORD not in locked.console()
    assert not (locked.dir / "err.log").exists()
