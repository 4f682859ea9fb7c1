"""The boot ladder: what a bad boothook, a hang or a lack of memory costs, and the way back. Real restarts of the VM."""
import re

import pytest

from tests.device.wire import eventually

BAD = """
import machine
import asyncio
kept = []
async def wait():
    await asyncio.sleep(36000)
def hang():
    while True:
        pass
def crash():
    machine.reset()
def eat():
    while True:
        kept.append(bytearray(512))
def eat_everything():
    import sys
    sys.modules["eaten"] = kept          # what no unloading gives back
    eat()
"""
BITES_S = 30
BOOTS_S = 30.0                       # for a few boots on a machine that does much else


@pytest.fixture
def node(make_board):
    """Function that starts a node with a module of bad habits; it need not come up."""
    def start(boothook="n/a", **config):
        return make_board(files={"modules/LM_bad.py": BAD}, config={"boothook": boothook, **config}, shell=False)
    return start


def starts(board):
    return board.info()["starts"]


def serves(board):
    """Wait for the shell of the boot that is under way."""
    eventually(lambda: this_boot(board.console()), lambda said: "[shell] listens" in said, BOOTS_S)


def is_safe(board):
    """Wait for the shell of a safe boot."""
    eventually(board.console, lambda said: "[shell] listens" in said.partition("safe mode")[2], BOOTS_S)


def alarms(board):
    return board.shell("system alarms")


def starve(board):
    """Let the watchdog's time pass while the loop is held up: first somebody is named, then it bites."""
    before = starts(board)
    for _ in range(3):
        board.clock.advance(BITES_S / 4)
    eventually(lambda: (board.dir / "err.log").exists() and (board.dir / "err.log").read_text(),
               lambda log: log and "holds up the node" in log)        # a line that repeats is kept once
    board.clock.advance(BITES_S / 4 + 1)
    eventually(lambda: starts(board), lambda now: now > before, BOOTS_S)


def this_boot(said):
    return re.split("rst:|soft reboot", said)[-1]


def test_a_boothook_that_raises_is_an_alarm_and_nothing_else(node):
    board = node("bad nosuch; genIO set_out 4 True")
    serves(board)
    assert board.pins[4] == 1
    assert "no function nosuch" in alarms(board) and "safe mode" not in alarms(board)


def test_a_boothook_that_resets_the_board_ends_in_safe_mode(node):
    board = node("bad crash")
    is_safe(board)
    told = alarms(board)
    assert "[ERR] safe mode: 3 boots in a row did not last; boothook, cron, timirq and irq are off" in told
    assert "Boots, newest first: hard, hard, hard, power" in told


def test_a_boothook_that_hangs_is_named_and_ends_in_safe_mode(node):
    board = node("bad hang")
    for _ in range(3):
        eventually(lambda: this_boot(board.console()), lambda said: "[lm] bad loaded" in said, BOOTS_S)
        starve(board)
    is_safe(board)
    told = alarms(board)
    assert "[ERR] bad hang holds up the node; the watchdog resets it after 30 s" in told
    assert "safe mode: 3 boots" in told
    assert "Boots, newest first: watchdog, watchdog, watchdog, power" in told


def test_a_boothook_that_waits_for_ever_is_cut_off(make_board):
    hook = "bad wait; genIO set_out 5 True"
    board = make_board(turn=True, files={"modules/LM_bad.py": BAD}, config={"boothook": hook}, shell=False)
    board.clock.run(40)
    serves(board)
    assert "[ERR] boothook: not done in 30 s; the rest of it is left out" in alarms(board)
    assert board.pins[5] == 0


def test_a_boothook_that_eats_memory_costs_only_itself(node):
    board = node("bad eat; genIO set_out 4 True")
    serves(board)
    assert "memory allocation failed" in alarms(board) and "the module is unloaded" in alarms(board)
    assert board.pins[4] == 1


def test_memory_that_does_not_come_back_ends_in_safe_mode(node):
    board = node("bad eat_everything")
    is_safe(board)
    assert "safe mode: 3 boots" in alarms(board)


def test_three_quick_power_cuts_do_not_trigger_safe_mode(node):
    board = node("genIO set_out 4 True")
    serves(board)
    for _ in range(4):
        board.power_cycle()
        serves(board)
        eventually(lambda: board.pins[4], bool, BOOTS_S)
    assert "safe mode" not in alarms(board)
    assert "Boots, newest first: power, power, power, power, power" in alarms(board)


def test_safe_mode_is_left_by_a_reboot(node):
    board = node("bad crash")
    is_safe(board)
    assert board.shell("conf", "boothook genIO set_out 4 True", "noconf", "reboot").count("Saved") == 1
    eventually(lambda: board.pins[4], bool, BOOTS_S)
    serves(board)
    assert board.shell("system alarms clean=True", "system alarms").endswith("OK alarm: 0")


def test_safe_mode_starts_no_cron_timer_or_interrupt(node):
    board = node("bad crash", cron=True, crontasks="*:*:*:*!genIO set_out 21 True", timirq=True, irq1=True,
                 timirqcbf="genIO set_out 5 True", irq1_cbf="genIO set_out 19 True")
    is_safe(board)
    board.pins["irq1"] = 1
    tasks = board.shell("task list")
    assert not [tag for tag in ("cron", "timirq", "irq") if tag in tasks]
    assert (board.pins[21], board.pins[5], board.pins[19]) == (0, 0, 0)


@pytest.mark.parametrize("watchdog", [True, False])
def test_a_boot_that_lasts_a_minute_is_a_good_one(make_board, watchdog):
    board = make_board(turn=True, config={"poshost": "n/a", "watchdog": watchdog})
    for _ in range(4):                   # hard resets, each after a boot that lasted
        board.clock.run(62)
        board.reset()
        serves(board)
    assert "safe mode" not in alarms(board)


def test_wanted_reboots_count_as_good_boots(make_board):
    board = make_board()
    for _ in range(4):
        before = starts(board)
        board.shell("reboot -h")
        eventually(lambda before=before: starts(board), lambda now, before=before: now > before, BOOTS_S)
        serves(board)
    assert "safe mode" not in alarms(board)


def test_a_call_that_holds_the_loop_is_reset_and_named(node):
    board = node()
    serves(board)
    with board.connect() as link:
        link.sendall(b"bad hang\n")
        eventually(lambda: board.console(), lambda said: "[lm] bad loaded" in said)
        starve(board)
    serves(board)
    assert "bad hang holds up the node" in alarms(board)
    assert "Boots, newest first: watchdog, power" in alarms(board)


def test_the_watchdog_can_be_switched_off(node):
    board = node(watchdog=False)
    serves(board)
    assert board.ask("wdt") is None


def test_at_the_repl_nobody_is_reset(make_board):
    board = make_board()
    assert board.run("print('at the REPL')") == "at the REPL\n"
    before = starts(board)
    for _ in range(30):
        board.clock.advance(BITES_S / 10)        # small steps: what feeds it is a timer of the board's own
        assert board.run("print(1)") == "1\n"
    assert starts(board) == before


def test_a_core_that_cannot_start_waits_for_a_repair(make_board):
    board = make_board(turn=True, files={"TaskManager.py": "raise ValueError('bad core')\n"}, shell=False)
    for _ in range(4):                   # three that fail, and a safe one that fails, too
        before = starts(board)
        eventually(lambda: this_boot(board.console()), lambda said: "[NW]" in said, BOOTS_S)
        if starts(board) > 4:
            break
        board.clock.run(20)
    stayed = starts(board)
    board.clock.run(60)
    assert starts(board) == stayed >= before
