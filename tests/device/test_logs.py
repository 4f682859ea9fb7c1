"""What the node writes down of itself: bounded, whole at every moment, and kind to the flash."""
import re

import pytest

from tests.device.wire import eventually
from toolkit.simulator.address import is_listening

STAMPED = re.compile(r"\d{4}\.\d+\.\d+-\d+:\d+:\d+ (.+)")
LOGGING = """
import gc
from Common import socket_stream
def error(text, times=1):
    from Debug import errlog_add
    return [errlog_add(text) for _ in range(times)]
def errors(texts):
    from Debug import errlog_add
    return [errlog_add(text) for text in texts]
def count():
    from Debug import errlog_get
    return errlog_get()
@socket_stream
def show(msgobj=None):
    from Debug import errlog_get
    return errlog_get(msgobj)
@socket_stream
def clean(msgobj=None):
    from Debug import errlog_clean
    return errlog_clean(msgobj)
def log(text, name="my.dat", limit=12):
    from Debug import logger
    return logger(text, name, limit)
@socket_stream
def get(name="my.dat", msgobj=None):
    from Debug import log_get
    return log_get(name, msgobj)
def keep(data, limit=12):
    from Common import data_logger
    return data_logger("values", data, limit)
def shown():
    from Common import data_logger
    return data_logger("values")
def greedy(text):
    from Debug import errlog_add
    hog = []
    try:
        while True:
            hog.append(bytearray(32))
    except MemoryError:
        pass
    told = errlog_add(text)
    hog = None
    return told
def used():
    gc.collect()
    return gc.mem_alloc()
def modules():
    import sys
    return [name for name in ("Logs", "pure.log", "Progress", "PinMap", "Hooks") if name in sys.modules]
"""


@pytest.fixture
def board(make_board):
    return make_board(files={"modules/LM_t.py": LOGGING})


def texts(board, name="err.log"):
    """Texts of the lines, each of which is whole."""
    content = (board.dir / name).read_text()
    assert content.endswith("\n")
    return [STAMPED.fullmatch(line)[1] for line in content.split("\n")[:-1]]


def inode(board, name="err.log"):
    return (board.dir / name).stat().st_ino


def test_an_equal_error_is_counted_and_seldom_written(board):
    written = set()
    for _ in range(69):
        assert board.shell("t error '[ERR] no sensor'") == "[True]"
        written.add((inode(board), texts(board)[-1]))
        assert len(texts(board)) == 1
    assert {text for _, text in written} == {"[ERR] no sensor"} | {
        f"[ERR] no sensor ({times} times)" for times in (4, 16, 64)}
    assert len(written) == 4
    assert board.shell("system alarms").endswith(" NOK alarm: 1")


def test_errors_that_alternate_are_counted_too(board):
    board.shell("t errors [" + ",".join(['"a","b"'] * 20) + "]")
    assert texts(board) == ["a (16 times)", "b (16 times)"]


def test_the_count_goes_on_after_a_reboot(board):
    board.shell("t error x 4", "t error y")
    board.reset()
    board.wait_ready()
    board.shell("t error x")
    assert texts(board) == ["y", "x (5 times)"]


def test_an_error_after_the_log_was_cleaned_is_written_again(board):
    assert board.shell("t error x", "t clean", "t clean", "t error x").split("\n") == [
        "[True]", " Delete: err.log", "True", "False", "[True]"]
    assert texts(board) == ["x"]


def test_many_different_errors_take_a_bounded_place(board):
    board.shell("t errors [" + ",".join(f'"{number}"' for number in range(40)) + "]")
    before = int(board.shell("t used"))
    for start in range(100, 400, 50):
        board.shell("t errors [" + ",".join(f'"{number} {"x" * 20}"' for number in range(start, start + 50)) + "]")
    assert texts(board)[-1].startswith("399 ") and len(texts(board)) == 12
    assert int(board.shell("t used")) - before < 4096


def test_the_contract_of_1_20(board):
    board.shell("t errors ['[ERR]a','b','[ERR]c']")
    *lines, count = board.shell("t show").split("\n")
    assert [STAMPED.fullmatch(line)[1] for line in lines] == ["[ERR]a", "b", "[ERR]c"] and count == "2"
    assert board.shell("t count") == "2"


def test_a_log_that_1_20_left_torn_is_read(make_board):
    old = "2023.7.22-1:2:3 [ERR] old\n2023.7.22-1:2:4 other\nrbage tail"
    board = make_board(files={"modules/LM_t.py": LOGGING, "err.log": old})
    board.shell("t error new")
    assert texts(board) == ["[ERR] old", "other", "new"]


@pytest.mark.parametrize("line", ["t error '[ERR] x'", "t log x"])
def test_a_full_flash_is_survived(make_board, line):
    folders = {"err.log.new/x": "", "my.dat.new/x": ""}           # they stand where the new files should be
    board = make_board(files={"modules/LM_t.py": LOGGING, **folders})
    assert "False" in board.shell(line)
    assert board.shell("hello").startswith("hello:") and not (board.dir / "err.log").exists()


def test_an_error_is_no_second_one_when_the_memory_is_full(board):
    assert board.shell("t greedy '[ERR] first'") in ("True", "False")
    assert board.shell("t error '[ERR] second'") == "[True]" and "[ERR] second" in texts(board)


def test_a_log_of_a_modules_own_is_stamped_and_bounded(board):
    for number in range(15):
        assert board.shell(f"t log 'value {number}'") == "True"
    assert texts(board, "my.dat") == [f"value {number}" for number in range(3, 15)]
    for number in range(40):
        board.shell(f"t log {number} limit=99")
    assert texts(board, "my.dat") == [str(number) for number in range(10, 40)]              # 30 at most
    board.shell("t log 'two\\nlines' limit=0")
    assert texts(board, "my.dat") == ["two lines"]
    *lines, count = board.shell("t get").split("\n")
    assert lines[0].endswith(" two lines") and count == "0"


def test_data_logger_keeps_values_and_streams_them_to_who_asks(board):
    for number in range(3):
        assert board.shell(f"t keep {{'celsius':{number}}} limit=2") == "True"
    assert texts(board, "values.dat") == ["{'celsius': 1}", "{'celsius': 2}"]
    *lines, told = board.shell("t shown").split("\n")
    assert [STAMPED.fullmatch(line)[1] for line in lines] == ["{'celsius': 1}", "{'celsius': 2}"] and told == "True"


def test_what_writes_logs_leaves_memory(board):
    board.shell("t error x", "t count", "t log x")
    assert board.shell("t modules") == "[]"


def test_a_core_that_lost_its_log_and_its_led_still_has_its_way_back_in(make_board):
    broken = {"Logs.py": "log of 1999\n", "Progress.py": "def leds(\n"}
    board = make_board(files={"TaskManager.py": "raise ValueError('bad core')\n", **broken}, shell=False)
    said = eventually(board.console, lambda said: "[NW]" in said)
    assert "[ERR][micrOSloader] micrOS start failed: bad core" in said and "err.log: invalid syntax" in said
    assert eventually(lambda: is_listening(board.address, board.webrepl_port), bool)


def test_the_memory_is_told_at_boot(board):
    line = eventually(board.console, lambda said: "[memory]" in said)
    assert re.search(r"\[memory\] \d+ B used, \d+ B free", line)


def test_import_reset_at_the_repl_restarts_the_board(make_board):
    board = make_board(files={".if_mode": "off"}, shell=False)
    eventually(board.console, lambda said: ">>> " in said)
    board.type("import reset\r\n")
    eventually(lambda: board.info()["starts"], lambda starts: starts == 2)
    assert board.info()["cause"] == "hard"
