"""The serial port over the network: DTR and RTS reach EN and IO0, and esptool needs no help."""
import socket

import pytest
from serial_peers import output, wait_for_state

from toolkit.simulator import VirtualBoard
from toolkit.simulator.firmware import image
from toolkit.simulator.rfc2217 import Transistors

MAIN = "print('main ran')\nwhile True: pass\n"
# RFC 2217: IAC SB COM-PORT-OPTION SET-CONTROL value IAC SE
DTR_ON, DTR_OFF, RTS_ON, RTS_OFF = (b"\xff\xfa\x2c\x05%c\xff\xf0" % value for value in (8, 9, 11, 12))

MOVES = (                          # (DTR, RTS) one after the other, what the chip sees
    ([(1, 0), (1, 1), (0, 0)], []),                                        # a terminal opens the port and closes it
    ([(0, 1), (0, 0)], ["hold", "run"]),                                   # esptool's hard reset
    ([(0, 1), (1, 1), (1, 0), (0, 0)], ["hold", "loader"]),                # its way into the loader, line by line
    ([(0, 1), (1, 0), (0, 0)], ["hold", "loader"]),                        # the same, both lines at once
    ([(0, 1), (0, 1), (1, 1)], ["hold"]),                                  # the capacitor is not full yet
    ([(1, 0), (0, 0)], []),                                                # the boot button of a running program
)


@pytest.mark.parametrize(("moves", "seen"), MOVES)
def test_two_lines_act_on_the_chip_through_two_transistors(moves, seen):
    events, late = [], []
    lines = Transistors(lambda: events.append("hold"), lambda io0: events.append("loader" if io0 else "run"),
                        lambda _seconds, call: late.append(call))
    for dtr, rts in moves:
        lines.set(bool(dtr), bool(rts))
    assert events == seen
    for call in late:              # time passes
        call()
    assert events == (seen if moves[-1] != (1, 1) else [*seen, "run"])


@pytest.fixture
def board():
    with VirtualBoard(main=MAIN, rfc2217=True) as board:
        yield board


def connect(board):
    host, port = board.rfc2217.removeprefix("rfc2217://").split(":")
    return socket.create_connection((host, int(port)), 5)


def read_until(link, mark):
    link.settimeout(20)
    text = b""
    while mark not in text:
        data = link.recv(4096)
        assert data, text
        text += data
    return text


def test_the_port_is_on_the_boards_own_address(board):
    assert board.rfc2217.startswith(f"rfc2217://{board.address}:")


def test_rts_holds_the_chip_in_reset_and_lets_it_start(board):
    with connect(board) as link:
        link.sendall(RTS_ON)
        wait_for_state(board, "held")
        link.sendall(RTS_OFF)
        assert b"POWERON_RESET),boot:0x13" in read_until(link, b"main ran")


def test_io0_low_at_the_end_of_a_reset_leads_into_the_loader(board):
    with connect(board) as link:
        link.sendall(RTS_ON + DTR_ON + RTS_OFF + DTR_OFF)
        read_until(link, b"boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n")
        assert board.info()["state"] == "download"
        link.sendall(b"typed\r\x03" + RTS_ON + RTS_OFF)        # here bytes are bytes: only the lines lead out
        assert b"boot:0x13" in read_until(link, b"main ran")


def test_a_second_user_is_hung_up_on(board):
    with connect(board) as link, connect(board) as second:
        read_until(link, b"\xff")
        second.settimeout(20)
        assert second.recv(100) == b""
    with connect(board) as link:
        read_until(link, b"\xff")


def test_a_user_who_leaves_lets_go_of_the_lines(board):
    with connect(board) as link:
        link.sendall(RTS_ON)
        wait_for_state(board, "held")
    wait_for_state(board, "main")


def test_a_pulled_cable_ends_the_connection(board):
    with connect(board) as link:
        read_until(link, b"\xff")
        board.unplug()
        link.settimeout(20)
        while link.recv(4096):
            pass
    board.plug()
    with connect(board) as link:
        read_until(link, b"\xff")


def test_a_board_unplugged_while_it_is_held_in_reset_stays_off(board):
    with connect(board) as link:
        link.sendall(RTS_ON)
        wait_for_state(board, "held")
        board.unplug()
    assert (board.info()["state"], board.info()["pid"]) == ("off", None)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_esptool_identifies_writes_and_verifies_without_any_help(board, tmp_path):
    """pyserial's client waits for every line and every setting: it takes a quarter of a minute."""
    file = tmp_path / "firmware.bin"
    file.write_bytes(image("esp32", 4096))
    said = output("esptool", "-p", board.rfc2217, "--no-stub", "write-flash", "0x1000", file, timeout_s=200)
    assert "ESP32-D0WD-V3" in said and "24:0a:c4:" in said and "Hash of data verified" in said
    assert board.flash_bytes(0x1000, file.stat().st_size) == file.read_bytes()
    wait_for_state(board, "main")
