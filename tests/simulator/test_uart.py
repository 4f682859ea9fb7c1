"""machine.UART of a program: octets both ways, what the line does to them, what is lost and who counts it."""
import os
import threading

import pytest

from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError

WAIT_S = 20.0
ECHO = """
import asyncio
from machine import UART
line = UART(1, 115200, tx=17, rx=16, rxbuf=512)
async def main():
    stream = asyncio.StreamReader(line)
    while True:
        stream.write(await stream.read(256))
        await stream.drain()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def idle():
    with VirtualBoard(main="from machine import UART\n") as board:
        yield board


@pytest.fixture
def echo():
    with VirtualBoard(main=ECHO) as board:
        eventually(lambda: board.uart(1)["baud"], bool, WAIT_S)
        yield board


def received(cable, count):
    data = b""
    while len(data) < count:
        data += cable.recv(count - len(data))
    return data


def test_octets_go_both_ways_as_they_are(echo):
    data = os.urandom(300_000)
    with echo.cable(1) as cable:
        saying = threading.Thread(target=cable.sendall, args=(data,))
        saying.start()
        assert received(cable, len(data)) == data
        saying.join()


def test_how_the_program_opened_it_is_told(echo):
    told = echo.uart(1)
    assert {name: told[name] for name in ("baud", "bits", "parity", "stop", "tx", "rx", "rxbuf")} == {
        "baud": 115200, "bits": 8, "parity": -1, "stop": 1, "tx": 17, "rx": 16, "rxbuf": 512}


def test_another_baud_rate_makes_other_octets(echo):
    with echo.cable(1) as cable:
        echo.uart(1, baud=9600)
        cable.sendall(bytes(range(256)))
        assert received(cable, 256) != bytes(range(256))
        echo.uart(1, baud=115200)
        cable.sendall(b"same")
        assert received(cable, 4) == b"same"


def test_a_paced_line_takes_its_time_and_loses_what_finds_no_room(idle):
    idle.run("from machine import UART\nline = UART(1, 2000000, rxbuf=512)")
    with idle.cable(1) as cable:
        idle.uart(1, paced=True)
        cable.sendall(bytes(2000))
        told = eventually(lambda: idle.uart(1), lambda told: told["overrun"] == 2000 - 512, WAIT_S)
        assert told["unread"] == 512
        assert idle.run("print(len(line.read()))") == "512\n"
        idle.uart(1, paced=False)


def test_who_plugs_in_last_has_the_cable(echo):
    with echo.cable(1) as first, echo.cable(1) as second:
        second.sendall(b"two")
        assert received(second, 3) == b"two"
        assert first.recv(1) == b""


def test_nobody_on_the_cable_is_no_error(echo):
    echo.cable(1).close()
    eventually(lambda: echo.uart(1)["plugged"], lambda plugged: not plugged, WAIT_S)
    with echo.cable(1) as cable:
        cable.sendall(b"again")
        assert received(cable, 5) == b"again"


def test_a_reset_closes_the_line_and_the_program_opens_it_again(echo):
    with echo.cable(1) as cable:
        echo.reset()
        echo.wait_ready()
        eventually(lambda: echo.uart(1)["baud"], bool, WAIT_S)
        cable.sendall(b"back")
        assert received(cable, 4) == b"back"


def test_what_comes_to_a_closed_line_is_counted(idle):
    idle.run("line = UART(1)\nline.deinit()")
    before = idle.uart(1)["dropped"]
    with idle.cable(1) as cable:
        cable.sendall(b"lost")
        eventually(lambda: idle.uart(1)["dropped"], lambda dropped: dropped == before + 4, WAIT_S)
    assert idle.uart(1)["unread"] == 0


def test_reading_does_not_block_and_any_counts(idle):
    with idle.cable(1) as cable:
        idle.run("line = UART(1)")
        assert idle.run("print(line.read(), line.any(), line.readline())") == "None 0 None\n"
        cable.sendall(b"one\ntwo")
        eventually(lambda: idle.uart(1)["unread"], lambda count: count == 7, WAIT_S)
        assert idle.run("b = bytearray(2)\nprint(line.any(), line.readline(), line.readinto(b), b, line.read())") == (
            "7 b'one\\n' 2 bytearray(b'tw') b'o'\n")


def test_a_timeout_waits_for_the_first_octet(idle):
    with idle.cable(1) as cable:
        idle.run("line = UART(1, timeout=5000)")
        later = threading.Timer(0.05, cable.sendall, (b"late",))
        later.start()
        assert idle.run("print(line.read(1))") == "b'l'\n"
        later.join()


def test_flush_returns_when_all_is_out(idle):
    with idle.cable(1) as cable:
        assert idle.run("line = UART(1)\nprint(line.write(b'bye'))\nline.flush()\nprint(line.txdone())") == "3\nTrue\n"
        assert received(cable, 3) == b"bye"


REFUSED = (
    ("UART(3)", "UART(3) does not exist; there are 0-2"), ("UART(1, 100)", "baudrate is 300 to 5000000, got 100"),
    ("UART(1, bits=9)", "invalid data bits, parity or stop bits"),
)


@pytest.mark.parametrize(("call", "why"), REFUSED)
def test_what_the_chip_has_not_is_refused(idle, call, why):
    with pytest.raises(SimulatorError, match="ValueError: " + why.replace("(", r"\(").replace(")", r"\)")):
        idle.run(call)


def test_the_control_channel_refuses_unknown_lines_and_models(idle):
    with pytest.raises(SimulatorError, match="does not exist"):
        idle.uart(7)
    with pytest.raises(SimulatorError, match="model is one of"):
        idle.uart(1, model="toaster")
    idle.uart(1, model="meter")
    with pytest.raises(SimulatorError, match="probability, 0 to 1"):
        idle.uart(1, facts={"lose": 7})
