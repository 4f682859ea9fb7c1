"""Commands at their time, on a board whose clock is turned: what fires, when, and what does not."""
import datetime
import time
from pathlib import Path

import pytest

from tests.device.wire import eventually

COUNTED_S = 4
BUDAPEST = "CET-1CEST,M3.5.0,M10.5.0/3"
TIMES = """
import time
calls = []
def mark(name="it"):
    calls.append("{}@{}-{}:{}:{}".format(name, time.localtime()[2], *time.localtime()[3:6]))
    return "marked"
def told():
    return " ".join(calls)
"""


def utc(*fields):
    return datetime.datetime(*fields, tzinfo=datetime.UTC).timestamp()


@pytest.fixture
def node(make_board):
    """Function that starts a node whose clock can be turned: (UTC fields, settings) -> board."""
    def start(now, **config):
        board = make_board(turn=True, clock="unset", files={"modules/LM_times.py": TIMES}, config={
            "ntphost": "pool.ntp.org", "poshost": "n/a", "tz": BUDAPEST,
            "watchdog": False, **config})         # a jump of the clock is a loop that stands still
        nobody_asks(board)
        set_clock(board, *now)
        board.shell("conf", "cron true")
        nobody_asks(board)
        return board
    return start


def set_clock(board, *now):
    board.ntp.set(utc(*now))
    assert board.shell("system ntp").startswith("(True")
    nobody_asks(board)


def nobody_asks(board):
    """Wait until no answer of the time server is on its way: a turn of the clock would make it a wrong one."""
    eventually(lambda: board.shell("task list"), lambda text: "ntp" not in text)


def pass_by(board, *moment):
    """Let the time pass to five seconds behind a moment; in the ten seconds around it each thing has its own time."""
    board.clock.advance(utc(*moment) - 5 - board.ntp.time())
    board.clock.run(10)


def told(board):
    return board.shell("times told").split()


def test_a_slot_is_due_once_and_in_its_second(node):
    board = node((2026, 8, 19, 5, 59, 50),
                 crontasks="*:8:0:0!times mark a; 2:8:0:*/2!times mark b; 3:8:0:0!times mark c")
    board.clock.run(20)
    assert told(board)[:6] == ["a@19-8:0:0"] + [f"b@19-8:0:{second}" for second in (0, 2, 4, 6, 8)]


def test_a_second_rule_runs_each_second(node):
    board = node((2026, 8, 19, 5, 0, 0), crontasks="*:*:*:*!times mark")
    board.clock.run(30)
    seconds = [int(call.rpartition(":")[2]) for call in told(board)]
    assert len(seconds) >= 29
    assert seconds == [(seconds[0] + at) % 60 for at in range(len(seconds))]


def test_over_midnight_month_and_leap_day(node):
    board = node((2028, 2, 28, 22, 30, 0), crontasks="*:0:0:0!times mark")
    pass_by(board, 2028, 2, 28, 23, 0, 0)
    pass_by(board, 2028, 2, 29, 23, 0, 0)
    assert told(board) == ["it@29-0:0:0", "it@1-0:0:0"]


def test_summer_begins_the_clock_is_put_forward_and_no_slot_is_lost(node):
    board = node((2026, 3, 29, 0, 30, 0), crontasks="*:2:30:0!times mark a; *:3:0:0!times mark b")
    pass_by(board, 2026, 3, 29, 1, 0, 0)
    assert told(board) == ["a@29-3:0:0", "b@29-3:0:0"]
    assert board.shell("system clock").startswith("2026.3.29  3:0:")


def test_summer_ends_the_clock_is_put_back_and_no_slot_comes_twice(node):
    board = node((2026, 10, 25, 0, 0, 0), crontasks="*:2:30:0!times mark a; *:*:30:0!times mark b")
    pass_by(board, 2026, 10, 25, 0, 30, 0)
    pass_by(board, 2026, 10, 25, 1, 0, 0)
    assert board.shell("system clock").startswith("2026.10.25  2:0:")
    pass_by(board, 2026, 10, 25, 1, 30, 0)
    assert told(board) == ["a@25-2:30:0", "b@25-2:30:0", "b@25-2:30:0"]


def test_a_clock_put_right_loses_and_doubles_no_slot(node):
    board = node((2026, 8, 19, 5, 59, 40), crontasks="*:8:0:0!times mark a; *:8:1:0!times mark b")
    set_clock(board, 2026, 8, 19, 6, 0, 20)
    eventually(lambda: told(board), lambda calls: calls == ["a@19-8:0:20"])
    set_clock(board, 2026, 8, 19, 5, 59, 50)
    board.clock.run(30)
    assert told(board) == ["a@19-8:0:20"]
    board.clock.run(60)
    assert told(board) == ["a@19-8:0:20", "b@19-8:1:0"]


def test_a_new_time_brings_its_own_slots_and_none_of_those_between(node):
    board = node((2026, 8, 19, 5, 0, 0), crontasks="*:8:0:0!times mark")
    set_clock(board, 2026, 8, 19, 7, 0, 0)
    set_clock(board, 2026, 8, 19, 5, 59, 55)
    board.clock.run(10)
    assert told(board) == ["it@19-8:0:0"]


@pytest.mark.parametrize("when, made_up", [("*:8:0:0", False), ("*:8:0:0 late", True)])
def test_power_off_over_a_slot(node, when, made_up):
    board = node((2026, 8, 18, 6, 0, 0), crontasks=f"{when}!genIO set_out 4")
    pass_by(board, 2026, 8, 19, 6, 0, 0)
    assert board.pins[4] == 1
    for hour in (9, 10):                    # the second time nothing has been missed
        board.power_cycle()
        board.ntp.set(utc(2026, 8, 20, hour, 0, 0))
        board.wait_ready()
        nobody_asks(board)
        assert board.shell("system clock").startswith(f"2026.8.20  {hour + 2}:0")
        board.clock.run(5)
        assert board.pins[4] == (made_up and hour == 9)


def test_the_lamp_goes_on_at_sunset_of_a_place(node):
    # London, 2026-06-21: sunset 21:21 BST (published tables: 20:21 UTC)
    board = node((2026, 6, 21, 20, 0, 0), tz="GMT0BST,M3.5.0/1,M10.5.0", position="51.51,-0.13",
                 crontasks="sunset!rgb color 1000 0 0 smooth=False; sunset+30<21:40!rgb color 0 0 1000 smooth=False")
    board.clock.advance(20 * 60)
    board.clock.run(5)
    assert board.pwm["redgb"].duty == 0
    board.clock.run(120)
    assert board.pwm["redgb"].duty > 900
    pass_by(board, 2026, 6, 21, 20, 40, 0)
    assert board.pwm["redgb"].duty == 0 and board.pwm["rgbue"].duty > 900


def test_without_sunset_it_says_so(node):
    board = node((2026, 6, 21, 12, 0, 0), position="70,25", crontasks="sunset!times mark")
    assert board.shell("system sun") == "the sun does not set"
    assert board.shell("cron list").endswith("never                sunset!times mark   (the sun does not set)")


def test_without_a_place_it_says_what_to_do(node):
    board = node((2026, 6, 21, 12, 0, 0), crontasks="sunset!times mark")
    assert "set the key position" in board.shell("cron list")


def test_a_wrong_item_is_an_alarm_and_the_others_run(node):
    board = node((2026, 8, 19, 5, 59, 50),
                 crontasks="*:25:0:0!times mark bad; x; *:8:0:0!times mark good; *:8:0:0!nosuch f;")
    board.clock.run(15)
    assert told(board) == ["good@19-8:0:0"]
    alarms = board.shell("system alarms")
    assert "[ERR] cron *:25:0:0!times mark bad: hour is 0-23, got 25" in alarms
    assert "[ERR] cron x: an item is when!command, got x" in alarms
    assert "no module LM_nosuch" in alarms
    assert alarms.endswith("NOK alarm: 3")


def test_several_commands_of_an_item_and_a_task_that_tells_its_last_answer(node):
    board = node((2026, 8, 19, 5, 59, 50), crontasks="*:8:0:0!times mark a; times mark b;;*:9:0:0!times mark c")
    board.clock.run(15)
    assert told(board) == ["a@19-8:0:0", "b@19-8:0:0"]
    assert board.shell("task show cron.1") == "marked"


def test_rules_change_without_a_reboot(node):
    board = node((2026, 8, 19, 5, 59, 50))
    assert board.shell("cron add *:8:0:0!times mark new") == "Saved"
    board.clock.run(15)
    assert told(board) == ["new@19-8:0:0"]
    assert board.shell("cron del 1", "conf", "crontasks *:8:0:20!times mark newer", "noconf") == "Saved\n\nSaved\n"
    board.clock.run(20)
    assert told(board) == ["new@19-8:0:0", "newer@19-8:0:20"]
    board.shell("conf", "cron false", "crontasks *:8:0:45!times mark never")
    board.clock.run(20)
    assert told(board) == ["new@19-8:0:0", "newer@19-8:0:20"]


def test_a_job_that_still_runs_is_not_started_again(node, make_board):
    slow = "import asyncio\nasync def wait():\n    await asyncio.sleep(15)\n    return 'done'\n"
    board = make_board(turn=True, files={"modules/LM_slow.py": slow}, config={
        "ntphost": "pool.ntp.org", "poshost": "n/a", "cron": True, "crontasks": "*:*:*:*/10!slow wait"})
    board.clock.run(25)
    assert "slow wait: still runs, this turn is left out" in board.shell("system alarms")


@pytest.mark.slow
def test_an_idle_node_with_cron_sleeps(make_board):
    # no beacon: other tests ask all nodes of this machine at the same time
    board = make_board(config={"cron": True, "tz": BUDAPEST, "beacon": False, "mdns": False,
                               "crontasks": "*:0:0:0!system clock; *:*:0:0!system info"})
    time.sleep(0.5)                      # boot is over
    before = switches(board)
    time.sleep(COUNTED_S)                # nothing to wait for: what is counted is that nothing happens
    assert (switches(board) - before) / COUNTED_S < 5


def switches(board):
    """How often the VM has gone to sleep so far."""
    status = Path(f"/proc/{board.info()['pid']}/status").read_text()
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])
