"""Asking another node: `>>host` behind a command gives the answer of that node."""
import socket
import threading

import pytest

PASSWORD = "Secret-77"


@pytest.fixture
def pair(make_board):
    """Two nodes; the second one is named other."""
    return make_board(), make_board(name="other")


def test_the_answer_is_that_of_the_other_node(pair):
    asking, other = pair
    assert asking.shell(f"hello >>{other.address}").startswith("hello:node01:")      # takes no words: our own hello
    assert asking.shell(f"genIO set_out 4 True >json >>{other.address}") == asking.shell(
        f"genIO set_out 4 True >>{other.address} >json")
    assert other.pins[4] == 1 and asking.pins[4] == 0


def test_a_pipe_reaches_the_other_node(make_board):
    other = make_board(name="other")
    asking = make_board(config={"boothook": f"genIO set_out 4 True >>{other.address}; genIO set_out 5 True"})
    assert other.pins[4] == 1 and asking.pins[5] == 1


def test_a_locked_node_with_our_password_is_opened(make_board):
    asking = make_board(config={"appwd": PASSWORD})
    other = make_board(config={"appwd": PASSWORD, "auth": True})
    assert asking.shell(f"system heartbeat >>{other.address}") == "<3 heartbeat <3"


def test_a_locked_node_with_another_password_is_one_line(make_board):
    asking, other = make_board(), make_board(config={"appwd": PASSWORD, "auth": True})
    assert asking.shell(f"system heartbeat >>{other.address}") == f"{other.address} wants another password"


def test_an_error_of_the_other_node_is_the_answer(pair):
    asking, other = pair
    answer = asking.shell(f"rgb color r=1001 >>{other.address}")
    assert answer == "exec_lm_core LM_rgb->color: a channel is 0-1000, got 1001"


def test_nobody_there_is_one_line_and_the_session_goes_on(make_board):
    asking = make_board()
    with asking.session() as session:
        assert session.send("system clock >>127.0.1.250").startswith("127.0.1.250 cannot be reached: ")
        assert session.send("system heartbeat") == "<3 heartbeat <3"


def test_a_port_that_is_no_number_is_one_line_and_the_session_goes_on(make_board):
    asking = make_board()
    with asking.session() as session:
        assert session.send("system clock >>127.0.0.1:shell").startswith("127.0.0.1:shell cannot be understood: ")
        assert session.send("system heartbeat") == "<3 heartbeat <3"


def test_a_peer_that_says_no_text_is_one_line_and_the_session_goes_on(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as server, asking.session() as session:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        session._link.sendall(f"system clock >>{where}\n".encode())
        client, _ = server.accept()
        with client:
            client.sendall(b"\xfe\xfe $ ")
        assert session.send("system heartbeat").split("\n")[0].startswith(f"{where} cannot be understood: ")
        assert session.send("hello").startswith(("hello:", "<3"))


def test_a_busy_node_is_one_line(pair):
    asking, other = pair
    with other.session(), other.session():
        assert asking.shell(f"system clock >>{other.address}") == f"{other.address} is busy"


def test_a_peer_that_never_stops_talking_is_cut_off(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as server:
        def flood():
            client, _ = server.accept()
            with client:
                try:
                    while True:
                        client.sendall(b"x" * 4096)
                except OSError:
                    pass
        thread = threading.Thread(target=flood)
        thread.start()
        where = f"127.0.0.1:{server.getsockname()[1]}"
        assert asking.shell(f"system clock >>{where}") == f"{where} says more than 8192 bytes"
        thread.join(5)


def test_others_are_served_while_a_node_waits_for_an_answer(make_board):
    asking = make_board()
    with socket.create_server(("127.0.0.1", 0)) as silent, asking.session() as waiting:
        waiting._link.sendall(f"system clock >>127.0.0.1:{silent.getsockname()[1]}\n".encode())
        assert asking.shell("system heartbeat") == "<3 heartbeat <3"
