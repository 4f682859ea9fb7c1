"""What modules of 1.20 ask of the clock, the sun, the web and the interrupts of the settings."""
import json

from tests.compat.guests import MODULES
from tests.device.web import Web, answer
from tests.device.wire import eventually

GREENWICH = {"position": "51.48,0.0", "tz": "GMT0BST,M3.5.0/1,M10.5.0"}


def test_ntp_time_is_false_while_nobody_has_set_the_clock(node):
    assert node(clock="unset").shell("census synced") == "False"         # ntphost is n/a


def test_ntp_time_has_the_server_asked_and_does_not_wait(node):
    board = node(config={"ntphost": "pool.ntp.org", "utc": 0})
    eventually(lambda: board.shell("task list"), lambda told: "ntp" not in told)
    asked = board.ntp.asked()
    board.ntp.set(board.clock.rtc() + 4 * 365 * 86400)
    assert board.shell("census synced") == "True"
    eventually(board.ntp.asked, lambda now: now == asked + 1)
    eventually(lambda: board.clock.rtc() - board.ntp.time(), lambda ahead_s: abs(ahead_s) < 2)


def test_ntp_time_asks_once_at_a_time(node):
    board = node(clock="unset")
    board.ntp.mode("silent")
    board.shell("conf", "ntphost pool.ntp.org", "noconf", *["census synced"] * 5)
    assert board.shell("task list").count("ntp") == 1


def test_suntime_and_sun_time_are_todays_local_hours(node):
    board = node(config=GREENWICH)
    board.shell("system setclock 2026 6 21 12 0 0")
    told = board.shell("census sun")
    today = json.loads(board.shell("system sun >json"))
    assert told == f"(True, ['sunrise', 'sunset'], {tuple(today['sunrise'])}, {tuple(today['sunset'])})"
    assert (today["sunrise"][0], today["sunset"][0]) == (4, 21)          # summer time


def test_urequests_give_status_and_body(node):
    board = node()
    with Web(answer('{"name": "owl"}')) as web:
        url = f"http://127.0.0.1:{web.place[1]}/x"
        assert board.shell(f"scout get {url}") == """(200, '{"name": "owl"}')"""
        assert board.shell(f"scout get_json {url}") == "(200, 'owl')"
        assert board.shell(f"scout post {url}").startswith("(200, ")
        assert web.asked[-1].json() == {"a": 1}
    assert not web.errors


def test_a_command_of_an_interrupt_that_raises_is_named(node):
    board = node(config={"irq1": True, "irq1_cbf": "rogue trip", "irq1_trig": "up"},
                 files={"modules/LM_rogue.py": "def trip():\n    raise ValueError('tripped')\n"})
    board.pins["irq1"] = 1
    eventually(lambda: board.shell("system alarms"),
               lambda told: "[ERR] rogue trip: exec_lm_core LM_rogue->trip: tripped" in told)


def test_a_guest_at_the_root_stands_in_for_ours(make_board):
    board = make_board(files={"LM_rgb.py": (MODULES / "LM_lantern.py").read_bytes()})
    assert board.shell("rgb pinmap") == " dim_1: 33"
