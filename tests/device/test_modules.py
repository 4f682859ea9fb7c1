"""Load modules: every one of ours keeps its promises, and a bad one of anybody's does no harm."""
import ast
import re
from pathlib import Path

import pytest

from tests.device.answers import CALLED, NO_WORDS, ONE_WORD, alarms, told
from tests.device.answers import functions_of as own_functions
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

SOURCE = Path(__file__).parents[2] / "micrOS" / "source"
NAMES = sorted(path.stem.removeprefix("LM_") for path in (SOURCE / "modules").glob("LM_*.py"))
MAPS = sorted(path.stem.removeprefix("LP_") for path in (SOURCE / "boards").glob("LP_*.py"))


@pytest.fixture(scope="module", params=MAPS)
def mapped_board(request):
    with VirtualBoard(board=request.param, heap="2M", config={"socmax": 8}) as running:
        yield running


@pytest.fixture(scope="module")
def listed(mapped_board):
    """What `help lm` lists on that board: {module: names of its functions}."""
    return listing(mapped_board)


@pytest.mark.parametrize("name", NAMES)
def test_help_names_real_functions(mapped_board, listed, name):
    rows = ast.literal_eval(mapped_board.shell(f"{name} help >json"))
    assert rows and {row.split()[0] for row in rows} <= listed[name]


@pytest.mark.parametrize("name", NAMES)
def test_pins_resolve(mapped_board, listed, name):
    if "pinmap" in listed[name] and name != "system":
        for row in mapped_board.shell(f"{name} pinmap").split("\n"):
            assert re.fullmatch(r" \w+: (\d+|None)", row)


# a call that takes the pins of a module
OPENERS = {
    "L298N_DCmotor": "set_speed 1", "L9110_DCmotor": "motor_control 0 1", "VL53L0X": "measure", "bme280": "measure",
    "buzzer": "load_n_init", "catgame": "game 1 0", "cct": "load_n_init", "co2": "raw_measure_mq135",
    "dht11": "measure", "dht22": "measure", "dimmer": "load_n_init", "distance": "distance_mm", "ds18": "measure",
    "esp32": "touch", "i2c": "scan", "light_sensor": "intensity", "neoeffects": "meteor", "neopixel": "load_n_init",
    "oled": "show", "oled_sh1106": "show", "oled_ui": "pageui", "ph_sensor": "measure", "presence": "load_n_init",
    "rencoder": "load_n_init", "rgb": "load_n_init", "roboarm": "load_n_init", "servo": "sduty",
    "stepper": "load_n_init", "switch": "set_state4 0",
}
OPTIONAL = {"mic", "genadc"}      # works without
WITHOUT = re.compile(r"\[io-resolve\] error: (.+) ha(?:s|ve) no pin on \w+; name (?:one|them) in cstmpmap")
TAKEN = re.compile(r"\[io\] Pin \w+ is busy: \w+:-?\d+(, \w+ is busy: \w+:-?\d+)*")
SILENT = re.compile(r".*\((?:pin|i2c_scl) \d+.*\): .+")                # nothing is plugged in
SCARCE = re.compile(r"out of PWM channels:\d+")                       # the modules before have them all


@pytest.mark.parametrize("name", OPENERS)
def test_a_module_takes_its_pins_or_names_those_that_are_missing_in_one_line(mapped_board, name):
    pins = ast.literal_eval(mapped_board.shell(f"{name} pinmap >json").replace("null", "None"))
    missing = {pin for pin, number in pins.items() if number is None} - OPTIONAL
    answer = mapped_board.shell(f"{name} {OPENERS[name]}").partition(": ")
    error = answer[2] if answer[0].startswith("exec_lm_core") else ""
    named = WITHOUT.fullmatch(error)
    if missing:
        assert named and set(named[1].split(", ")) <= missing, answer
    else:
        assert not error or any(kind.fullmatch(error) for kind in (TAKEN, SILENT, SCARCE)), answer


def listing(board):
    """{module: names of its functions}, of `help lm`: a module stands three blanks in, its functions below it."""
    found, names = {}, set()
    for line in board.shell("help lm").split("\n"):
        depth = len(line) - len(line.lstrip())
        if depth == 3:
            names = found.setdefault(line.strip(), set())
        elif depth > 3:
            names.add(line.strip())
    return found


def test_help_lists_loaded_modules_and_help_lm_all(make_board):
    board = make_board()
    assert "\n   rgb\n" not in board.shell("help")
    assert "\n   rgb\n      brightness\n      color\n" in board.shell("help lm")
    board.shell("rgb status")
    assert "\n   rgb\n      brightness\n" in board.shell("help")


@pytest.mark.slow
def test_the_same_modules_run_as_bytecode(make_board):
    board = make_board(mpy=True, heap="2M")
    assert {path.suffix for path in (board.dir / "modules").iterdir()} == {".mpy"}
    assert "\n   rgb\n      brightness\n      color\n" in board.shell("help lm")
    assert board.shell("rgb color 1 2 3 smooth=False >json") and board.pwm["redgb"].duty == 1
    assert [name for name in NAMES if not board.shell(f"{name} help").startswith(" ")] == []


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


LENDS = """
class Bell:
    def ring(self, times=1):
        return "ding" * times
    def doors(self):
        return self.ring, self.doors
def twice(f):
    def both(*args):
        return f(*args) * 2
    return both
@twice
def word(text):
    return text
_bell = Bell()
ring, _ = _bell.doors()
"""


def test_what_a_decorator_or_an_object_gives_a_module_is_its_own_and_stays_so_when_others_take_it(board):
    (board.dir / "modules" / "LM_lends.py").write_text(LENDS)
    (board.dir / "modules" / "LM_takes.py").write_text(
        "from LM_lends import ring, word\nfrom Modules import modules\n"
        "def f():\n    return word('a')\n")
    assert "ring" in listing(board)["lends"]
    assert board.shell("lends word ab", "lends ring times=2", "takes f") == "abab\ndingding\naa"
    assert board.shell("lends word ab", "lends ring 3", "takes ring") == "abab\ndingdingding\nding"
    assert board.shell("takes modules") == "exec_lm_core LM_takes->modules: no function modules; takes help lists them"


WATCH = """
import asyncio
from Common import micro_task
from machine import Pin
from Modules import modules
async def _watch():
    while True:
        Pin(4, Pin.OUT).value(modules().running is None)
        Pin(5, Pin.OUT).value(not Pin(5).value())
        await asyncio.sleep_ms(5)
def begin():
    micro_task("watch", _watch())
"""


def test_a_call_that_could_not_be_made_holds_nobody_up(make_board):
    """Whoever holds the loop later must not be taken for it."""
    board = make_board(files={"modules/LM_watch.py": WATCH})
    board.shell("watch begin", "watch nosuch")
    with board.watch() as changes:
        for _ in range(3):
            changes.until(change="pin", pin=5)
    assert board.pins[4] == 1


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


# what the node says of itself, and the modules that have no wires; those that have are in test_modules_*.py

STREAMED = "function got multiple values for argument 'msgobj'"
REFUSED = (      # module, function, words, the answer behind CALLED; with ! the whole answer
    ("system", "info", "1", STREAMED), ("system", "memory_usage", "1", NO_WORDS),
    ("system", "disk_usage", "1", NO_WORDS), ("system", "gclean", "1", NO_WORDS),
    ("system", "heartbeat", "1", NO_WORDS), ("system", "clock", "1", NO_WORDS), ("system", "ntp", "1", NO_WORDS),
    ("system", "setclock", "2023 13 1 0 0 0",
     "takes year month mday hour min sec, got (2023, 13, 1, 0, 0, 0)"),
    ("system", "setclock", "2023 2 29 0 0 0", "takes year month mday hour min sec, got (2023, 2, 29, 0, 0, 0)"),
    ("system", "setclock", "now 1 1 0 0 0", "takes year month mday hour min sec, got ('now', 1, 1, 0, 0, 0)"),
    ("system", "sun", "1 2", ONE_WORD), ("system", "rssi", "1", NO_WORDS),
    ("system", "cachedump", "cdel=5", "!5.pds not exists"), ("system", "pinmap", "1 2", ONE_WORD),
    ("system", "alarms", "x=1", "unexpected keyword argument 'x'"), ("system", "ifconfig", "1", NO_WORDS),
    ("system", "ha_sta", "1", NO_WORDS), ("system", "help", "1", NO_WORDS),
    ("demo", "hello", "a b", ONE_WORD), ("demo", "calculator", "a 1", "unsupported types for __add__: 'str', 'int'"),
    ("demo", "calculator", "1 0 /", "divide by zero"), ("demo", "calculator", "1 2 %", "op is one of + - * /, got %"),
    ("demo", "dice_cube", "1", NO_WORDS), ("demo", "yes_no", "1", NO_WORDS), ("demo", "links", "1", NO_WORDS),
    ("demo", "source", "1", NO_WORDS), ("demo", "exec_info", "1", NO_WORDS), ("demo", "help", "1", NO_WORDS),
    ("telegram", "load_n_init", "1", NO_WORDS), ("telegram", "receive", "1", NO_WORDS),
    ("telegram", "send", "", "{}() takes 1 positional arguments but 0 were given"),
    ("telegram", "receiver_loop", "1", NO_WORDS), ("telegram", "help", "1", NO_WORDS),
    ("intercon", "sendcmd", "", 'takes host="name or address" and cmd="one line"'),
    ("intercon", "sendcmd", "node02 hello timeout=0", "timeout is 1-60 s, got 0"),
    ("intercon", "dump", "1", NO_WORDS), ("intercon", "help", "1", NO_WORDS),
)


@pytest.mark.parametrize(("name", "function", "words", "answer"), REFUSED, ids=lambda value: str(value)[:20])
def test_what_is_refused_gets_one_line(board, name, function, words, answer):
    expected = answer[1:] if answer.startswith("!") else CALLED.format(name, function) + answer.format(function)
    assert board.shell(f"{name} {function} {words}") == expected


@pytest.mark.parametrize("name", sorted({row[0] for row in REFUSED}))
def test_the_table_of_refusals_has_every_function(name):
    assert {row[1] for row in REFUSED if row[0] == name} == own_functions(name)


def test_a_clock_that_is_refused_goes_on(board):
    before = board.clock.rtc()
    board.shell("system setclock 2023 2 29 0 0 0")
    assert abs(board.clock.rtc() - before) < 60


def test_usage_is_that_of_the_flash_and_the_memory(board):
    used = int(told(board, "system disk_usage")["fs_used"])
    (board.dir / "ballast").write_bytes(bytes(30_000))
    assert 30_000 <= int(told(board, "system disk_usage")["fs_used"]) - used <= 40_000
    (board.dir / "ballast").unlink()
    free = int(told(board, "system gclean")["GC MemFree[byte]"])
    assert abs(free + int(told(board, "system memory_usage")["mem_used"]) - 256 * 1024) < 8192


def test_info_tells_the_board(board):
    lines = dict(line.split(": ", 1) for line in board.shell("system info").rstrip("\n").split("\n"))
    assert lines.keys() == {"CPU clock", "Mem usage", "FS usage", "upython", "board", "mac", "uptime"}
    assert (lines["CPU clock"], "ESP32" in lines["board"]) == ("240 [MHz]", True), lines
    assert re.fullmatch(r"v\d+\.\d+\.\d+.*", lines["upython"]) and re.fullmatch(r"(\w\w:){5}\w\w", lines["mac"])


def test_where_the_demo_lies_is_where_it_lies(board):
    assert (board.dir / board.shell("demo source")[1:]).is_file()


def test_a_touch_pad_that_is_shorted_is_named_and_recovers(make_board):
    board = make_board()
    board.ask("touch", pin="touch_0", value=0)
    text = "touch_0 (pin 13): counts 0; is the pad shorted?"
    for _ in range(2):
        assert board.shell("esp32 touch") == "exec_lm_core LM_esp32->touch: " + text
    assert alarms(board) == [text]
    board.ask("touch", pin="touch_0", value=420)
    assert told(board, "esp32 touch") == {"isTouched": "False", "value": "420"}
    board.ask("touch", pin="touch_0", value=0)
    board.shell("esp32 touch")
    assert alarms(board) == [text]
