"""From power to prompt: what the loader boots, what survives, and that no failure costs the way back in."""
import pytest

from tests.device.wire import eventually
from toolkit.errors import LinkError, RefusedError
from toolkit.link.webrepl import FileLink

PASSWORD = "ADmin123"


def console_until(board, text):
    """The board's console, once it says text."""
    return eventually(board.console, lambda said: text in said, timeout_s=30)


@pytest.mark.parametrize(("command", "cause"), [("reboot", 5), ("reboot -h", 2)])
def test_reboot_answers_closes_and_starts_anew(make_board, command, cause):
    code = "def why():\n    import machine\n    return machine.reset_cause()\n"
    board = make_board(files={"modules/LM_cause.py": code})
    starts = board.info()["starts"]
    with board.session() as session:
        assert session.send(command).endswith("Reboot micrOS system.\nBye!")
    with board.watch() as changes:
        if board.info()["starts"] == starts:
            changes.until(change="start")
    board.wait_ready()
    assert board.shell("cause why") == str(cause)
    assert board.shell("system info").rstrip("\n").split("\n")[-1].startswith("uptime: 0 0:0:")


def test_the_boothook_runs_before_the_shell(make_board):
    board = make_board(config={"boothook": "#remark; rgb color 5 6 7 smooth=False; nosuch f; genIO set_out 4 True"})
    assert board.pwm["rgbue"].duty == 7 and board.pins[4] == 1
    assert "[ERR] nosuch f: exec_lm_core LM_nosuch->f: no module" in board.shell("system alarms")


def test_an_unfinished_boothook_is_an_alarm(make_board):
    board = make_board(config={"boothook": "oled text 'open"})
    assert "[ERR] oled text 'open: a quote stays open" in board.shell("system alarms")


def test_off_boots_nothing(make_board):
    board = make_board(files={".if_mode": "off\n"}, shell=False)
    assert "[shell]" not in console_until(board, ">>> ")


def test_update_mode_serves_files_and_boots_micros_when_told(make_board):
    board = make_board()
    with board.session() as session:
        assert session.send("webrepl --update") == " Restart in update mode ...\n Bye!"
    console_until(board, "[NW]")
    link = open_files(board)
    assert (board.dir / ".if_mode").read_text() == "webrepl"
    link.put("LM_sent.py", b"def f():\n    return 'sent in update mode'\n")
    link.put(".if_mode", b"micros")
    link.close()
    console_until(board, "[shell] listens")
    board.wait_ready()
    assert board.shell("sent f") == "sent in update mode"
    assert not (board.dir / "cleanup.pds").exists()


def test_update_mode_goes_to_the_known_network_when_that_comes_later(make_board):
    board = make_board(turn=True, files={".if_mode": "webrepl"}, shell=False)
    board.network(False)
    board.power_cycle()
    board.clock.run(20)
    assert "[NW] AP" in board.console().rpartition("rst:")[2]
    board.network(True)
    board.clock.run(60)
    console_until(board, "[NW] back")


def open_files(board):
    """A file session, as soon as the port is open."""
    def attempt():
        try:
            return FileLink(board.address, PASSWORD)
        except (LinkError, RefusedError):
            return None
    return eventually(attempt, lambda link: link)


def test_a_core_that_cannot_start_leaves_the_file_service(make_board):
    board = make_board(files={"TaskManager.py": "raise ValueError('bad core')\n"}, shell=False)
    assert "ValueError: bad core" in console_until(board, "bad core")
    link = open_files(board)
    assert b"[ERR][micrOSloader] micrOS start failed: bad core" in link.get("err.log")
    link.close()


def test_a_taken_shell_port_is_named_and_leaves_the_file_service(make_board):
    board = make_board(config={"socport": 8266}, shell=False)
    link = open_files(board)
    assert b"micrOS start failed" in link.get("err.log")
    link.close()


def test_without_a_network_in_reach_the_node_opens_its_own(make_board):
    board = make_board()
    board.network(False)
    board.reset()
    board.wait_ready()
    assert board.shell("system ifconfig").startswith("('AP', ")


def test_webrepl_tells_the_place_and_never_the_password(make_board):
    board = make_board()
    answer = board.shell("webrepl")
    assert f"ws://{board.address}:8266/" in answer and PASSWORD not in answer


def test_the_led_shows_life(make_board):
    board = make_board()
    level = board.pins["builtin"]
    with board.watch() as changes:
        board.shell("demo hello")
        assert changes.until(change="pin", name="builtin")["value"] != level


def test_a_password_guards_the_shell(make_board):
    board = make_board(config={"auth": True})
    with board.session() as session:
        assert session.greeting == "" and session.send("hello").startswith("hello:")
        assert session.send("version").count(".") == 2
        assert session.send("ADmin123 ignored") == "AuthOk"
        assert session.send("system heartbeat") == "<3 heartbeat <3"
    with board.session() as session:
        assert session.send("system heartbeat") == "AuthFailed\nBye!"
