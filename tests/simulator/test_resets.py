"""Every way to restart a board: what it is called afterwards, and what it has not forgotten."""
import pytest

from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

MAIN = """
import time
while True:
    time.sleep(9)
"""
PWRON, HARD, WDT, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5


def cause_after(board, action):
    """reset_cause() that the program sees after the start that `action` brings."""
    before = board.info()["starts"]
    with board.watch() as changes:
        action()
        changes.until(change="start", starts=before + 1)
    return int(board.run("import machine\nprint(machine.reset_cause())"))


CAUSES = (
    ("import machine; machine.reset()", HARD),
    ("import machine; machine.soft_reset()", SOFT),
    ("import sys; sys.exit()", SOFT),
    ("import machine, time; machine.WDT(timeout=100); time.sleep(60)", WDT),
    ("import machine; machine.deepsleep(50)", DEEPSLEEP),
)


@pytest.mark.parametrize(("code", "cause"), CAUSES)
def test_a_program_that_ends_itself_finds_its_cause(code, cause):
    with VirtualBoard(main=MAIN) as board:
        assert board.info()["cause"] == "power"
        assert cause_after(board, lambda: board.run_blind(code)) == cause


HOST_CAUSES = (("hard", HARD), ("soft", SOFT), ("power", PWRON))


@pytest.mark.parametrize(("kind", "cause"), HOST_CAUSES)
def test_the_host_resets(kind, cause):
    with VirtualBoard(main=MAIN) as board:
        assert cause_after(board, lambda: board.ask("reset", kind="hard")) == HARD
        assert cause_after(board, lambda: board.ask("reset", kind=kind)) == cause


def test_rtc_memory_survives_all_but_a_power_cut():
    with VirtualBoard(main=MAIN) as board:
        board.run("import machine\nmachine.RTC().memory(b'kept\\x00')")
        for action in (board.reset, lambda: board.reset(hard=False)):
            cause_after(board, action)
            assert board.run("print(machine.RTC().memory())\n") == "b'kept\\x00'\n"
        board.run("machine.RTC().memory('text')")      # anything with a buffer will do, as on the port
        assert board.run("print(machine.RTC().memory())\n") == "b'text'\n"
        cause_after(board, board.power_cycle)
        assert board.run("print(machine.RTC().memory())") == "b''\n"


def test_a_fed_watchdog_does_not_bite_and_a_hungry_one_is_named():
    with VirtualBoard(main=MAIN) as board:
        board.run("import machine\nw = machine.WDT(timeout=60000)")
        board.clock.advance(50)
        board.run("w.feed()")
        board.clock.advance(50)
        assert board.info()["starts"] == 1
        assert 9 < board.ask("wdt")["left_s"] <= 10
        assert cause_after(board, lambda: board.clock.advance(11)) == WDT
        assert board.ask("wdt") is None


def test_a_watchdog_outlives_a_soft_reset():
    with VirtualBoard(main=MAIN) as board:
        board.run("import machine\nmachine.WDT(timeout=60000)")
        cause_after(board, lambda: board.reset(hard=False))
        assert board.ask("wdt")["timeout_ms"] == 60000


def test_a_sleeping_board_wakes_when_its_time_has_passed():
    with VirtualBoard(main=MAIN) as board:
        with board.watch() as changes:
            board.run_blind("import machine; machine.deepsleep(3600000)")
            changes.until(change="state", state="asleep")
        assert board.info()["pid"] is None
        assert cause_after(board, lambda: board.clock.advance(3601)) == DEEPSLEEP


def test_timers_and_channels_end_with_a_reset_pads_with_a_hard_one():
    code = ("from machine import *\nTimer(0).init(period=1000, callback=print)\nPWM(Pin(5), freq=50)\n"
            "Pin(2, Pin.OUT).on()")
    with VirtualBoard(main=MAIN) as board:
        board.run(code)
        cause_after(board, lambda: board.reset(hard=False))
        assert (board.ask("timers"), board.pwm[5], board.pins[2]) == ({}, (0, 0), 1)
        cause_after(board, board.reset)
        assert board.pins[2] == 0


def test_a_vm_that_crashes_is_started_again_and_counted():
    with VirtualBoard(main=MAIN) as board:
        with board.watch() as changes:
            board.run_blind("import uctypes; uctypes.bytearray_at(0, 1)[0] = 1")
            changes.until(change="start", starts=2)
        assert board.info()["crashes"] == 1
        assert "died of signal 11" in board.console()


PRINTS = """
import machine
rtc = machine.RTC()
count = len(rtc.memory()) + 1
print("x" * 3000, "end", count)
if count <= 20:
    rtc.memory(b"." * count)
    machine.reset()
"""


def test_what_was_printed_before_a_reset_is_on_the_console():
    with VirtualBoard(main=PRINTS + MAIN) as board:
        text = eventually(board.console, lambda text: "end 21" in text)
    assert [f"end {count}\r\n" in text for count in range(5, 22)] == 17 * [True]       # the first have scrolled out
