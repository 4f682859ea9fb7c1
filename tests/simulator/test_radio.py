"""The radio: a network that is taken away, given back and slowed, as a board with Wi-Fi sees it."""
import contextlib
import socket
import time

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError

SILENCE_S = 0.15
# echoes lines; a press of the button is told to every client
ECHO = """
import asyncio
from machine import Pin
writers = []
def pressed(pin):
    for writer in writers:
        writer.write(b"pressed\\n")
async def serve(reader, writer):
    writers.append(writer)
    writer.write(("hello %s\\n" % ".".join([str(b) for b in bytes(writer.get_extra_info("peername"))[4:8]])).encode())
    while True:
        line = await reader.readline()
        if not line:
            break
        if line.startswith(b"give "):
            for _ in range(int(line[5:])):
                writer.write(b"0123456789" * 100)
                await writer.drain()
        writer.write(line)
        await writer.drain()
    writers.remove(writer)
    await writer.wait_closed()
async def main():
    Pin(0, Pin.IN, Pin.PULL_UP).irq(pressed, Pin.IRQ_FALLING)
    await (await asyncio.start_server(serve, "0.0.0.0", 9008)).wait_closed()
asyncio.run(main())
"""
IDLE = "import time\nwhile True: time.sleep(9)\n"


@pytest.fixture
def board():
    with VirtualBoard(main=ECHO, shell=True, radio=True) as board:
        yield board


@pytest.fixture
def idle():
    with VirtualBoard(main=IDLE, radio=True) as board:
        board.run("import socket, asyncio")
        yield board


@pytest.fixture
def server():
    """A listening socket of the world outside."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.fixture
def links():
    """Function that opens a connection to a board, greeting read; all end with the test."""
    opened = []

    def connect(board):
        opened.append(board.connect())
        line(opened[-1])
        return opened[-1]

    yield connect
    for link in opened:
        link.close()


def line(link):
    received = b""
    while not received.endswith(b"\n"):
        data = link.recv(1)
        if not data:
            break
        received += data
    return received


def is_silent(link):
    link.settimeout(SILENCE_S)
    try:
        return link.recv(1) is None
    except TimeoutError:
        return True
    finally:
        link.settimeout(20)


def press(board):
    board.pins[0] = 0
    board.pins[0] = 1


def test_the_program_sees_who_it_is(board):
    with socket.create_connection((board.address, 9008), 5, ("127.0.0.77", 0)) as link:
        assert line(link) == b"hello 127.0.0.77\n"


def test_a_connection_stands_still_and_goes_on(board, links):
    link = links(board)
    board.network(False)
    link.sendall(b"into the air\n")
    press(board)
    assert is_silent(link)
    board.network(True)
    assert sorted([line(link), line(link)]) == [b"into the air\n", b"pressed\n"]


def test_who_connects_hears_nothing_until_the_network_is_back(board, links):
    board.network(False)
    with pytest.raises(TimeoutError), socket.create_connection((board.address, 9008), SILENCE_S):
        pass
    board.network(True)
    links(board).sendall(b"again\n")


def test_an_end_is_heard_of_when_the_network_is_back(board, links):
    link = links(board)
    board.network(False)
    board.reset()
    assert is_silent(link)
    board.network(True)
    with contextlib.suppress(ConnectionResetError):
        assert link.recv(1) == b""
    assert board.info()["starts"] == 2


def test_a_halfway_close_passes(board, links):
    link = links(board)
    link.sendall(b"last words\n")
    link.shutdown(socket.SHUT_WR)
    assert line(link) == b"last words\n"
    assert link.recv(1) == b""


def test_a_client_that_does_not_read_loses_nothing(board, links):
    link = links(board)
    link.sendall(b"give 500\n")
    other = links(board)
    other.sendall(b"others are served\n")
    assert line(other) == b"others are served\n"
    received = b""
    while len(received) < 500_000 + 9:
        received += link.recv(65536)
    assert received == b"0123456789" * 50_000 + b"give 500\n"


def test_nobody_behind_the_door_is_a_reset():
    with VirtualBoard(main=IDLE, radio=True) as board:
        with pytest.raises(ConnectionResetError), board.connect() as link:
            link.recv(1)


def test_a_slow_network_takes_its_time_in_both_directions(board, links):
    link = links(board)
    board.network(True, delay_ms=100)
    begun = time.monotonic()
    for number in (b"1\n", b"2\n"):
        link.sendall(number)
    assert (line(link), line(link)) == (b"1\n", b"2\n")
    assert time.monotonic() - begun >= 0.2
    link.sendall(b"on its way when the network becomes fast\n")
    board.network(True)
    assert line(link) == b"on its way when the network becomes fast\n"


# -- the board goes out
CONNECT = """
link = socket.socket()
link.connect(socket.getaddrinfo(%r, %d)[0][-1])
link.settimeout(%f)
"""


def test_a_connection_of_the_boards_own_stands_still_too(idle, server):
    idle.run(CONNECT % (*server.getsockname(), 0.1))
    peer, _ = server.accept()
    with peer:
        peer.settimeout(20)
        idle.network(False)
        peer.sendall(b"in\n")
        assert idle.run("print(link.send(b'out\\n'))") == "4\n"
        with pytest.raises(SimulatorError, match="ETIMEDOUT|EAGAIN"):
            idle.run("link.recv(9)")
        assert is_silent(peer)
        idle.network(True)
        assert line(peer) == b"out\n"
        assert idle.run("link.settimeout(20)\nprint(link.recv(9))") == "b'in\\n'\n"


def test_the_board_cannot_go_out_while_the_network_is_down(idle, server):
    idle.world["here.test"] = server.getsockname()
    idle.run("known = socket.getaddrinfo('here.test', 80)[0][-1]")
    idle.network(False)
    refused = (("socket.getaddrinfo('here.test', 80)", "OSError: -202"),
               ("socket.getaddrinfo('127.0.0.1', 80)", "EHOSTUNREACH"),
               ("asyncio.run(asyncio.open_connection('127.0.0.1', 80))", "EHOSTUNREACH"),
               ("socket.socket().connect(known)", "ECONNREFUSED"))
    for code, error in refused:
        with pytest.raises(SimulatorError, match=error):
            idle.run(code)
    idle.network(True)
    idle.run("socket.socket().connect(known)")


def test_udp_is_lost_while_the_network_is_down(idle):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        idle.run("link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nlink.settimeout(0.1)\n"
                 f"known = socket.getaddrinfo('127.0.0.1', {peer.getsockname()[1]})[0][-1]")
        idle.run("link.sendto(b'one', known)")
        data, board = peer.recvfrom(99)
        idle.network(False)
        idle.run("link.sendto(b'two', known)")
        peer.sendto(b"lost", board)
        with pytest.raises(SimulatorError, match="ETIMEDOUT|EAGAIN"):
            idle.run("link.recv(99)")
        idle.network(True)
        idle.run("link.sendto(b'three', known)")
        assert (data, peer.recv(99)) == (b"one", b"three")
        peer.sendto(b"back", board)
        assert idle.run("print(link.recvfrom(99) == (b'back', known))") == "True\n"


def test_a_broadcast_goes_its_own_way(idle):
    found = idle.run("print([socket.sockaddr(socket.getaddrinfo(h, 5)[0][-1])[1:3] for h in "
                     f"('255.255.255.255', '224.0.0.251', '{idle.address}')])")
    own = bytes(int(part) for part in idle.address.split("."))
    assert found == f"{[(bytes((127, 255, 255, 255)), 5), (bytes((224, 0, 0, 251)), 5), (own, 5)]}\n"


def test_a_name_that_leads_nowhere_is_a_failed_lookup(idle):
    with pytest.raises(SimulatorError, match="OSError: -202"):
        idle.run("socket.getaddrinfo('name.invalid', 80)")


# -- what it is for
def test_two_nodes_lose_each_other_and_find_each_other_again():
    with VirtualBoard(radio=True) as one, VirtualBoard(radio=True) as two:
        ask = f"system heartbeat >>{two.address}"
        assert one.shell(ask) == "<3 heartbeat <3"
        with one.session() as session:
            one.network(False)
            one.network(True)
            assert session.send(ask) == "<3 heartbeat <3"
        two.network(False)
        two.network(True)
        assert one.shell(ask) == "<3 heartbeat <3"


def test_other_ports_may_have_a_door_too():
    with VirtualBoard(main=ECHO.replace("9008", "8080"), radio=(8080,)) as board:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with socket.create_connection((board.address, 8080), 5) as link:
                try:
                    assert line(link).startswith(b"hello")
                    break
                except ConnectionResetError:
                    continue
        else:
            raise AssertionError("nobody behind the door")


def test_a_door_that_is_taken_is_named():
    with socket.create_server(("127.0.9.8", 8080)), pytest.raises(SimulatorError, match="127.0.9.8:8080 cannot be a"):
        VirtualBoard(main=IDLE, address="127.0.9.8", radio=(8080,)).__enter__()


def test_an_ordinary_board_keeps_its_connections_and_cannot_be_slowed(links):
    with VirtualBoard(main=ECHO, shell=True) as board:
        link = links(board)
        board.network(False)
        link.sendall(b"still here\n")
        assert line(link) == b"still here\n"
        with pytest.raises(SimulatorError, match="only a board with radio=True"):
            board.network(True, delay_ms=5)
