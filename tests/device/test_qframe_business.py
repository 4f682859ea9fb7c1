"""The electricity meter solution as QFrame runs it: its demo, and the samples of its document, unchanged."""
import json

import pytest

from tests.device import wire
from tests.device.test_meter import Server
from tests.device.test_meter_solution import FRAMES, POSTS, REGISTERS
from toolkit.simulator.models.meter import SerialMeter

WAIT_S = 30.0
USER = "from usr.demo import app, poweron_print_once\n"


def eventually(get, is_wanted):
    return wire.eventually(get, is_wanted, WAIT_S)


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def begun(make_board, server):
    """Function: (board, meter) with the demo running; program: of a user, imported before it loops."""
    meters = []

    def begin(program=""):
        dev = {"TCP_SERVER": {"host": "127.0.0.1", "port": server.port, "timeout": 5, "keep_alive": 1},
               "UART": {"port": 1, "baudrate": 9600, "bytesize": 8, "parity": 0, "stopbits": 1, "flowctl": 0}}
        board = make_board(files={"usr/dev.json": json.dumps(dev), "usr/program.py": program + USER}, mpy=True)
        meters.append(SerialMeter(board, 1).__enter__())
        answer = board.shell("qframe start program")
        assert answer == "program runs", answer + board.console()
        server.accept()
        eventually(board.console, lambda text: "tcp connected" in text)
        return board, meters[0]

    yield begin
    for meter in meters:
        meter.__exit__()


@pytest.mark.parametrize("program", ["", POSTS], ids=["the default", "the document's handler"])
def test_a_frame_of_the_meter_reaches_the_server_and_an_empty_one_does_not(begun, server, program):
    board, meter = begun(program)
    assert "PROJECT_NAME     : QuecPython_Framework_DEMO" in board.console()
    for piece in (FRAMES[:9], FRAMES[9:20], FRAMES[20:], FRAMES[:16]):
        meter._put(piece)
    eventually(lambda: bytes(server.heard), lambda heard: heard == 2 * b"\1\2\3\x7e\x7d")


def test_what_the_server_says_is_a_frame_for_the_meter(begun, server):
    _, meter = begun()
    server.link.sendall(b"hello")
    eventually(lambda: meter.heard, bool)
    assert meter.heard == [(0x2100, 0xBF, b"hello")]
    server.link.sendall(bytes(3000))
    eventually(lambda: len(meter.heard_data()), lambda count: count == 3005)


def test_a_handler_of_the_user_takes_the_place_of_the_default(begun, server):
    board, meter = begun(REGISTERS)
    meter.say(b"for the user only")
    meter.frame(0x2200, 0xC0, bytes.fromhex("078001"))                   # nobody has registered for 0x2200
    eventually(lambda: board.shell("system alarms"), lambda text: 'mode "0x2200" is not registered' in text)
    assert not server.heard


def test_it_stops_and_starts_again_with_the_users_handler(begun, server):
    board, meter = begun(POSTS)
    assert board.shell("qframe stop") == "program is stopped"
    answer = board.shell("qframe start program")
    assert answer == "program runs", answer
    server.accept()
    eventually(board.console, lambda text: text.count("tcp connected") == 2)
    meter.say(b"again")
    eventually(lambda: bytes(server.heard), lambda heard: heard == b"again")
