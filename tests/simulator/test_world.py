"""The small world around a board: where its names lead, and the time server in it."""
import ast
import socket
import struct
import threading

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import BoardFault, SimulatorError
from toolkit.simulator.silicon import Identity
from toolkit.simulator.timeserver import GARBAGE, TimeServer
from toolkit.simulator.world import World

IDLE = "import time\nwhile True: time.sleep(9)\n"
NOON_2030 = 1893499200
ASK_TIME = """
import socket, struct, time
def ask_time(name='pool.ntp.org', port=123, wait_s=5):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.settimeout(wait_s)
    link.sendto(b'\\x23' + bytes(39) + b'mine-me!', socket.getaddrinfo(name, port)[0][-1])
    try:
        return link.recv(512)
    finally:
        link.close()
def seconds(answer):
    return struct.unpack('>I', answer[40:44])[0] - 2208988800
"""


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(main=IDLE) as board:
        board.run(ASK_TIME)
        yield board


@pytest.fixture
def server():
    """Port of a server that answers each connection with the first line it hears, in capitals."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                link.sendall(link.makefile().readline().upper().encode())

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


# -- where names lead
TABLE = {"a.test": ("127.0.0.2", 0), ("a.test", 80): ("127.0.0.3", 8080), "b.test": ("127.0.0.4", 81)}
LOOKUPS = (
    (("", 9008), ("127.0.5.5", 1111)),
    (("0.0.0.0", 8266), ("127.0.5.5", 2222)),
    (("127.0.5.5", 80), ("127.0.5.5", 80)),
    (("a.test", 80), ("127.0.0.3", 8080)),             # name and port count more
    (("A.Test", 81), ("127.0.0.2", 81)),
    (("b.test", 7), ("127.0.0.4", 81)),
    (("elsewhere.test", 7), ("elsewhere.test", 7)),    # the host's resolver shall say
    (("192.0.2.1", 7), ("192.0.2.1", 7)),
    (("255.255.255.255", 7), ("127.255.255.255", 7)),
)


def world(tmp_path, up=True):
    identity = Identity("node01", "127.0.5.5", 1111, 2222, 4 << 20, tmp_path)
    return World(identity, lambda: up, dict(TABLE))


@pytest.mark.parametrize(("asked", "found"), LOOKUPS)
def test_a_name_leads_to(tmp_path, asked, found):
    assert world(tmp_path).resolve(*asked) == found


@pytest.mark.parametrize("name", ["a.test", "elsewhere.test", "127.0.0.1"])
def test_without_a_network_no_name_leads_anywhere_but_to_oneself(tmp_path, name):
    lost = world(tmp_path, up=False)
    assert lost.resolve("0.0.0.0", 9008) == ("127.0.5.5", 1111)
    with pytest.raises(BoardFault, match="OSError: -202"):
        lost.resolve(name, 80)


def test_a_board_talks_to_the_fake_server_of_a_test(board, server):
    board.world["ip-api.com", 80] = ("127.0.0.1", server)
    code = """
import asyncio
async def talk():
    reader, writer = await asyncio.open_connection('ip-api.com', 80)
    writer.write(b'hello\\n')
    await writer.drain()
    print(await reader.readline())
asyncio.run(talk())
"""
    assert board.run(code) == "b'HELLO\\n'\n"


def test_a_name_is_forgotten(board):
    board.world["x.test"] = "127.0.0.9"
    find = "print(socket.sockaddr(socket.getaddrinfo(b'X.test', 5)[0][-1])[1:3])"
    assert board.run(find) == "(b'\\x7f\\x00\\x00\\t', 5)\n"
    del board.world["x.test"]
    with pytest.raises(SimulatorError, match="x.test is missing or unknown"):
        del board.world["x.test"]


MISTAKES = (
    ("x.test", ("127.0.0.1", 70000), "value is an integer, 1 to 65535, got 70000"),
    (("x.test", -1), "127.0.0.1", "value is an integer, 1 to 65535, got -1"),
    ("x.test", "two words", "an address is letters, digits"),
)


@pytest.mark.parametrize(("name", "to", "error"), MISTAKES)
def test_what_is_no_place_is_refused(board, name, to, error):
    with pytest.raises(SimulatorError, match=error):
        board.world[name] = to


# -- time
def test_the_time_server_answers_as_rfc_4330_says():
    server = TimeServer(lambda: NOON_2030 + 0.25)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.connect(("127.0.0.1", server.port))
        client.send(b"\x1b\x00\x06" + bytes(37) + b"mine-me!")
        server.serve(is_up=True)
        answer = client.recv(512)
    server.close()
    # leap 0, version 3 as asked, mode 4; stratum 1, poll as asked
    assert (len(answer), answer[:3]) == (48, b"\x1c\x01\x06")
    assert answer[24:32] == b"mine-me!"                # originate: the client's own transmit time
    assert struct.unpack(">II", answer[40:48]) == (NOON_2030 + 2208988800, 2**30)


def test_the_board_learns_the_time_that_the_test_sets(board):
    board.ntp.set(NOON_2030)
    asked = board.ntp.asked()
    assert 0 <= int(board.run("print(seconds(ask_time()))")) - NOON_2030 < 60
    assert board.ntp.asked() == asked + 1


def test_the_time_server_knows_what_was_skipped(board):
    before = board.ntp.time()
    board.clock.advance(86400)
    assert 86400 <= board.ntp.time() - before < 86460
    board.clock.set(NOON_2030)                         # the board's own clock is its own affair
    assert 86400 <= board.ntp.time() - before < 86460


def test_a_silent_time_server_is_waited_for_in_vain(board):
    board.ntp.mode("silent")
    try:
        with pytest.raises(SimulatorError, match="ETIMEDOUT|EAGAIN"):
            board.run("ask_time(wait_s=0.05)")
    finally:
        board.ntp.mode("ok")
    assert board.run("print(len(ask_time()))") == "48\n"


def test_garbage_comes_in_several_kinds(board):
    board.ntp.mode("garbage")
    try:
        kinds = [ast.literal_eval(board.run("print(ask_time())")) for _ in GARBAGE]
        assert sorted(kinds) == sorted(GARBAGE)
    finally:
        board.ntp.mode("ok")
    with pytest.raises(SimulatorError, match="mode is one of ok, silent, garbage, got 'loud'"):
        board.ntp.mode("loud")


def test_a_question_that_is_none_gets_no_answer():
    server = TimeServer()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        for question in (b"", b"\x23" * 47, b"\x24" + bytes(47)):
            client.send(question)
            server.serve(is_up=True)
        client.send(b"\x23" + bytes(47))
        server.serve(is_up=False)
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(512)
    server.close()


def test_in_a_flying_hour_the_time_server_is_asked_at_its_dates():
    main = ASK_TIME + """
import asyncio
async def main():
    while True:
        await asyncio.sleep(600)
        with open('/log', 'a') as file:
            file.write('%d %d\\n' % (time.time() + 946684800, seconds(ask_time())))
asyncio.run(main())
"""
    with VirtualBoard(main=main, turn=True) as board:
        board.clock.run(3590)
        rows = [[int(word) for word in line.split()] for line in (board.dir / "log").read_text().splitlines()]
        assert len(rows) == 5 and all(abs(rtc - told) <= 1 for rtc, told in rows)
