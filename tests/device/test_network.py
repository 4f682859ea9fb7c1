"""The network comes and goes: what the node does, seen from outside; its clock is turned, its radio is a relay."""
import os

import pytest

from tests.device.wire import COUNTER, eventually

LOSSES = int(os.environ.get("NETWORK_LOSSES", "5"))          # `make soak`: 30, an hour of the board's time


@pytest.fixture
def node(make_board):
    def start(**config):
        return make_board(turn=True, radio=True, files={"modules/LM_counter.py": COUNTER}, config=config)
    return start


def lose(board, seconds):
    board.network(False)
    board.clock.run(seconds)
    board.network(True)


def is_back(board):
    return eventually(board.console, lambda said: said.rstrip().rpartition("[NW] ")[2].startswith("back:"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_minute_without_network_every_two_minutes(node):
    board = node()
    board.shell("counter hit &&1000")
    for _ in range(LOSSES):
        session = board.session()
        lose(board, 60)
        board.clock.run(60)
        assert session.send("hello") in ("", "Bye!")        # its session has ended
        session.close()
        assert board.shell("system heartbeat") == "<3 heartbeat <3"
    assert board.console().count("[NW] back:") == LOSSES
    assert int(board.shell("counter made")) > 110 * LOSSES   # tasks went on
    assert board.shell("system alarms").endswith("OK alarm: 0")
    assert board.info()["starts"] == 1


def test_a_short_loss_leaves_sessions_alone(node):
    board = node()
    with board.session() as session:
        lose(board, 8)
        board.clock.run(10)
        is_back(board)
        assert session.send("system heartbeat") == "<3 heartbeat <3"


def test_ha_sta_tells_whether_the_network_is_there(make_board):
    board = make_board()
    assert board.shell("system ha_sta") == "STA mode, OK"
    board.network(False)
    assert board.shell("system ha_sta") == "STA mode, NOK"


def test_a_radio_that_is_stuck_is_restarted_and_then_the_board(node):
    board = node()
    lose(board, 1100)
    assert board.info()["starts"] == 2
    board.wait_ready()
    told = board.shell("system alarms")
    assert "[ERR] no network for 15 minutes: restarting" in told and "safe mode" not in told


def test_a_node_on_its_own_network_goes_back_when_the_known_one_is_there(node, make_board):
    board = make_board(turn=True, config={"staessid": "vnet"}, shell=False)
    board.network(False)
    board.power_cycle()
    board.clock.run(10)
    eventually(board.console, lambda said: "[NW] AP" in said.rpartition("rst:")[2])
    board.network(True)
    board.clock.run(60)
    is_back(board)
    assert board.shell("system ifconfig").startswith("('STA'")


def test_a_node_whose_network_came_later_than_its_boot_asks_for_the_time(make_board):
    """After a power cut the router is slower than the node."""
    board = make_board(turn=True, clock="unset", config={"ntphost": "pool.ntp.org"})
    board.network(False)
    board.power_cycle()
    board.clock.run(10)
    eventually(board.console, lambda said: "[NW] AP" in said.rpartition("rst:")[2])
    asked = board.ntp.asked()
    board.network(True)
    board.clock.run(60)
    is_back(board)
    eventually(board.ntp.asked, lambda now: now > asked)
    eventually(lambda: board.shell("system clock"), lambda clock: not clock.startswith("2000"))


REFUSALS = {                         # boot.py: what a real radio has been seen to raise
    "scan": "def refuse(*_):\n raise OSError('Wifi Internal Error')\nnetwork.WLAN.scan = refuse\n",
    "all": "def refuse(*_, **__):\n raise RuntimeError('Wifi Unknown Error 0x0101')\n"
           "network.WLAN.active = network.WLAN.config = refuse\n",
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_radio_that_refuses_does_not_cost_the_shell(make_board, kind):
    board = make_board(files={"boot.py": "import network\n" + REFUSALS[kind]})
    assert board.shell("system heartbeat") == "<3 heartbeat <3"
    assert "[ERR] network STA: Wifi " in board.shell("system alarms") and "Traceback" not in board.console()


def test_a_radio_that_refuses_is_tried_again_and_at_last_restarted(make_board):
    refusing = "import network\ndef refuse(*_):\n raise OSError('Wifi Internal Error')\nnetwork.WLAN.connect = refuse\n"
    board = make_board(turn=True, files={"boot.py": refusing + REFUSALS["all"]})
    board.clock.run(1100)
    board.wait_ready()
    assert board.info()["starts"] == 2
    assert "[ERR] no network for 15 minutes: restarting" in board.shell("system alarms")


def test_nwmd_ap_looks_for_no_other_network(node):
    board = node(nwmd="AP")
    board.clock.run(60)
    assert "[NW] lost" not in board.console()
