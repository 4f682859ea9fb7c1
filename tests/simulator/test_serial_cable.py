"""The cable comes out, at any byte, and goes in again; the port is taken, or is that of another chip."""
import errno
import os

import pytest
from serial_peers import Terminal, run_tool, wait_for_state

from toolkit.simulator import VirtualBoard
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.ports import Cable

MAIN = "print('main ran')\nwhile True: pass\n"


@pytest.fixture
def board():
    with VirtualBoard(main=MAIN) as board:
        yield board


def test_a_pulled_cable_ends_the_open_line_and_the_power(board):
    with Terminal(board.serial) as terminal:
        terminal.until(b"main ran")
        board.unplug()
        assert os.read(terminal.fd, 100) == b""
        with pytest.raises(OSError) as error:
            os.write(terminal.fd, b"x")
        assert error.value.errno == errno.EIO
    assert not os.path.lexists(board.serial)
    assert (board.info()["state"], board.info()["pid"]) == ("off", None)


def test_plugged_in_again_it_is_at_the_same_path_and_starts_from_power_on(board):
    board.run("import machine\nmachine.RTC().memory(b'lost')")
    board.unplug()
    board.plug()
    with Terminal(board.serial) as terminal:
        terminal.until(b"main ran")
    assert board.run("import machine\nprint(machine.RTC().memory(), machine.reset_cause())") == "b'' 1\n"


def test_plugging_in_what_is_plugged_in_changes_nothing(board):
    board.plug()
    assert board.info()["starts"] == 1


def test_without_power_nothing_resets(board):
    board.unplug()
    for action in (board.reset, board.download):
        with pytest.raises(SimulatorError, match="the cable is out"):
            action()


@pytest.mark.parametrize("count", [0, 1, 4, 7, 10])
def test_it_comes_out_after_exactly_so_many_bytes(count):
    got = []
    cable = Cable(lambda _, data: got.append(data), lambda: got.append("pulled"))
    cable.unplug_after(count)
    for data in (b"0123", b"456789"):
        if "pulled" not in got:
            cable.receive(None, data)
    assert got[-1] == "pulled" and b"".join(got[:-1]) == b"0123456789"[:count]


def test_it_comes_out_in_the_middle_of_a_line(board):
    with board.watch() as changes, Terminal(board.serial) as terminal:
        board.unplug_after(3)
        assert board.info()["state"] == "main"
        terminal.type(b"\x03x = 1\r")
        changes.until(change="state", state="off")
    board.unplug_after(0)
    board.plug()
    wait_for_state(board, "main")


def test_a_port_that_somebody_holds_is_busy_for_the_next(board):
    serial = pytest.importorskip("serial", reason="pyserial is not installed")
    with serial.Serial(str(board.serial), exclusive=True):
        with pytest.raises(serial.SerialException, match="exclusively lock"):
            serial.Serial(str(board.serial), exclusive=True)
        done = run_tool("esptool", "-p", board.serial, "chip-id")
    assert done.returncode == 2 and "the port is busy" in done.stdout + done.stderr


def test_a_board_without_firmware_hears_nothing_that_is_typed():
    with VirtualBoard(erased=True) as board, Terminal(board.serial) as terminal:
        terminal.type(b"\x03\x03\x01print(6 * 7)\x04")
        terminal.until(b"invalid header: 0xffffffff\r\n")
        terminal.until(b"RTCWDT_RTC_RESET")        # it tries again and again
        terminal.until(b"invalid header: 0xffffffff\r\n")
        assert (board.info()["state"], board.info()["starts"]) == ("empty", 0)


def test_a_pulled_cable_ends_the_download_mode():
    with VirtualBoard(main=MAIN) as board:
        board.download()
        assert board.info()["state"] == "download"
        board.unplug()
        board.plug()
        wait_for_state(board, "main")


def test_a_program_that_came_by_raw_paste_is_interrupted(board):
    """As mpremote and our own link send them, and then leave: twice Ctrl-C, the friendly REPL, a soft reset."""
    with Terminal(board.serial) as terminal:
        terminal.type(b"\x03\x03\x01")
        terminal.until(b"raw REPL; CTRL-B to exit\r\n>")
        terminal.type(b"\x05A\x01")
        terminal.until(b"R\x01\x80\x00\x01")
        terminal.type(b"print('in')\nwhile True: pass\x04")
        terminal.until(b"in\r\n")
        terminal.type(b"\x03\x03\x02\x04")
        assert b"KeyboardInterrupt" in terminal.until(b"MPY: soft reboot\r\n")
        terminal.until(b"main ran")


def test_a_ctrl_c_ends_a_paste_that_is_not_over(board):
    with Terminal(board.serial) as terminal:
        terminal.type(b"\x03\x03\x01")
        terminal.until(b"raw REPL; CTRL-B to exit\r\n>")
        terminal.type(b"\x05A\x01")
        terminal.until(b"R\x01\x80\x00\x01")
        terminal.type(b"print('half\x03\x01print(6 * 7)\x04")
        terminal.until(b"42\r\n")
    assert board.info()["starts"] == 1


def test_a_ctrl_c_at_any_moment_of_a_start_leaves_a_whole_board(board):
    """Too early, it would end what makes the board out of a bare interpreter."""
    for _ in range(20):
        board.reset()
        board.type("\x03")
        assert board.run("import os\nprint('main.py' in os.listdir('/'))") == "True\n"
    assert board.info()["crashes"] == 0
