"""How bytes become commands, and what bad clients cannot do to good ones."""
import socket

import pytest

from tests.device.wire import Wire, is_closed


def answers(board, data, times=1):
    with Wire(board) as client:
        return client.send(data).until("node01 $ ", times)


def test_several_lines_in_one_segment_are_several_commands(board):
    got = answers(board, "hello\nversion\nsystem heartbeat\n", 3)
    assert got.count("node01 $ ") == 3
    assert got.index("hello:") < got.index("<3 heartbeat <3")


def test_a_line_in_several_segments_is_one_command(board):
    with Wire(board) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in ("sys", "tem hea", "rtbeat\r", "\n"):
            client.send(piece)
        assert client.until("node01 $ ") == "<3 heartbeat <3\nnode01 $ "


@pytest.mark.parametrize("command", ["hello", "system heartbeat", "  version "])
def test_a_client_without_newlines_is_served_again_and_again(board, command):
    with Wire(board) as client:
        for _ in range(2):
            assert client.send(command).until("node01 $ ").endswith("\nnode01 $ ")


def test_after_a_newline_silence_no_longer_ends_a_command(board):
    with Wire(board) as client:
        client.send("hello\n").until("node01 $ ")
        client.send("system heart")
        client.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(20)
        assert client.send("beat\n").until("node01 $ ").startswith("<3")


def test_telnet_negotiation_is_skipped(board):
    assert answers(board, b"\xff\xfb\x1f\xff\xfd\x03\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0hello\r\n").startswith("hello:")


def test_an_empty_line_gives_the_prompt(board):
    assert answers(board, "\n") == "node01 $ "


def test_answer_and_prompt_leave_in_one_write(board):
    with Wire(board) as client:
        client.send("system info\n")
        assert client.socket.recv(65536).endswith(b"node01 $ ")


def test_100_kB_without_newline_get_one_error_and_the_session_goes_on(board):
    with Wire(board) as client:
        client.send(b"x" * 100_000)
        assert client.until("node01 $ ") == "a command takes up to 2048 bytes; this one was dropped\nnode01 $ "
        assert client.send("hello\n").until("node01 $ ").startswith("hello:")


def test_text_that_is_not_utf8_gets_one_error_and_the_session_goes_on(board):
    with Wire(board) as client:
        answer = client.send(b"caf\xe9 x\n").until("node01 $ ")
        assert answer == "a command is UTF-8 text; this one was dropped\nnode01 $ "
        assert client.send("hello\n").until("node01 $ ").startswith("hello:")


@pytest.mark.parametrize("data", [b"caf\xe9", b"\xfe\xfe", b"\xc3"])
def test_bytes_that_are_not_utf8_without_a_newline_do_not_end_the_session(board, data):
    with Wire(board) as client:
        client.send(data)
        assert client.until("node01 $ ").endswith("\nnode01 $ ")
        assert client.send("hello\n").until("node01 $ ").startswith("hello:")


def test_a_client_that_says_nothing_does_not_hold_up_others(board):
    with Wire(board), Wire(board):
        assert board.shell("hello").startswith("hello:")


def test_a_client_that_never_reads_does_not_hold_up_others(board):
    with Wire(board) as deaf:
        deaf.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            while True:
                deaf.send("help lm\n" * 200)
        assert board.shell("hello").startswith("hello:")


def test_streamed_lines_come_to_the_caller_only(board):
    with Wire(board) as other:
        assert board.shell("system info").startswith("CPU clock: 240 [MHz]\n")
        assert other.send("version\n").until("node01 $ ").count("\n") == 1


def test_a_third_client_is_refused_in_one_line(make_board):
    board = make_board()
    with Wire(board), Wire(board), Wire(board, "Bye!\n\n") as third:
        assert third.greeting == "Connection is busy. Bye!\nBye!\n\n"
        assert is_closed(third.socket)
        assert board.info()["crashes"] == 0


@pytest.mark.slow
def test_a_silent_client_gives_way_to_a_newcomer(make_board):
    board = make_board(config={"socmax": 1, "soctout": 5})
    with Wire(board) as silent:
        silent.socket.settimeout(20)
        for _ in range(100):
            newcomer = Wire(board, " ")
            if newcomer.greeting == "node01 $ ":
                break
            newcomer.close()
        assert silent.until("Bye!\n\n") == "Bye!\n\n"
        assert newcomer.send("task show server\n").until("node01 $ ").count(":") == 1
        newcomer.close()


def test_a_client_that_reconnects_at_once_finds_its_place_free(make_board):
    board = make_board(config={"socmax": 1})
    for _ in range(20):
        assert board.shell("hello").startswith("hello:")
