"""Load modules: every one of ours keeps its promises, and a bad one of anybody's does no harm."""
import ast
import re
from pathlib import Path

import pytest

from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

SOURCE = Path(__file__).parents[2] / "micrOS" / "source"
NAMES = sorted(path.stem.removeprefix("LM_") for path in (SOURCE / "modules").glob("LM_*.py"))
MAPS = sorted(path.stem.removeprefix("LP_") for path in (SOURCE / "boards").glob("LP_*.py"))


@pytest.fixture(scope="module", params=MAPS)
def mapped_board(request):
    with VirtualBoard(board=request.param, heap="2M", config={"socmax": 8}) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_help_names_real_functions(mapped_board, name):
    rows = ast.literal_eval(mapped_board.shell(f"{name} help >json"))
    functions = functions_of(mapped_board, name)
    assert rows and {row.split()[0] for row in rows} <= functions


@pytest.mark.parametrize("name", NAMES)
def test_pins_resolve(mapped_board, name):
    if "pinmap" in functions_of(mapped_board, name) and name != "system":
        for row in mapped_board.shell(f"{name} pinmap").split("\n"):
            assert re.fullmatch(r" \w+: (\d+|None)", row)


def functions_of(board, name):
    """What `help lm` lists under a module."""
    listed, found = board.shell("help lm").split("\n"), set()
    at = listed.index(f"   {name}") + 1
    while at < len(listed) and listed[at].startswith(" " * (3 + len(name))):
        found.add(listed[at].strip())
        at += 1
    return found


def test_help_lists_loaded_modules_and_help_lm_all(make_board):
    board = make_board()
    assert "\n   rgb\n" not in board.shell("help")
    assert "\n   rgb\n      brightness\n      color\n" in board.shell("help lm")
    board.shell("rgb status")
    assert "\n   rgb\n      brightness\n" in board.shell("help")


@pytest.mark.slow
def test_the_same_modules_run_as_bytecode(make_board):
    board = make_board(mpy=True)
    assert {path.suffix for path in (board.dir / "modules").iterdir()} == {".mpy"}
    assert "\n   rgb\n      brightness\n      color\n" in board.shell("help lm")
    assert board.shell("rgb color 1 2 3 smooth=False >json") and board.pwm["redgb"].duty == 1


def test_rgb_lights_its_pins(make_board):
    board = make_board()
    board.shell("rgb color r=10 g=60 b=100 smooth=False")
    assert [board.pwm[pin].duty for pin in ("redgb", "rgreenb", "rgbue")] == [10, 60, 100]
    assert board.pwm["redgb"].freq_hz == 20480
    assert sorted(board.shell("rgb status").split("\n")) == [" B: 100", " G: 60", " R: 10", " S: 1"]
    board.shell("rgb toggle smooth=False")
    assert [board.pwm[pin].duty for pin in ("redgb", "rgreenb", "rgbue")] == [0, 0, 0]
    assert board.shell("rgb brightness") == "0 %"
    board.shell("rgb brightness 50 smooth=False")
    assert [board.pwm[pin].duty for pin in ("redgb", "rgreenb", "rgbue")] == [50, 300, 500]
    assert board.shell("rgb brightness") == "50.0 %"
    assert board.shell("rgb brightness 150") == "Percent is out of range: 0-100"


def test_rgb_fades_in_the_background(make_board):
    board = make_board()
    board.shell("rgb color 0 0 0 smooth=False")
    with board.watch() as changes:
        assert board.shell("rgb transition b=1000 sec=0.2 wake=True") == "Starting transition"
        assert board.shell("rgb transition b=0") == "Transition already running"
        seen = [changes.until(change="pwm", name="rgbue")["duty"] for _ in range(5)]
    assert seen == sorted(seen) and 0 < seen[-1] < 1000
    eventually(lambda: board.pwm["rgbue"].duty, lambda duty: duty == 1000)


def test_rgb_remembers_over_a_power_cut_as_1207_wrote_it(make_board):
    board = make_board(files={"rgb.pds": "197.0,35.0,10.0,1"})
    assert board.shell("rgb load_n_init") == "CACHE: True"
    assert [board.pwm[pin].duty for pin in ("redgb", "rgreenb", "rgbue")] == [197, 35, 10]
    board.shell("rgb color 1 2 3")
    assert (board.dir / "rgb.pds").read_text() == "1,2,3,1"
    board.power_cycle()
    board.wait_ready()
    assert "R: 1\n" in board.shell("rgb status") + "\n"


def test_rgb_refuses_what_a_channel_cannot_be(board):
    assert board.shell("rgb color r=1001") == "exec_lm_core LM_rgb->color: a channel is 0-1000, got 1001"
    assert board.shell("rgb color r=red") == "exec_lm_core LM_rgb->color: a channel is 0-1000, got red"


def test_genio_drives_and_reads_any_pin(make_board):
    board = make_board()
    assert sorted(board.shell("genIO set_out 4 True").split("\n")) == [" pin: 4", " state: True"]
    assert board.pins[4] == 1
    board.shell("genIO set_out 4")
    assert board.pins[4] == 0
    board.pins["irq2"] = 0
    assert " state: 0" in board.shell("genIO get_in irq2")
    board.pins["irq2"] = 1
    assert " state: 1" in board.shell("genIO get_in irq2")
    board.adc[34] = 32768
    assert board.shell("genIO get_adc 34 percent") == "50.0"
    board.shell("genIO set_pwm 5 duty=300 freq=1000")
    assert tuple(board.pwm[5]) == (1000, 300)
    assert " duty: 7" in board.shell("genIO set_random_pwm 5 7 7")


def test_a_pin_has_one_owner(board):
    board.shell("rgb status")
    answer = board.shell("genIO set_out 14")
    assert answer == "exec_lm_core LM_genIO->set_out: [io] Pin 14 is busy: redgb:14"


def test_a_custom_pin_map_overrides(make_board):
    board = make_board(config={"cstmpmap": "redgb:32; mylamp:33"})
    assert " redgb: 32" in board.shell("rgb pinmap")
    board.shell("genIO set_out mylamp True")
    assert board.pins[33] == 1


def test_the_clock_can_be_set(make_board):
    board = make_board()
    assert board.shell("system setclock 2023 7 22 10 11 12") == "(2023, 7, 22, 10, 11, 12, 5, 203)"
    assert re.match(r"2023\.7\.22  10:11:1\d\nWD: 5 YD: 203$", board.shell("system clock"))
    assert board.shell("system info").rstrip("\n").split("\n")[-1].startswith("uptime: 0 0:0:")


CLOSED = (
    ("system uptime", "no function uptime; system help lists them"),          # imported
    ("system _percent 1 2", "no function _percent; system help lists them"),
    ("system gc.collect", "no function gc.collect; system help lists them"),
    ("system __import__('os')", "no function __import__('os'); system help lists them"),
    ("system gc", "no function gc; system help lists them"),
    ("rgb Lamp", "no function Lamp; rgb help lists them"),
    ("rgb once", "no function once; rgb help lists them"),
    ("rgb fade", "no function fade; rgb help lists them"),
    ("../main hello", "no module LM_../main; help lm lists them"),
    ("os.path join", "no module LM_os.path; help lm lists them"),
)


@pytest.mark.parametrize(("line", "error"), CLOSED)
def test_only_what_a_module_defines_can_be_called(board, line, error):
    assert board.shell(line).endswith(": " + error)


BAD = (
    ("raises", "def f():\n    raise ValueError('no sensor on pin 5')\n", "no sensor on pin 5"),
    ("silent", "def f():\n    raise KeyError\n", "KeyError"),
    ("syntax", "def f(:\n", "invalid syntax"),
    ("imports", "import nosuch\ndef f():\n    pass\n", "no module named 'nosuch'"),
    ("top", "1 / 0\ndef f():\n    pass\n", "divide by zero"),
    ("quits", "import sys\ndef f():\n    sys.exit()\n", "SystemExit"),
    ("deep", "def f():\n    return f()\n", "maximum recursion depth exceeded"),
    ("greedy", "def f():\n    return bytearray(10000000)\n",
     "memory allocation failed, allocating 10000000 bytes; the module is unloaded"),
    ("exits", "import sys\ndef f():\n    return sys.nosuch\n", "module 'sys' has no attribute 'nosuch'"),
)


@pytest.mark.parametrize(("name", "code", "error"), BAD)
def test_a_bad_module_gets_one_line_and_the_node_serves_on(board, name, code, error):
    (board.dir / "modules" / f"LM_{name}.py").write_text(code)
    for _ in range(2):
        answer = board.shell(f"{name} f")
        assert answer.startswith(f"exec_lm_core LM_{name}->f: ") and error in answer and "\n" not in answer
    assert board.shell("hello").startswith("hello:")


def test_closures_of_a_decorator_are_the_modules_own(board):
    code = ("def twice(f):\n    def both(*args):\n        return f(*args) * 2\n    return both\n\n"
            "@twice\ndef word(text):\n    return text\n")
    (board.dir / "modules" / "LM_deco.py").write_text(code)
    (board.dir / "modules" / "LM_user.py").write_text("from LM_deco import word\ndef f():\n    return word('a')\n")
    assert board.shell("deco word ab", "user f", "user word x").split("\n") == [
        "abab", "aa", "exec_lm_core LM_user->word: no function word; user help lists them"]


def test_typing_wrong_names_does_not_eat_the_heap(board):
    probe = "import gc\ndef heap():\n    gc.collect()\n    return gc.mem_alloc()\n"
    (board.dir / "modules" / "LM_probe.py").write_text(probe)
    with board.session() as session:
        session.send("probe heap")
        session.send("system nofunc")
        before = int(session.send("probe heap"))
        for number in range(300):
            session.send(f"system nosuch{number}")
            session.send(f"nosuch{number} f")
        assert int(session.send("probe heap")) - before < 1024
