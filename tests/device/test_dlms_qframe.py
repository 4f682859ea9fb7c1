"""A DLMS meter read by a QFrame program: `app.dlms` in threads that wait, while the node serves others."""
import json

import pytest

from micrOS.source.pure import quectel
from micrOS.source.pure.rfc1662 import encode
from tests.device import wire
from tests.device.test_dlms import GMAC, KEYS, InFrames, Meter, cable, set_keys
from tests.device.test_meter import Server
from toolkit.simulator.models.dlms_meter import Security
from toolkit.simulator.models.dlms_meter_lines import HdlcStation

WAIT_S = 30.0
APP = """
from usr.qframe import Application
from usr.qframe.threading import Thread
from meter.dlms_qframe import DlmsExtension
app = Application("reader")
app.config.from_json("/usr/dev.json")
"""
THREADS = """
DlmsExtension(app)

def work(code, *timeout):
    try:
        print("read", code, app.dlms.read(code, *timeout))
    except Exception as error:
        print("failed", code, type(error).__name__, error)


class Reader:
    name = "reader"

    def load(self):
        for words in WORDS:
            Thread(work, words).start()


app.append_extension(Reader())
"""
FRAMED = """
from usr.business import client, rfc1662resolver, uart
for extension in (rfc1662resolver, uart, client):
    extension.init_app(app)
"""


@pytest.fixture
def meter():
    made = Meter()
    yield made
    made.close()


@pytest.fixture
def program(make_board):
    """Function: a board with a program that reads these codes, one thread each."""
    def make(dlms, words, before="", port=9, **options):
        text = APP + before + THREADS.replace("WORDS", repr(words))
        dev = {"DLMS": dlms, "UART": {"port": 1, "baudrate": 9600}, "TCP_SERVER": {"host": "127.0.0.1", "port": port}}
        return make_board(files={"usr/program.py": text, "usr/dev.json": json.dumps(dev)}, mpy=True, **options)
    return make


def started(board):
    answer = board.shell("qframe start program")
    assert answer == "program runs", answer
    return board


def said(board, count):
    """What its threads have printed, once there are so many lines."""
    def lines():
        return sorted(line for line in board.console().splitlines() if line.startswith(("read ", "failed ")))
    return wire.eventually(lines, lambda found: len(found) >= count, WAIT_S)


def behind_tcp(meter, **more):
    return {"host": "127.0.0.1", "port": meter.ports["wrapper"], "line": "wrapper", **more}


def test_three_threads_read_in_turn_and_the_node_serves_others_meanwhile(program, meter):
    meter.faults.delay_s = 0.1
    board = started(program(behind_tcp(meter), [("1.0.1.8.0",), ("1.0.32.7.0",), ("1.0.99.99.99",)]))
    assert "thread 3" in board.shell("qframe status")            # they wait, the shell does not
    assert said(board, 3) == ["failed 1.0.99.99.99 AccessError the meter says: object undefined",
                              f"read 1.0.1.8.0 {meter.energy}", "read 1.0.32.7.0 230.0 V"]


def test_a_silent_meter_ends_the_wait_of_its_thread_and_the_next_one_is_answered(program, meter):
    meter.faults.silent = True
    board = started(program(behind_tcp(meter, wait_ms=60000), [("1.0.1.8.0", 0.2)]))
    assert said(board, 1) == ["failed 1.0.1.8.0 OSError the meter gave no answer in 0.2 s"]
    meter.faults.silent = False
    assert board.shell("qframe stop", "meter read 1.0.1.8.0").endswith(meter.energy)


def test_a_program_reads_proven_and_ciphered(program, meter):
    meter.device.security = Security(least=GMAC, keys=KEYS, must_cipher=True)
    board = program(behind_tcp(meter, auth="gmac", cipher=True), [("1.0.1.8.0",)], heap="512K")
    set_keys(board)
    assert said(started(board), 1) == [f"read 1.0.1.8.0 {meter.energy}"]


def test_a_meter_inside_the_frames_of_the_business_is_read_and_other_frames_go_on_to_the_server(program, meter):
    says = []

    def framed(say):
        says.append(say)
        return InFrames(lambda tell: HdlcStation(meter.device, tell), say)
    with Server() as server:
        board = program({"inside": True}, [("1.0.1.8.0",), ("0.0.96.1.0",)], FRAMED, server.port, heap="512K")
        with cable(board, meter, framed):
            assert said(started(board), 2) == ["read 0.0.96.1.0 SN12345678", f"read 1.0.1.8.0 {meter.energy}"]
            server.accept()
            says[0](encode(quectel.TRANSPARENT, quectel.SERIA_NET, b"for the server"))
            wire.eventually(lambda: bytes(server.heard), lambda heard: heard == b"for the server", WAIT_S)


def test_settings_that_cannot_be_are_told_when_the_program_starts(program):
    assert "auth is one of none, lls, gmac, got md5" in program({"auth": "md5"}, []).shell("qframe start program")
