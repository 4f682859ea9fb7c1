"""Presses on the pins irq1 to irq4, by a host that plays the finger, and the periodic timer."""
import re
import time

import pytest

from tests.device.wire import COUNTER, eventually

SLOW = """
import asyncio
async def slow():
    await asyncio.sleep_ms(2000)
    return hit()
"""
PERIOD_S = 0.02              # 50 presses a second
REST_S = 0.003
PRESSES = 1000


@pytest.fixture
def node(make_board):
    """Function that starts a node with irq1 on; the settings may say otherwise."""
    def start(**config):
        return make_board(files={"modules/LM_counter.py": COUNTER + SLOW}, config={
            "irq1": True, "irq1_cbf": "counter hit", "irq_prell_ms": 30, **config})
    return start


def made(board):
    return int(board.shell("counter made"))


def press(board, pin="irq1"):
    board.pins[pin] = 1
    settle(board)
    board.pins[pin] = 0
    settle(board)


def settle(board):
    """Longer than irq_prell_ms: the contact is at rest."""
    board.shell("hello")
    time.sleep(0.06)


def bounce(board, level):
    for _ in range(5):
        board.pins["irq1"] = level
        board.pins["irq1"] = 1 - level
    board.pins["irq1"] = level


def test_a_press_reaches_its_module_call_and_the_lamp(node):
    board = node(irq1_cbf="genIO set_out 5 True; genIO set_out 19 True")
    with board.watch() as changes:
        board.pins["irq1"] = 1
        assert changes.until(change="pin", pin=5)["value"] == 1
        assert changes.until(change="pin", pin=19)["value"] == 1


@pytest.mark.parametrize("trigger, expected", [("n/a", [1, 1]), ("up", [1, 1]), ("down", [0, 1]), ("both", [1, 2])])
def test_each_trigger_counts_its_edges(node, trigger, expected):
    board = node(irq1_trig=trigger)
    board.pins["irq1"] = 1
    settle(board)
    after_press = made(board)
    board.pins["irq1"] = 0
    settle(board)
    assert [after_press, made(board)] == expected


def test_a_bouncing_contact_counts_once_when_it_closes_and_not_when_it_opens(node):
    board = node()
    for pressed in range(1, 6):
        bounce(board, 1)
        settle(board)
        assert made(board) == pressed
        bounce(board, 0)
        settle(board)
    assert made(board) == 5


def test_a_pulse_too_short_to_settle_counts(node):
    board = node(irq1_trig="both")
    board.pins["irq1"] = 1
    board.pins["irq1"] = 0
    settle(board)
    assert made(board) == 1              # there; the way back lies within irq_prell_ms
    press(board)
    assert made(board) == 3


def test_a_second_press_within_irq_prell_ms_is_none(node):
    board = node(irq_prell_ms=60000)
    press(board)
    press(board)
    assert made(board) == 1


@pytest.mark.slow
def test_a_thousand_presses_at_fifty_a_second_are_a_thousand_calls(node):
    board = node(irq_prell_ms=1)
    due = time.monotonic()
    for _ in range(PRESSES):
        for level in (1, 0):
            due += PERIOD_S / 2
            time.sleep(max(REST_S, due - time.monotonic()))      # a host that was held up does not bounce
            board.pins["irq1"] = level
    pressed, dropped, bounced = told(board)
    assert pressed + dropped + (bounced + 1) // 2 >= PRESSES       # edges of a host that was held up may come together
    eventually(lambda: made(board), lambda calls: calls == pressed)


def told(board):
    """(presses, dropped, bounces) of irq1."""
    return [int(number) for number in re.findall(r" (\d+) ", board.shell("task show irq"))]


def test_presses_that_find_no_place_to_wait_are_counted(node):
    board = node(irq_prell_ms=0, irq1_cbf="counter slow")
    for _ in range(60):
        board.pins["irq1"] = 1
        board.pins["irq1"] = 0
    assert eventually(lambda: told(board), lambda counts: sum(counts) == 60) in ([50, 10, 0], [51, 9, 0])


def test_pin_0_is_a_pin(node):
    board = node(cstmpmap="irq1:0")
    press(board, 0)
    assert made(board) == 1


def test_four_pins_each_with_their_commands(node):
    board = node(**{f"irq{number}": True for number in (2, 3, 4)}, irq2_cbf="genIO set_out 21 True",
                 irq3_cbf="genIO set_out 22 True", irq4_cbf="genIO set_out 23 True", irq4_trig="down")
    for pin in ("irq1", "irq2", "irq3", "irq4"):
        press(board, pin)
    assert made(board) == 1
    assert [board.pins[pin] for pin in (21, 22, 23)] == [1, 1, 1]
    assert board.shell("task show irq").count(" 1 presses, 0 dropped, ") == 4


def test_settings_count_at_once(node):
    board = node(irq1=False)
    press(board)
    assert made(board) == 0 and "irq" not in board.shell("task list")
    board.shell("conf", "irq1 true")
    press(board)
    assert made(board) == 1
    board.shell("conf", "irq1_cbf genIO set_out 5 True")
    press(board)
    assert made(board) == 1 and board.pins[5] == 1
    board.shell("conf", "irq1 false", "irq1_cbf counter hit")
    press(board)
    assert made(board) == 1 and "irq" not in board.shell("task list")


def test_a_pin_that_cannot_be_had_is_an_alarm_and_the_others_work(node):
    board = node(irq2=True, irq2_cbf="counter hit", cstmpmap="irq2:99")
    assert "[ERR] irq2: invalid pin" in board.shell("system alarms")
    press(board)
    assert made(board) == 1


def test_commands_that_fail_are_an_alarm_and_the_next_press_counts(node):
    board = node(irq1_cbf="nosuch f; counter hit")
    press(board)
    press(board)
    assert made(board) == 2
    assert "no module LM_nosuch" in board.shell("system alarms")


def test_the_timer_runs_its_commands_at_its_period_and_follows_its_settings(node):
    board = node(irq1=False, timirq=True, timirqseq=20, timirqcbf="genIO set_out 5")
    with board.watch() as changes:
        assert [changes.until(change="pin", pin=5)["value"] for _ in range(4)] in ([1, 0, 1, 0], [0, 1, 0, 1])
    board.shell("conf", "timirqcbf genIO set_out 19")
    with board.watch() as changes:
        changes.until(change="pin", pin=19)
    board.shell("conf", "timirq false")
    assert "timirq" not in board.shell("task list")


def test_the_period_of_the_timer_is_that_of_the_clock(make_board):
    board = make_board(turn=True, files={"modules/LM_counter.py": COUNTER}, config={
        "timirq": True, "timirqseq": 60000, "timirqcbf": "counter hit"})
    board.clock.run(61)
    assert made(board) == 1
    board.clock.run(120)
    assert made(board) == 3
