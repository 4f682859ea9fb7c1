"""The board's process from inside, without an interpreter."""
import json
import socket
import subprocess
import sys

import pytest

from toolkit.simulator.board import Board, Setup
from toolkit.simulator.boards import board_kind
from toolkit.simulator.control import Client, answer
from toolkit.simulator.pinmap import logical_pins, names_in
from toolkit.simulator.romfs import FolderRom, image
from toolkit.simulator.silicon import Identity
from toolkit.simulator.vm import Vm
from toolkit.simulator.wire import HEAD, SYNC, Wire


@pytest.fixture
def board(tmp_path):
    identity = Identity("node01", "127.0.1.1", 9008, 8266, 4 << 20, tmp_path)
    board = Board(Setup(board_kind("esp32"), identity, FolderRom(tmp_path / "rom", {}), "262144",
                        tmp_path / "tty", tmp_path / "ctl", become=lambda argv: None))
    yield board
    board.clock.close()
    board.uarts.close()


@pytest.fixture
def vm(board):
    """The VM's end of the request channel."""
    ours, theirs = socket.socketpair()
    board._wire = Wire(ours, board.chip.obey)
    theirs.settimeout(20)
    yield theirs
    ours.close()
    theirs.close()


def test_all_that_was_told_is_done_before_a_request_is_answered(board, vm):
    here, there = socket.socketpair()
    with here, there:
        vm.sendall(b"?pin 2 3 -1 -1\nout 2 1\n")
        here.sendall(b'{"id": 7, "op": "pin", "pin": 2}\n')
        board._serve(Client(there))
        assert json.loads(here.recv(100)) == {"id": 7, "ok": 1}


def test_an_answer_is_eight_bytes_and_a_text_is_fetched(board, vm):
    vm.sendall(b"?get cause\n?get machine\n?pin 99 1 -1 -1\n?nonsense\n")
    board.drain()
    heads = [HEAD.unpack(vm.recv(8)) for _ in range(4)]
    assert [kind for kind, _, _ in heads] == [0, 1, 2, 2]
    assert heads[0] == (0, 0, 1)
    vm.sendall(b"?more %d\n?more %d\n\n?sync 3\n" % (heads[1][2], heads[2][2]))
    board.drain()
    assert vm.recv(heads[1][1]) == b"Generic ESP32 module with ESP32"
    assert vm.recv(heads[2][1]) == b"invalid pin"
    assert vm.recv(8) == SYNC + b"\x03"


MISTAKES = (
    (b"nonsense", "Expecting value: line 1 column 1 (char 0)"),
    (b"[]", "a request is a JSON object"),
    (b'{"op": "pin"}', "pin is missing or unknown"),
    (b'{"op": "pin", "pin": 99}', "ValueError: invalid pin"),
    (b'{"op": "adc", "pin": 34, "value": 70000}', "value is an integer, 0 to 65535, got 70000"),
    (b'{"op": "adc", "pin": 5, "value": 7}', "ValueError: invalid pin"),
    (b'{"op": "reset", "kind": "x"}', "kind is one of hard, soft, power, got 'x'"),
    (b'{"op": "clock", "advance": -1}', "a clock goes forward, ten years at most"),
    (b'{"op": "clock", "set": Infinity}', "cannot convert float infinity to integer"),
    (b'{"op": "sensor", "name": "x"}', "x is missing or unknown"),
)


@pytest.mark.parametrize(("line", "error"), MISTAKES)
def test_a_mistake_of_the_client_is_answered_in_one_line(board, line, error):
    assert answer(line, board._operations) == {"id": None, "error": error}


def test_an_unknown_op_is_answered_with_those_there_are(board):
    assert "there are: adc, chip, clock, console" in answer(b'{"op": "x"}', board._operations)["error"]


TABLES = (
    ("lamp = const(14)\nkey = 4\n", {"lamp": 14, "key": 4}),
    ("from micropython import const\n_hidden = 1 + 1\nname = 'x'\nflag = True\n", {}),
    ("a = b = 5\n", {"a": 5}),
    ("not python at all (", {}),
)


@pytest.mark.parametrize(("text", "names"), TABLES)
def test_a_pin_table_is_read_not_run(text, names):
    assert names_in(text) == names


def test_a_table_at_the_root_wins_and_none_is_no_trouble(tmp_path):
    kind = board_kind("esp32")
    assert logical_pins(tmp_path, kind, None) == {}
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards/LP_esp32.py").write_text("lamp = 1\n")
    assert logical_pins(tmp_path, kind, None) == {"lamp": 1}
    (tmp_path / "LP_esp32.py").write_text("lamp = 2\n")
    assert logical_pins(tmp_path, kind, None) == {"lamp": 2}


def test_a_romfs_image_is_records_in_records():
    assert image({}) == b"\xd2\xcd\x31\x00"
    assert image({"a": b"xy"}) == b"\xd2\xcd\x31\x08" + b"\x05\x06" + b"\x01a" + b"\x02\x02xy"
    assert image({"a": bytes(200)})[3:7] == b"\x81\x50\x05\x81"


def test_ctrl_c_is_not_sent_to_a_program_that_would_die_of_it():
    vm = object.__new__(Vm)
    with subprocess.Popen([sys.executable, "-c", "import signal, sys\nsignal.signal(2, signal.SIG_DFL)\n"
                           "print(1, flush=True)\nsys.stdin.read()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"1\n"
        vm.pid = process.pid
        assert not vm.interrupt()
        process.stdin.close()
        assert process.wait(5) == 0
