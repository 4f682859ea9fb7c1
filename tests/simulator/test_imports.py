"""Which module a name brings on the board: ours, the built-in one, or a file of the user's."""
import os

import pytest

from toolkit.simulator import VirtualBoard
from toolkit.simulator.uart import UART_FD

IDLE = "import time\nwhile True: time.sleep(9)\n"
STRANGERS = dict.fromkeys(("time.py", "lib/tool.py", "tool2.py"), "STRANGER = 1\n")


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(main=IDLE, files=STRANGERS) as board:
        yield board


FACTS = (
    ("import sys; print(sys.platform)", "esp32"),
    ("from sys import platform; print(platform)", "esp32"),
    ("import sys; print(sys.path)", "['', '.frozen', '/lib', '/rom']"),
    ("import sys; print(sys.implementation.name)", "micropython"),
    ("import machine; print(machine.Pin.OUT)", "3"),
    ("import umachine; print(hasattr(umachine, 'RTC'))", "False"),     # `u` forces the built-in
    ("import time; print(hasattr(time, 'STRANGER'), len(time.localtime()))", "False 8"),
    ("import utime; print(len(utime.localtime()))", "8"),
    ("import os; print(hasattr(os, 'uname'), hasattr(os, 'listdir'))", "True True"),
    ("import uos; print(uos.uname()[0])", "esp32"),
    ("from os import listdir; print('rom' in listdir('/'))", "True"),
    ("import socket, usocket; print(socket is usocket)", "True"),
    ("import tool, tool2; print(tool.STRANGER + tool2.STRANGER)", "2"),
    ("import os; print(os.getcwd())", "/"),
    ("print(sorted(name for name in globals() if name[0] != '_'))", "[]"),      # the launcher leaves no names
    ("import os; open('/a', 'w').close(); os.rename('/a', '/b'); print('b' in os.listdir('/'))", "True"),
    ("import os; os.chdir('/lib'); os.rename('tool.py', '../c.py'); print(os.stat('/c.py')[6])", "13"),
    ("import __main__; print(__name__)", "__main__"),
)


@pytest.mark.parametrize(("code", "printed"), FACTS)
def test_a_name_brings(code, printed):
    with VirtualBoard(main=IDLE, files=STRANGERS) as board:
        board.run("del time")
        assert board.run(code) == printed + "\n"


def test_the_vm_inherits_its_channels_and_nothing_else(board):
    inherited = {int(name) for name in os.listdir(f"/proc/{board.info()['pid']}/fd")}
    assert {0, 1, 2, 3, 4, 5, 7, 8} <= inherited
    # MicroPython's own opening of these dups nothing; what else is there it has opened itself
    assert all(fd < UART_FD + 3 for fd in inherited)


def test_the_heap_is_as_large_as_was_asked_for():
    with VirtualBoard(main=IDLE, heap="100K") as board:
        total = int(board.run("import gc\nprint(gc.mem_alloc() + gc.mem_free())"))
        assert 90 * 1024 < total <= 100 * 1024


def test_the_shims_leave_room(board):
    """Code of the shims runs in place, so their share of the heap is objects only."""
    used = int(board.run("import gc, machine, network\ngc.collect()\nprint(gc.mem_alloc())"))
    assert used < 20 * 1024


def test_a_star_import_brings_the_lazy_names_too(board):
    printed = board.run("from machine import *\nfrom network import *\nfrom os import *\nfrom socket import *\n"
                        "print(PWM.__name__, WDT.__name__, STAT_GOT_IP, uname()[0], SOCK_STREAM)")
    assert printed == "PWM WDT 1010 esp32 1\n"


def test_ctrl_c_in_the_middle_of_a_request_does_not_shift_the_answers(board):
    board.adc[34] = 4660
    board.run("import machine\na = machine.ADC(34)")
    for _ in range(10):
        board.run_blind("while True: a.read_u16()")
        assert board.run("print(a.read_u16(), machine.reset_cause(), machine.unique_id()[:3])") == (
            "4660 1 b'$\\n\\xc4'\n")
