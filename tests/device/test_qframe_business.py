"""The electricity meter solution as QFrame runs it: its demo, and the samples of its document, unchanged."""
import json
import random

import pytest

from micrOS.source.pure.rfc1662 import encode
from tests.device import wire
from tests.device.test_meter import MEGABYTE, RECORD, Server, cut_ten_times, run, survivors
from tests.device.test_meter_solution import FRAMES, POSTS, REGISTERS, SKELETONS
from toolkit.simulator.models.meter import AROUND_BYTES, SerialMeter

WAIT_S = 30.0
USER = "from usr.demo import app, poweron_print_once\n"
OWN = """
from usr.qframe import Application
from usr.business import uart
app = Application("own")
app.config.from_json("/usr/dev.json")
uart.init_app(app)
BusinessClient("client", app)
"""
PROBE = """
import gc

def counts():
    from usr.business import client, uart
    return {"up_lost": client.lost, "down_lost": uart.lost, "received": uart.receiver.frames,
            "broken": uart.receiver.broken, "noise": uart.receiver.noise}

def close():
    from usr.business import uart
    uart.close()

def used():
    gc.collect()
    return gc.mem_alloc()
"""

# how much waits in the line, only names tell that compiling shortens
HELD_UP = wire.HELD_UP.format(where="""
    from usr.business import uart
    return uart.receiver, lambda: time.sleep_ms(200) or 100
""")


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

    def begin(program="", user=USER):
        dev = {"TCP_SERVER": {"host": "127.0.0.1", "port": server.port, "timeout": 5, "keep_alive": 1},
               "UART": {"port": 1, "baudrate": 9600, "bytesize": 8, "parity": 0, "stopbits": 1, "flowctl": 0}}
        board = make_board(files={"usr/dev.json": json.dumps(dev), "usr/program.py": program + user,
                                  "modules/LM_probe.py": PROBE, "modules/LM_held_up.py": HELD_UP}, mpy=True)
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


def counts(board):
    return json.loads(board.shell("probe counts >json"))


def test_the_papers_client_writes_frames_to_the_uart(begun, server):
    _, meter = begun(SKELETONS[1], OWN)
    server.link.sendall(b"hello")
    eventually(lambda: meter.heard, bool)
    assert meter.heard == [(0x2100, 0xBF, b"hello")]


def test_a_megabyte_each_way_at_once_is_exact_and_leaves_nothing_in_the_heap(begun, server):
    board, meter = begun()
    server.link.sendall(b".")
    eventually(lambda: meter.heard, bool)        # the client says that it is connected a little before it takes data
    both_ways(meter, server, 65536)
    before = int(board.shell("probe used"))
    both_ways(meter, server, MEGABYTE)
    eventually(lambda: int(board.shell("probe used")) - before, lambda grown: grown < 2048)
    assert counts(board) == {"up_lost": 0, "down_lost": 0, "received": 64 + 1024, "broken": 0, "noise": 0}


def both_ways(meter, server, size):
    meter.heard.clear()
    server.heard.clear()
    up, down = random.Random(1).randbytes(size), random.Random(2).randbytes(size)
    run(lambda: meter.say(up), lambda: server.link.sendall(down))
    eventually(lambda: (len(server.heard), len(meter.heard_data())), lambda sizes: sizes == (size, size))
    assert bytes(server.heard) == up and meter.heard_data() == down


def test_a_frame_whose_end_came_while_the_board_was_held_up_is_whole(begun, server):
    board, meter = begun()
    wire.say_in_two_halves(board, meter, encode(0x2100, 0xBF, b"in two halves"))
    eventually(lambda: bytes(server.heard), lambda heard: heard == b"in two halves")
    assert (counts(board)["broken"], counts(board)["noise"]) == (0, 0)


def test_ten_cuts_lose_only_frames_that_are_counted(begun, server):
    board, meter = begun()
    sent = cut_ten_times(meter, server)
    told = eventually(lambda: counts(board), lambda told: _settled(told, meter, server, len(sent)))
    arrived, heard = survivors(sent, meter, server)
    assert (told["received"], told["up_lost"], told["down_lost"]) == (arrived, 0, 0)
    assert heard + meter.down.harmed == meter.down.frames and told["broken"] and told["noise"]


def _settled(told, meter, server, count):
    """All went into the cable; what came out of it was handed on."""
    return (meter.down.octets - (AROUND_BYTES + 1) * meter.down.frames == count * RECORD == len(server.heard)
            + meter.up.harmed * RECORD and told["received"] * RECORD == len(server.heard))


def test_what_one_side_cannot_take_is_counted(begun, server):
    board, meter = begun()
    server.close()
    eventually(board.console, lambda text: "tcp connect failed" in text)
    for _ in range(3):
        meter.say(b"lost")
    eventually(lambda: counts(board)["up_lost"], lambda lost: lost == 3)


def test_what_a_closed_line_cannot_take_is_counted(begun, server):
    board, meter = begun()
    board.shell("probe close")
    server.link.sendall(b"lost")
    eventually(lambda: counts(board)["down_lost"], lambda lost: lost == 1)
    assert not meter.heard


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
