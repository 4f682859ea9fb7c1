"""What a line does beyond its answer, as the host sees it: pins, clock, network, files, sockets, starts of the VM."""
import datetime
import itertools
import socket

import pytest

from tests.device.test_config import configure, saved
from tests.device.wire import TIMEOUT_S, Wire, eventually, is_closed

CARD = """
import network
def state():
    station, point = network.WLAN(network.STA_IF), network.WLAN(network.AP_IF)
    return [network.hostname(), station.active(), station.config("ssid"), point.active(), point.config("ssid")]
def key():
    return network.WLAN(network.AP_IF).config("key")
def asked():
    return network.asked
"""
ASKED = """
import network
network.asked = []
for name in ("connect", "ifconfig"):
    def spy(self, *args, name=name, do=getattr(network.WLAN, name)):
        if args:
            network.asked.append((name,) + args)
        return do(self, *args)
    setattr(network.WLAN, name, spy)
"""
TICKS = """
import time
seen = []
def tick():
    seen.append(time.ticks_ms())
    return len(seen)
def shortest():
    return min([time.ticks_diff(b, a) for a, b in zip(seen, seen[1:])])
"""


def with_card(make_board, **options):
    return make_board(files={"modules/LM_card.py": CARD, "boot.py": ASKED}, **options)


def reboot(board):
    """Reset as the pin EN does, and wait for the shell."""
    board.reset()
    board.wait_ready()


def inodes(board):
    """Which files the settings are: a save replaces them."""
    return [(board.dir / name).stat().st_ino for name in ("node_config.json", "node_config.bak")
            if (board.dir / name).exists()]


# the shell

def test_exit_closes_the_socket(board):
    with Wire(board) as client:
        assert client.send("exit\n").until("Bye!\n\n") == "Bye!\n\n"
        assert is_closed(client.socket)


def test_a_refused_password_closes_the_socket(make_board):
    with Wire(make_board(config={"auth": True}), "[password] node01 $ ") as client:
        assert client.send("wrong\n").until("<<EOF>>") == "AuthFailed\nBye!\n<<EOF>>"


def test_a_session_of_questions_writes_nothing(make_board):
    board = make_board()
    before = inodes(board), sorted(path.name for path in board.dir.iterdir())
    board.shell("hello", "version", "help lm", "modules", "webrepl", "task list", "conf", "dump", "socport", "noconf")
    assert (inodes(board), sorted(path.name for path in board.dir.iterdir())) == before


def test_help_lm_loads_no_module(make_board):
    assert make_board().shell("help lm", "modules").endswith("\n[]")


def test_configure_mode_calls_no_module(make_board):
    board = make_board()
    assert configure(board, "genIO set_out 4 True") == ["Invalid key"] and board.pins[4] == 0
    board.shell("genIO set_out 4 True")
    assert board.pins[4] == 1


def test_a_failing_call_moves_nothing(make_board):
    board = make_board()
    board.shell("rgb color 5 6 7 smooth=False", "rgb color 9 9 1001 smooth=False", "genIO set_pwm redgb 5000")
    assert [board.pwm[pin].duty for pin in ("redgb", "rgreenb", "rgbue")] == [5, 6, 7]
    assert (board.dir / "rgb.pds").read_text() == "5,6,7,1"


def test_reboot_ends_tasks_and_configure_mode(make_board):
    board = make_board()
    board.shell("genIO set_out 4 &&60000", "conf", "reboot")
    eventually(lambda: board.info()["starts"], lambda starts: starts == 2)
    board.wait_ready()
    assert "genIO" not in board.shell("task list")


# the settings: at once

def test_dbg_off_silences_console_and_led_at_once(make_board):
    board = make_board()
    configure(board, "dbg false")
    said, level = board.console(), board.pins["builtin"]
    with board.watch() as changes:
        board.shell("demo calculator 1 0 op=/", "genIO set_out 4 True")
        first = next(change for change in changes if change["change"] in ("pin", "console"))
        assert (first["change"], first.get("pin")) == ("pin", 4)
    assert (board.console(), board.pins["builtin"]) == (said, level)
    configure(board, "dbg true")
    board.shell("rgb help")
    eventually(lambda: board.console()[len(said):], lambda text: "[lm] rgb loaded" in text)


def test_boostmd_changes_the_cpu_clock_at_once_and_at_boot(make_board):
    board = make_board(config={"boostmd": False})
    assert board.shell("system info").startswith("CPU clock: 160 ")
    assert board.shell("conf", "boostmd true", "noconf", "system info").count("CPU clock: 240 ") == 1
    configure(board, "boostmd false")
    assert board.shell("system info").startswith("CPU clock: 160 ")


def test_devfid_counts_for_hello_at_once_and_for_the_prompt_of_the_next_session(make_board):
    board = make_board()
    with Wire(board) as old:
        configure(board, "devfid lamp")
        assert old.send("hello\n").until("node01 $ ").startswith("hello:lamp:")
        with Wire(board, "lamp $ ") as new:
            assert new.greeting == "lamp $ "


def test_socmax_counts_for_the_next_client(make_board):
    board = make_board()
    with Wire(board) as first, Wire(board), Wire(board, "Bye!\n\n"):
        assert first.send("conf\nsocmax 3\n").until(" $ ", 2).startswith("[configure] node01 $ Saved")
        with Wire(board) as third, Wire(board, "Bye!\n\n"):
            third.send("conf\nsocmax 1\n").until(" $ ", 2)
        with Wire(board, "Bye!\n\n") as refused:
            assert is_closed(refused.socket)
        assert first.send("socmax\n").until(" $ ").startswith("1\n")


def test_cstmpmap_moves_a_name_to_another_pin_at_once(make_board):
    board = make_board()
    configure(board, "cstmpmap redgb:32; mylamp:33")
    board.shell("rgb color 5 6 7 smooth=False", "genIO set_out mylamp True")
    assert board.pwm[32].duty == 5 and board.pwm[14].duty == 0 and board.pins[33] == 1
    configure(board, "cstmpmap n/a")
    assert board.shell("rgb pinmap").count("redgb: 14") == 1


def test_a_cstmpmap_that_cannot_be_read_is_refused(make_board):
    board = make_board()
    assert configure(board, "cstmpmap redgb:x")[0].startswith("Failed to save: cstmpmap takes ")
    assert saved(board)["cstmpmap"] == "n/a"


def test_a_session_keeps_its_rights_when_auth_goes_on_and_off(make_board):
    board = make_board()
    with board.session() as session:
        assert session.send("conf") == "" and session.send("auth true") == "Saved" and session.send("noconf") == ""
        assert session.send("system heartbeat") == "<3 heartbeat <3"
        with Wire(board, "[password] node01 $ "):
            session.send("conf")
            assert session.send("auth false") == "Saved"
    assert board.shell("system heartbeat") == "<3 heartbeat <3"


def test_an_equal_or_refused_value_writes_nothing(make_board):
    board = make_board()
    configure(board, "soctout 55")
    before = inodes(board)
    assert configure(board, "soctout 55", "soctout 4", "nosuch 1") == [
        "Saved", "Failed to save: soctout takes 5 to 86400, got 4", "Invalid key"]
    assert inodes(board) == before
    configure(board, "soctout 56")
    assert inodes(board) != before


def test_dots_are_refused_for_an_offloaded_key_too(make_board):
    board = make_board()
    assert configure(board, "guimeta ...") == ["Failed to save: guimeta takes text, got ..."]
    assert not (board.dir / ".guimeta.key").exists()


# the settings: at the next boot

def test_version_and_hwuid_are_written_at_boot_and_only_when_they_differ(make_board):
    board = make_board(config={"version": "1.20.4-0", "hwuid": "n/a"})
    assert saved(board)["version"] == board.shell("version")
    assert saved(board)["hwuid"] == board.shell("hello").split(":")[2]
    before = inodes(board)
    reboot(board)
    assert inodes(board) == before


def test_devfid_is_the_name_on_the_network_after_the_next_boot(make_board):
    board = with_card(make_board)
    configure(board, "devfid lamp")
    assert "node01" in board.shell("card state")
    reboot(board)
    assert board.shell("card state") == "['lamp', True, 'your_wifi_name', False, '']"


def test_nwmd_ap_opens_an_access_point_after_the_next_boot(make_board):
    board = with_card(make_board)
    configure(board, "nwmd AP", "appwd Secret-77")
    assert board.shell("system ifconfig").startswith("('STA', ")
    reboot(board)
    assert board.shell("system ifconfig").startswith("('AP', ")
    assert board.shell("card state").endswith(", False, '', True, 'node01']")
    assert board.shell("card key") == "Secret-77"


def test_a_network_out_of_reach_gives_way_to_an_access_point(make_board):
    board = with_card(make_board, config={"staessid": "nosuch", "devfid": "lamp"})
    assert board.shell("system ifconfig").startswith("('AP', ")
    assert board.shell("card state").endswith("False, '', True, 'lamp']")


def test_of_several_networks_the_first_in_reach_is_joined_with_its_own_password(make_board):
    board = with_card(make_board, config={"staessid": "nosuch; vnet; your_wifi_name", "stapwd": "one; two; three"})
    assert board.shell("card asked") == "[('connect', 'vnet', 'two')]"
    assert board.shell("card state") == "['node01', True, 'vnet', False, '']"


def test_a_network_without_a_password_of_its_own_gets_the_last_one(make_board):
    board = with_card(make_board, config={"staessid": "nosuch;gone;vnet", "stapwd": "one;two"})
    assert board.shell("card asked") == "[('connect', 'vnet', 'two')]"


def test_devip_remembers_the_first_address(make_board):
    board = make_board()
    assert configure(board, "devip") == [board.address]


def test_devip_is_asked_for_at_boot(make_board):
    board = with_card(make_board, config={"devip": "127.0.1.200"})
    assert "('ifconfig', ('127.0.1.200'," in board.shell("card asked")


def test_socport_moves_the_shell_at_the_next_boot(make_board):
    board = make_board()
    configure(board, "socport 9010")
    assert board.shell("hello").startswith("hello:")

    def greeting():
        try:
            with socket.create_connection((board.address, 9010), TIMEOUT_S) as link:
                return link.recv(100)
        except OSError:
            return b""
    board.reset()
    assert eventually(greeting, lambda said: said) == b"node01 $ "
    with pytest.raises(ConnectionRefusedError):
        board.connect()


def test_the_boothook_acts_at_the_next_boot_and_may_start_loops(make_board):
    board = make_board()
    configure(board, "boothook genIO set_out 4 &&20; genIO set_out 5 True")
    assert board.pins[5] == 0
    reboot(board)
    assert board.pins[5] == 1
    assert "Yes       genIO.set_out" in board.shell("task list")
    with board.watch() as changes:
        assert changes.until(change="pin", pin=4, value=1) and changes.until(change="pin", pin=4, value=0)


def test_any_key_may_live_in_a_file_of_its_own(make_board):
    board = make_board(config={"boothook": "...", "telegram": "..."},
                       files={".boothook.key": "genIO set_out 4 True", ".telegram.key": "1234:abcd"})
    assert board.pins[4] == 1
    assert configure(board, "telegram", "telegram 5:e") == ["********", "Saved"]
    assert (board.dir / ".telegram.key").read_text() == "5:e" and saved(board)["telegram"] == "..."


# tasks

def test_a_delay_is_waited_for_before_the_call(make_board):
    board = make_board()
    with board.watch() as changes, Wire(board) as client:
        client.send("genIO set_out 4 True &200\ngenIO set_pwm 5 300 &20\ngenIO get_in 18\n").until("node01 $ ", 3)
        done = ((change.get("pin"), change.get("value", change.get("duty"))) for change in changes)
        order = itertools.islice((pin for pin, value in done if (pin, value) in ((4, 1), (5, 300))), 2)
        assert list(order) == [5, 4]


def test_a_loop_takes_breath_of_20_ms_whatever_it_is_told(make_board):
    board = make_board(files={"modules/LM_ticks.py": TICKS})
    board.shell("ticks tick &&1")
    eventually(lambda: board.shell("task show ticks.tick"), lambda calls: calls.isdigit() and int(calls) > 5)
    assert int(board.shell("ticks shortest")) >= 20


def test_a_one_shot_that_is_killed_before_its_time_does_nothing(make_board):
    board = make_board()
    with board.watch() as changes, Wire(board) as client:
        client.send("genIO set_out 4 True &100\ntask kill genIO.set_out\ngenIO set_pwm 5 300 &120\n")
        assert "Kill: genIO.set_out|True" in client.until("node01 $ ", 3)
        changes.until(change="pwm", pin=5, duty=300)
    assert board.pins[4] == 0


def test_a_killed_fade_stops_where_it_is(make_board):
    board = make_board()
    with board.watch() as changes:
        board.shell("rgb transition b=1000 sec=60 wake=True")
        changes.until(change="pwm", name="rgbue")
    assert board.shell("task kill rgb._tran") == "Kill: rgb._tran|True"
    duty = board.pwm["rgbue"].duty
    board.shell("genIO set_pwm 5 1 &60")
    with board.watch() as changes:
        eventually(lambda: board.pwm[5].duty, lambda now: now == 1)
    assert board.pwm["rgbue"].duty == duty < 1000


# what the system module does to the node

def test_setclock_sets_the_chips_own_clock_which_a_reset_keeps(make_board):
    board = make_board()
    board.shell("system setclock 2023 7 22 10 11 12")
    noon = datetime.datetime(2023, 7, 22, 10, 11, 12, tzinfo=datetime.UTC).timestamp()
    assert 0 <= board.clock.rtc() - noon < 30
    reboot(board)
    assert 0 <= board.clock.rtc() - noon < 30
    assert board.shell("system clock").startswith("2023.7.22  10:11:")


def test_alarms_live_in_err_log_and_go_with_it(make_board):
    board = make_board()
    board.shell("system alarms test=True")
    assert (board.dir / "err.log").read_text().endswith(" [ERR] TeSt ErRoR\n")
    reboot(board)
    assert "NOK alarm: 1" in board.shell("system alarms")
    board.shell("system alarms clean=True")
    assert not (board.dir / "err.log").exists()


def test_cachedump_deletes_state_files_only(make_board):
    board = make_board(files={"rgb.pds": "1,2,3,1", "other.pds": "x"})
    board.shell("system cachedump cdel=rgb", "system cachedump cdel=node_config.json", "system cachedump cdel=main.py")
    assert not (board.dir / "rgb.pds").exists() and (board.dir / "other.pds").exists()
    assert (board.dir / "node_config.json").exists() and (board.dir / "main.py").exists()
