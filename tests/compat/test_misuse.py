"""A guest without manners costs its own work, not the node; `system alarms` says whose fault it was."""
import re
from pathlib import Path

import pytest

from tests.compat.guests import guests
from tests.device.test_ladder import alarms, serves, starts, starve
from tests.device.wire import Wire, eventually

ASSEMBLY = Path(__file__).parents[2] / "micrOS" / "source" / "micrOS.py"
MOST_TASKS = 24


def lives(board):
    return board.shell("system heartbeat") == "<3 heartbeat <3"


def alarm(board, words):
    return eventually(lambda: alarms(board), lambda told: words in told)


@pytest.mark.parametrize("dot", [".", ""], ids=["queue tags", "system tags"])
def test_leaked_tasks_end_at_a_bound_and_the_leak_is_one_alarm(node, dot):
    board = node()
    assert board.shell(f"rogue leak 100 '{dot}'") == str(MOST_TASKS)
    told = alarm(board, f"[ERR] task of rogue: {MOST_TASKS} run already")
    assert told.count("[ERR]") == 1
    assert lives(board)
    board.shell(f"task kill rogue{dot}0")
    assert board.shell(f"rogue leak 100 '{dot}'") == "1"


def test_a_task_that_is_no_coroutine_is_refused_and_named(node):
    board = node()
    assert board.shell("ticker wrong") == "False"
    alarm(board, "[ERR] task of ticker: a coroutine is wanted, got no coroutine")


def test_a_task_that_raises_is_named_by_its_tag(node):
    board = node()
    assert board.shell("rogue fail_in_a_task") == "True"
    alarm(board, "[ERR] task rogue.soup: the soup is cold")
    assert board.shell("task show rogue.soup") == "ValueError: the soup is cold"
    assert lives(board)


@pytest.mark.parametrize("kind", ["py", "mpy"])
def test_a_stray_task_that_raises_is_named_by_its_file(make_board, kind):
    board = make_board(files=guests(kind=kind))
    assert board.shell("rogue fail_in_a_stray") == "begun"
    told = alarm(board, "[ERR] a task of ")
    assert re.search(r"LM_rogue\.py, line \d+, in _raise: ValueError: the soup is cold$", told, re.MULTILINE), told
    assert lives(board)


def test_a_call_that_holds_the_loop_is_named_and_ended_by_the_watchdog(node):
    board = node()
    with Wire(board) as wire:
        wire.send("rogue hold\n")
        eventually(board.console, lambda said: "[lm] rogue loaded" in said)
        starve(board)
    serves(board)
    alarm(board, "[ERR] rogue hold holds up the node; the watchdog resets it after 30 s")


def test_a_task_that_holds_the_loop_is_ended_by_the_watchdog_and_named_by_its_tag(node):
    board = node()
    board.shell("rogue hold_in_a_task")
    before = starts(board)
    starve(board)
    assert starts(board) > before
    serves(board)
    told = alarm(board, "holds up the node; the watchdog resets it after 30 s")
    if "at_work" not in ASSEMBLY.read_text():
        pytest.skip("micrOS.py does not ask Strays.at_work yet: the alarm says `a task`")
    assert "[ERR] task rogue.hold holds up the node" in told


def ring(board, pin):
    board.pins[pin] = 1
    board.pins[pin] = 0


def test_an_interrupt_that_raises_shows_on_the_console_and_the_node_goes_on(node):
    board = node()
    board.shell("rogue trip_in_an_interrupt")
    ring(board, 5)
    eventually(board.console, lambda said: "ValueError: tripped" in said)
    assert lives(board)


def test_a_hard_interrupt_that_allocates_is_switched_off_and_shows_on_the_console(node):
    board = node()
    board.shell("rogue allocate_in_a_hard_interrupt")
    for _ in range(3):
        ring(board, 18)
    said = eventually(board.console, lambda said: "Uncaught exception in IRQ callback handler" in said)
    assert board.shell("rogue held") == "False"
    assert (said.count("MemoryError"), lives(board)) == (1, True)


def test_an_interrupt_that_takes_all_memory_costs_a_call_or_a_boot(node):
    board = node()
    board.shell("rogue eat_in_an_interrupt")
    ring(board, 4)
    eventually(board.console, lambda said: "MemoryError" in said)
    eventually(lambda: tolerant(board), bool)


def tolerant(board):
    try:
        board.shell("rogue held")
        return lives(board)
    except OSError:
        return False


@pytest.mark.parametrize(("call", "said"), [
    ("rogue leave", "exec_lm_core LM_rogue->leave: 3"),
    ("rogue nosuch", "exec_lm_core LM_rogue->nosuch: no function nosuch; rogue help lists them"),
])
def test_a_call_that_fails_is_one_line(node, call, said):
    board = node()
    assert board.shell(call) == said
    assert lives(board)
