"""The serial port as tools of the trade know it: raw REPL, soft reset, Ctrl-C, line ends."""
import os
import select
import time

import pytest

from toolkit.simulator import VirtualBoard

MAIN = "import time\nprint('one\\ntwo')\nwhile True: time.sleep(9)\n"


class Terminal:
    """A user with the serial port open."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.text = b""

    def type(self, data):
        os.write(self.fd, data)

    def until(self, mark, timeout_s=10.0):
        end = time.monotonic() + timeout_s
        while mark not in self.text:
            readable, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert readable, f"{mark!r} did not come, only {self.text!r}"
            self.text += os.read(self.fd, 4096)
        before, _, self.text = self.text.partition(mark)
        return before

    def close(self):
        os.close(self.fd)


@pytest.fixture
def board():
    with VirtualBoard(main=MAIN, files={"boot.py": "print('boot')\n"}) as board:
        yield board


@pytest.fixture
def terminal(board):
    terminal = Terminal(board.serial)
    yield terminal
    terminal.close()


def to_raw(terminal):
    terminal.type(b"\x03\x03\x01")
    terminal.until(b"raw REPL; CTRL-B to exit\r\n>")


def test_what_was_printed_ends_in_cr_lf_and_is_kept(board, terminal):
    terminal.until(b"boot\r\none\r\ntwo\r\n")
    assert "boot\r\none\r\ntwo\r\n" in board.console()


def test_ctrl_c_ends_a_program_that_sleeps(terminal):
    terminal.type(b"\x03")
    terminal.until(b"KeyboardInterrupt")
    terminal.until(b">>> ")


def test_the_raw_repl_runs_code_and_soft_resets_into_itself(terminal):
    to_raw(terminal)
    terminal.type(b"print(6 * 7)\x04")
    assert terminal.until(b"\x04\x04>") == b"OK42\r\n"
    terminal.type(b"\x04")
    terminal.until(b"OK")
    terminal.until(b"soft reboot\r\n")
    between = terminal.until(b"raw REPL; CTRL-B to exit\r\n>")
    assert b"boot\r\n" in between and b"one" not in between and b"help()" not in between


def test_ctrl_d_at_the_prompt_runs_main_again(terminal):
    terminal.type(b"\x03")
    terminal.until(b">>> ")
    terminal.type(b"\x04")
    terminal.until(b"MPY: soft reboot\r\n")
    terminal.until(b"boot\r\none\r\ntwo\r\n")


def test_a_busy_loop_is_interrupted_too(terminal):
    to_raw(terminal)
    terminal.type(b"print('in')\nwhile True: pass\n\x04")
    terminal.until(b"in\r\n")
    terminal.type(b"\x03")
    assert b"KeyboardInterrupt" in terminal.until(b"\x04>")


def test_raw_paste_takes_a_long_program(terminal):
    to_raw(terminal)
    terminal.type(b"\x05A\x01")
    terminal.until(b"R\x01")
    while len(terminal.text) < 3:
        terminal.text += os.read(terminal.fd, 3)
    window = int.from_bytes(terminal.text[:2], "little")
    assert window > 0 and terminal.text[2:3] == b"\x01"


def test_nobody_reading_never_blocks_the_board(board):
    code = "for i in range(20000): print('a line that nobody reads', i)\n"
    assert board.run(code, timeout_s=30).endswith("19999\n")
    assert len(board.console()) <= 64 * 1024


def test_a_fast_board_loses_nothing_to_a_reader(board, terminal):
    to_raw(terminal)
    terminal.type(b"for i in range(5000): print(i)\n\x04")
    numbers = terminal.until(b"\x04\x04>").removeprefix(b"OK").split()
    assert numbers == [b"%d" % i for i in range(5000)]


def test_an_error_in_boot_py_does_not_keep_main_from_running():
    with VirtualBoard(main=MAIN, files={"boot.py": "1 / 0\n"}) as board, board.watch() as changes:
        while "two" not in board.console():
            changes.until(change="console")
        assert "ZeroDivisionError" in board.console()


def test_any_number_of_ctrl_c_never_kills_the_interpreter(board, terminal):
    """Between two lines nobody catches SIGINT: a signal sent then would end the VM."""
    terminal.type(b"\x03")
    terminal.until(b">>> ")
    for _ in range(20):
        terminal.type(b"x = 1\r\x03\x03" * 10)
        terminal.type(b"print('al' + 'ive')\r")
        terminal.until(b"alive\r\n")
    assert board.info()["starts"] == 1


def test_a_ctrl_c_hard_on_the_heels_of_a_program_ends_it(board):
    """The REPL may have left to run the program when the byte comes: nobody would read it."""
    for _ in range(30):
        board.run_blind("while True: pass")
        assert board.run("print('here')") == "here\n"
