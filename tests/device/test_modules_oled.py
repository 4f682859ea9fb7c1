"""Displays: what is drawn stands on the glass of the chip model. Golden pictures are in tests/golden."""
import ast
import json
import zlib
from pathlib import Path

import pytest

from tests.device.test_modules_i2c import NO_ANSWER, alarms, fails, functions_of, told
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard
from toolkit.simulator.chips.png import png

GOLDEN = Path(__file__).parents[1] / "golden"
MODULES = ("oled", "oled_sh1106")
KINDS = {"oled": "ssd1306", "oled_sh1106": "sh1106"}
AT = 0x3C
HERE = "{} at 0x3c (i2c_scl 22, i2c_sda 21): "
LIT, DARK = "#" * 128, "." * 128


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(config={"socmax": 8, "ntphost": "n/a"}) as running:
        yield running


@pytest.fixture(params=MODULES)
def name(request, board):
    """A module whose display is there, and empty."""
    board.chip(AT, KINDS[request.param])
    board.shell(f"{request.param} clean", f"{request.param} show")
    yield request.param
    alarms(board)


def shown(board, name, *calls):
    """The glass after these calls and `show`."""
    for call in calls:
        assert board.shell(f"{name} {call}") == "True"
    assert board.shell(f"{name} show") == "None"
    assert board.chip(AT)["complaints"] == []
    return board.display()


def points(rows):
    """{(x, y)} that are lit."""
    return {(x, y) for y, row in enumerate(rows) for x, sign in enumerate(row) if sign == "#"}


def pixels_of(picture):
    """The bytes of a PNG's lines, filter bytes included: two compressors need not agree."""
    at, data = 8, b""
    while at < len(picture):
        size = int.from_bytes(picture[at:at + 4], "big")
        if picture[at + 4:at + 8] == b"IDAT":
            data += picture[at + 8:at + 8 + size]
        at += 12 + size
    return zlib.decompress(data)


def matches(rows, golden):
    """Compare with a golden picture; one that is not there yet is written, to be looked at."""
    path = GOLDEN / f"{golden}.png"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(rows))
        pytest.fail(f"{path.name} was written: look at it")
    return pixels_of(path.read_bytes()) == pixels_of(png(rows))


def test_a_fresh_display_is_dark_until_it_is_used(board):
    for kind in KINDS.values():
        board.chip(AT, kind)
        assert board.display() == [DARK] * 64


def test_what_is_drawn_shows_with_show(board, name):
    assert board.shell(f"{name} rect 10 20 3 4") == "True"
    assert board.display() == [DARK] * 64
    rows = shown(board, name)
    assert points(rows) == {(x, y) for x in (10, 11, 12) for y in (20, 21, 22, 23)} - {(11, 21), (11, 22)}


def test_lines_rectangles_and_corners_are_where_they_should_be(board, name):
    rows = shown(board, name, "rect 0 0 128 64", "line 5 5 20 5", "line 30 10 34 14", "rect 100 50 5 3 fill=True",
                 "line 10 5 12 5 state=0")
    frame = {(x, y) for x in range(128) for y in range(64) if x in (0, 127) or y in (0, 63)}
    line = {(x, 5) for x in range(5, 21)} - {(10, 5), (11, 5), (12, 5)}
    assert points(rows) == frame | line | {(30 + at, 10 + at) for at in range(5)} | {
        (x, y) for x in range(100, 105) for y in range(50, 53)}


def test_what_lies_outside_is_cut_off(board, name):
    rows = shown(board, name, "rect -5 -5 8 8", "line 120 32 900 32")
    assert points(rows) == {(at, 2) for at in range(3)} | {(2, at) for at in range(3)} | {
        (x, 32) for x in range(120, 128)}


def test_clean_fills_and_empties(board, name):
    assert shown(board, name, "clean 1") == [LIT] * 64
    assert shown(board, name, "clean") == [DARK] * 64


def test_invert_and_power_act_at_once_and_draw_nothing(board, name):
    rows = shown(board, name, "rect 0 0 20 20 fill=True")
    board.shell(f"{name} rect 50 50 5 5")
    assert board.shell(f"{name} invert") == "True"
    assert points(board.display()) == {(x, y) for x in range(128) for y in range(64)} - points(rows)
    assert board.shell(f"{name} invert") == "True" and board.display() == rows
    assert board.shell(f"{name} poweroff") == "True" and board.display() == [DARK] * 64
    assert shown(board, name) == [DARK] * 64                 # drawing does not switch it on
    assert board.shell(f"{name} poweron") == "True"
    assert (50, 50) in points(board.display()) and points(rows) < points(board.display())


def test_text_is_written(board, name):
    rows = shown(board, name, "text 'Hello micrOS'", "text 42 100 20", "text '25.5 C' x=8 y=30")
    assert matches(rows, "text")


def test_a_picture_of_all_that_can_be_drawn(board, name):
    rows = shown(board, name, "rect 0 0 128 64", "rect 4 4 40 20 fill=True", "text box 50 6", "line 4 60 124 30",
                 "line 4 30 124 60", "rect 90 6 30 16", "text ok 97 10", "line 50 18 86 18")
    assert matches(rows, "drawing")


def test_sh1106_sets_single_pixels_and_turns_round(board):
    board.chip(AT, "sh1106")
    name = "oled_sh1106"
    board.shell(f"{name} clean")
    rows = shown(board, name, "pixel 0 0", "pixel 127 0", "pixel 3 9", "pixel 4 9", "pixel 4 9 state=0")
    assert points(rows) == {(0, 0), (127, 0), (3, 9)}
    assert board.shell(f"{name} flip") == "True"
    assert points(board.display()) == {(127, 63), (0, 63), (124, 54)}
    assert board.shell(f"{name} flip") == "True" and board.display() == rows


REFUSED = (
    ("text a b", "x is a number of pixels, -1000 to 1000, got b"),
    ("text a 0 1001", "y is a number of pixels, -1000 to 1000, got 1001"),
    ("line 0 0 5 far", "ey is a number of pixels, -1000 to 1000, got far"),
    ("line 0 0 99999999 5", "ex is a number of pixels, -1000 to 1000, got 99999999"),
    ("line 0 0 5 5 2", "state is 0 or 1, got 2"),
    ("rect 0 0 -1 5", "w is a number of pixels, 0 to 1000, got -1"),
    ("rect 0 0 5 1.5", "h is a number of pixels, 0 to 1000, got 1.5"),
    ("clean on", "state is 0 or 1, got on"),
    ("invert 1", "invert() takes 0 positional arguments but 1 were given"),
    ("poweron 1", "poweron() takes 0 positional arguments but 1 were given"),
    ("poweroff 1", "poweroff() takes 0 positional arguments but 1 were given"),
    ("show 1", "show() takes 0 positional arguments but 1 were given"),
    ("pinmap 1", "pinmap() takes 0 positional arguments but 1 were given"),
    ("help 1", "help() takes 0 positional arguments but 1 were given"),
)
REFUSED_SH1106 = (
    ("pixel 1", "pixel() takes 2 positional arguments but 1 were given"),
    ("pixel 1 1 3", "state is 0 or 1, got 3"),
    ("flip 1", "flip() takes 0 positional arguments but 1 were given"),
)


def test_what_is_refused_gets_one_line_and_draws_nothing(board, name):
    rows = REFUSED + (REFUSED_SH1106 if name == "oled_sh1106" else ())
    assert {line.split()[0] for line, _ in rows} == functions_of(name)
    for line, text in rows:
        fails(board, f"{name} {line}", text)
    assert shown(board, name) == [DARK] * 64


def test_help_and_pinmap(board, name):
    rows = ast.literal_eval(board.shell(f"{name} help >json"))
    assert {row.split()[0] for row in rows} == functions_of(name) - {"help"}
    assert told(board, f"{name} pinmap") == {"i2c_scl": "22", "i2c_sda": "21"}


def test_a_display_that_is_pulled_is_one_alarm_and_comes_back_with_its_picture(board, name):
    rows = shown(board, name, "text here")
    for fault in ("unplugged", "held"):
        board.chip(AT, fault=fault)
        for call in ("show", "text more", "invert", "show"):
            fails(board, f"{name} {call}", HERE.format(name) + NO_ANSWER)
        board.chip(AT, fault="")
        assert board.shell(f"{name} show") == "None" and board.display() == rows
        assert alarms(board) == [HERE.format(name) + NO_ANSWER]
    assert board.info()["starts"] == 1


def test_a_display_that_lost_power_unnoticed_comes_back_with_the_next_picture(board, name):
    rows = shown(board, name, "text here")
    board.chip(AT, fault="unplugged")
    board.chip(AT, fault="")
    assert board.display() == [DARK] * 64
    assert shown(board, name) == rows


def test_a_wire_that_is_held_low_is_named(board, name):
    board.pins["i2c_sda"] = 0
    fails(board, f"{name} show", HERE.format(name) + "i2c_sda is held low; a chip hangs, or it is shorted")
    board.pins["i2c_sda"] = None
    assert board.shell(f"{name} show") == "None"


def test_a_display_that_was_never_there_is_named_at_the_first_call(make_board):
    board = make_board()
    for name in MODULES:
        fails(board, f"{name} text hello", HERE.format(name) + NO_ANSWER)
        assert board.shell(f"{name} pinmap").count("i2c_") == 2
    assert alarms(board) == [HERE.format(name) + NO_ANSWER for name in MODULES]


def test_a_board_without_the_pins_names_those_that_are_missing(make_board):
    board = make_board(board="rp2", files={"LP_rp2.py": "builtin = 25\n"})
    for name in MODULES:
        fails(board, f"{name} show", "[io-resolve] error: i2c_scl, i2c_sda have no pin on rp2; name them in cstmpmap")


@pytest.mark.slow
def test_every_module_runs_as_bytecode(make_board):
    board = make_board(mpy=True)
    for name in MODULES:
        board.chip(AT, KINDS[name])
        assert board.shell(f"{name} help").count(",\n") >= 1
        assert points(shown(board, name, "rect 1 1 2 2")) == {(1, 1), (1, 2), (2, 1), (2, 2)}


# -- oled_ui

NOON = 1777903510              # 2026-05-04 14:05:10
CLOCK, NETWORK, NODE, TASKS, NODES, ADC = range(6)


@pytest.fixture(scope="module")
def ui_board():
    """Its tasks sleep as fast as the clock is turned."""
    with VirtualBoard(config={"socmax": 8, "ntphost": "n/a", "utc": 0, "cstmpmap": "genadc:33"}, heap="512K",
                      turn=True) as running:
        running.chip(AT, "ssd1306")
        assert running.shell("oled_ui pageui") == "None"
        yield running


@pytest.fixture
def ui(ui_board):
    """The display is there and lit, on its first page."""
    ui_board.chip(AT, fault="")
    while not ui_board.shell("oled_ui control next").startswith("page: 0 "):
        pass
    yield ui_board
    alarms(ui_board)


def passes(board, seconds):
    board.clock.run(seconds, grace_ms=0)


def press(board, seconds=0.1):
    board.pins["oleduibttn"] = 1
    passes(board, seconds)
    board.pins["oleduibttn"] = 0
    passes(board, 0.1)


def text_at(board, row):
    """Signs of a row of the page, read by the shapes that `oled text` gives to them."""
    return read(board.display()[14 + 10 * row:22 + 10 * row])


def read(strip):
    """Text of a strip of 8 lines."""
    cells = [tuple(line[at:at + 8] for line in strip) for at in range(0, 128, 8)]
    return "".join(FONT.get(cell, "\x7f") for cell in cells).rstrip()


FONT = {}


@pytest.fixture(scope="module", autouse=True)
def font(board):
    """Shapes of the signs, learned from the firmware's own font."""
    board.chip(AT, "ssd1306")
    signs = [chr(code) for code in range(32, 127)]
    for start in range(0, len(signs), 16):
        board.shell("oled clean")
        for at, sign in enumerate(signs[start:start + 16]):
            board.shell(f"oled text {json.dumps(sign)} {8 * at} 0")
        board.shell("oled show")
        strip = board.display()[:8]
        for at, sign in enumerate(signs[start:start + 16]):
            FONT[tuple(line[8 * at:8 * at + 8] for line in strip)] = sign


def title(board):
    return read(board.display()[:8])


def test_the_first_page_is_the_clock(ui):
    ui.clock.set(NOON)
    assert ui.shell("oled_ui pageui") == "None"
    assert matches(ui.display(), "ui_clock")


def test_control_turns_the_pages_round(ui):
    titles = []
    for number in (NETWORK, NODE, TASKS, NODES, ADC, CLOCK):
        assert ui.shell("oled_ui control") == f"page: {number} pwr: True"
        titles.append(title(ui).split()[0])
    assert titles == ["network", "node", "tasks", "nodes", "adc", "node01"]
    assert ui.shell("oled_ui control prev") == f"page: {ADC} pwr: True"
    assert title(ui) == "adc          6/6"


def test_pages_tell_what_the_shell_tells(ui):
    ui.shell("oled_ui control next")
    assert [text_at(ui, row) for row in (0, 1)] == ["joined", ui.address]
    ui.shell("oled_ui control next")
    assert text_at(ui, 1) == ui.shell("version") and text_at(ui, 2).startswith("memory ")
    ui.shell("oled_ui control next")
    assert "oled_ui.page" in [text_at(ui, row) for row in range(5)]
    ui.shell("oled_ui control next")
    assert text_at(ui, 0) == "none found"
    ui.adc[33] = 32768
    ui.shell("oled_ui control next")
    assert [text_at(ui, row) for row in (0, 1)] == ["1.23 V", "50.0 %"]
    assert matches(ui.display(), "ui_adc")


def test_a_short_press_turns_on_and_a_bounce_does_not(ui):
    press(ui)
    assert title(ui).startswith("network")
    press(ui)
    assert title(ui).startswith("node ")
    ui.pins["oleduibttn"] = 1
    ui.pins["oleduibttn"] = 0
    passes(ui, 1)
    assert title(ui).startswith("node ")


def test_a_long_press_runs_the_command_of_a_page_again(ui):
    assert ui.shell('oled_ui cmd_genpage "genIO get_in irq1"') == "True"
    ui.pins["irq1"] = 1
    ui.shell("oled_ui control prev")
    eventually(lambda: [text_at(ui, row) for row in (0, 1)], lambda rows: "state: 1" in rows)
    ui.pins["irq1"] = 0
    passes(ui, 11)
    assert "state: 1" in [text_at(ui, row) for row in (0, 1)]
    press(ui, 0.8)
    eventually(lambda: [text_at(ui, row) for row in (0, 1)], lambda rows: "state: 0" in rows)
    assert title(ui).startswith("genIO get")
    ui.pins["irq1"] = None


def test_it_goes_dark_and_a_press_lights_it_on_the_same_page(ui):
    ui.shell("oled_ui control next")
    assert ui.shell("oled_ui pageui pwr_sec=30") == "None"
    passes(ui, 29)
    assert title(ui).startswith("network")
    passes(ui, 3)
    assert ui.display() == [DARK] * 64
    press(ui)
    assert title(ui).startswith("network")
    ui.shell("oled_ui pageui pwr_sec=86400")


def test_off_and_on(ui):
    assert ui.shell("oled_ui control off") == "page: 0 pwr: False" and ui.display() == [DARK] * 64
    passes(ui, 25)
    assert ui.display() == [DARK] * 64
    assert ui.shell("oled_ui control on") == "page: 0 pwr: True" and ui.display() != [DARK] * 64


def test_a_message_covers_the_page_until_a_press(ui):
    before = title(ui)
    assert ui.shell('oled_ui msgbox "The washing machine is done"') == "Show msg"
    assert matches(ui.display(), "ui_message")
    passes(ui, 25)
    assert matches(ui.display(), "ui_message")
    press(ui)
    assert title(ui) == before


def test_a_page_asks_another_node(ui, make_board):
    other = make_board(name="other")
    assert ui.shell(f'oled_ui intercon_genpage "{other.address} system heartbeat"') == "True"
    ui.shell("oled_ui control prev")
    eventually(lambda: text_at(ui, 0), lambda text: text == "<3 heartbeat <3")
    other.stop()
    ui.shell("oled_ui control press")
    eventually(lambda: text_at(ui, 0), lambda text: text != "<3 heartbeat <3")
    assert ui.shell("hello").startswith("hello:")


def test_a_display_that_is_pulled_comes_back_by_itself(ui):
    shown_before = title(ui)
    ui.chip(AT, fault="unplugged")
    for _ in range(3):
        passes(ui, 11)
    fails(ui, "oled_ui pageui", HERE.format("oled") + NO_ANSWER)
    ui.chip(AT, fault="")
    assert ui.display() == [DARK] * 64
    passes(ui, 11)
    assert title(ui) == shown_before
    assert alarms(ui) == [HERE.format("oled") + NO_ANSWER] and ui.info()["starts"] == 1


UI_REFUSED = (
    ("pageui 0", "pwr_sec is 1-86400 s or None, got 0"),
    ("pageui soon", "pwr_sec is 1-86400 s or None, got soon"),
    ("pageui oled_type=lcd", "oled_type is ssd1306 or sh1106, got lcd"),
    ("pageui page=last", "page is a whole number, got last"),
    ("intercon_genpage", 'takes "host module function ..."'),
    ("intercon_genpage host", 'takes "host module function ..."'),
    ("cmd_genpage", 'takes "module function ..."'),
    ("cmd_genpage 5", 'takes "module function ..."'),
    ("msgbox a b", "msgbox() takes 1 positional arguments but 2 were given"),
    ("lmdep 1", "lmdep() takes 0 positional arguments but 1 were given"),
    ("pinmap 1", "pinmap() takes 0 positional arguments but 1 were given"),
    ("help 1", "help() takes 0 positional arguments but 1 were given"),
)


def test_what_oled_ui_refuses_gets_one_line(ui):
    for line, text in UI_REFUSED:
        fails(ui, f"oled_ui {line}", text)
    assert ui.shell("oled_ui control up") == (
        "Invalid command up! Hint: ('next', 'prev', 'press', 'on', 'off')")
    assert {line.split()[0] for line, _ in UI_REFUSED} | {"control"} == functions_of("oled_ui")
    rows = ast.literal_eval(ui.shell("oled_ui help >json"))
    assert {row.split()[0] for row in rows} == functions_of("oled_ui") - {"help"}
    assert ui.shell("oled_ui lmdep") == "('oled', 'oled_sh1106')"


def test_there_is_an_end_to_pages(make_board):
    board = make_board(heap="512K")
    board.chip(AT, "sh1106")
    assert told(board, "oled_ui pinmap") == {
        "i2c_scl": "22", "i2c_sda": "21", "oleduibttn": "34", "genadc": "None"}          # before the first pageui
    assert board.shell("oled_ui pageui oled_type=sh1106 page=7") == "None"
    assert title(board).startswith("node ") and title(board).endswith("3/5")
    with board.session() as session:
        for _ in range(8):
            assert session.send('oled_ui cmd_genpage "system heartbeat"') == "True"
        assert session.send('oled_ui cmd_genpage "system heartbeat"').endswith(
            ": 8 pages of commands are there; that is all")
    assert board.chip(AT)["complaints"] == []


def test_a_page_that_fails_tells_why(make_board):
    board = make_board(config={"cstmpmap": "genadc:33"}, heap="512K")
    board.chip(AT, "ssd1306")
    board.shell("genIO set_out 33 1", "oled_ui pageui", "oled_ui control prev")
    assert text_at(board, 0).startswith("[io] Pin") and board.shell("oled_ui control") == "page: 0 pwr: True"


def test_oled_ui_names_the_pins_that_are_missing(make_board):
    board = make_board(board="rp2", files={"LP_rp2.py": "builtin = 25\n"})
    fails(board, "oled_ui pageui",
          "[io-resolve] error: i2c_scl, i2c_sda, oleduibttn have no pin on rp2; name them in cstmpmap")


@pytest.mark.slow
def test_oled_ui_runs_as_bytecode(make_board):
    board = make_board(mpy=True)
    board.chip(AT, "ssd1306")
    assert board.shell("oled_ui pageui", "oled_ui control") == "None\npage: 1 pwr: True"
    assert title(board).startswith("network")
