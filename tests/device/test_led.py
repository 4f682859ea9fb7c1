"""The progress LED of each board: lit while a line is written, dark with `dbg` off, and no owner of its pin."""
import itertools

import pytest

from tests.device.test_config import configure
from tests.device.wire import eventually

PLAIN = (                        # (board, pin, level that lights it)
    ("esp32", 2, 1), ("esp32s2", 15, 1), ("esp32c3", 8, 0), ("esp32c6", 15, 0), ("rp2", 25, 1),
)
PIXELS = (("esp32s3", 38), ("tinypico", 2))
SPEAKING = "def line(text='x'):\n    from Debug import console_write\n    console_write(text)\n"
FILES = {"modules/LM_say.py": SPEAKING}


def levels(board, pin, count):
    """What the pin did during console lines."""
    with board.watch() as changes:
        board.shell("say line", "say line")
        found = (change["value"] for change in changes if change["change"] == "pin" and change["pin"] == pin)
        return list(itertools.islice(found, count))


def colors(board, count):
    """What the pixel showed during console lines."""
    with board.watch() as changes:
        board.shell(*["say line"] * count)
        found = (change["pixels"] for change in changes if change["change"] == "pixels")
        return [tuple(pixel[0][:3]) for pixel in itertools.islice(found, count)]


@pytest.mark.parametrize(("kind", "pin", "lit"), PLAIN)
def test_an_led_is_lit_while_a_line_is_written_and_dark_after_it(make_board, kind, pin, lit):
    board = make_board(board=kind, files=FILES)
    board.shell("say line")
    assert board.pins[pin] == 1 - lit
    assert levels(board, pin, 4) == [lit, 1 - lit] * 2
    assert board.pins[pin] == 1 - lit


@pytest.mark.parametrize(("kind", "pin"), PIXELS)
def test_a_pixel_shows_the_next_colour_at_each_line(make_board, kind, pin):
    board = make_board(board=kind, files=FILES)
    board.shell("say line")
    shown = colors(board, 4)
    assert len(set(shown)) == 4 and all(0 < sum(color) <= 31 for color in shown)
    assert board.pixels(pin)[0][:3] == shown[-1]                # it stays


def test_a_tinypico_gives_its_pixel_power(make_board):
    board = make_board(board="tinypico")
    assert board.pins[13] == 0                                  # P-channel: low is on


@pytest.mark.parametrize(("kind", "pin"), PIXELS)
def test_dbg_off_darkens_a_pixel_at_once(make_board, kind, pin):
    board = make_board(board=kind, files=FILES)
    board.shell("say line")
    assert sum(board.pixels(pin)[0][:3])
    configure(board, "dbg false")
    assert not sum(board.pixels(pin)[0][:3])
    board.shell("say line")
    assert not sum(board.pixels(pin)[0][:3])
    configure(board, "dbg true")
    board.shell("say line")
    assert sum(board.pixels(pin)[0][:3])


@pytest.mark.parametrize(("kind", "pin", "lit"), PLAIN)
def test_dbg_off_leaves_the_led_dark_and_its_pin_alone(make_board, kind, pin, lit):
    board = make_board(board=kind, files=FILES, config={"dbg": False})
    board.shell("say line")
    assert "builtin" not in str(board.shell("system pinmap").split("booked")[1])
    assert board.ask("pins").get(str(pin), {}).get("mode") is None


def test_who_books_the_pin_gets_it_and_the_led_is_no_more(make_board):
    board = make_board(files=FILES)
    assert " booked: {2: 'builtin'}" in board.shell("system pinmap")
    board.shell("genIO set_out 2 True", "say line", "say line")
    assert board.pins[2] == 1
    assert " booked: {2: 2}" in board.shell("system pinmap")
    assert board.shell("genIO set_pwm builtin").endswith("[io] Pin builtin is busy: 2:2")


def test_who_asks_for_the_led_by_name_gets_it(make_board):
    board = make_board(board="esp32c3", files=FILES)
    board.shell("genIO set_out builtin True", "say line")
    assert board.pins[8] == 1
    board.shell("genIO set_out builtin False", "say line")
    assert board.pins[8] == 0


def test_a_bus_on_the_pin_of_the_led_works(make_board):
    """ESP32-C3: i2c_sda is the LED's pin."""
    board = make_board(board="esp32c3", files=FILES)
    assert "busy" not in board.shell("genIO get_in i2c_sda")
    with board.watch() as changes:
        board.shell("say line", "genIO set_out 3 True")
        assert next(change["pin"] for change in changes if change["change"] == "pin") == 3


def test_an_led_of_ones_own(make_board):
    board = make_board(config={"cstmpmap": "builtin:-33"}, files=FILES)
    board.shell("say line")
    assert board.pins[33] == 1 and levels(board, 33, 2) == [0, 1]


@pytest.mark.parametrize("table", [
    "", "builtin = const(99)\n", 'builtin = const(2)\nbuiltin_kind = "disco"\n', 'builtin = "nosuch"\n',
    'builtin = const(2)\nbuiltin_kind = "APA102"\n', "builtin = const(x)\n", "builtin =\n",
])
def test_a_map_without_an_led_that_works_costs_only_the_led(make_board, table):
    board = make_board(config={"cstmpmap": "mine"}, files={"boards/LP_mine.py": table, **FILES})
    assert board.shell("say line 'in the dark'") == "None"
    eventually(board.console, lambda said: "in the dark" in said)
    assert board.shell("genIO set_out 2 True") and board.pins[2] == 1


def test_the_wheel_of_1_20_turns_by_hand(make_board):
    stepping = "def step():\n    import TinyPLed\n    TinyPLed.step()\n"
    board = make_board(board="tinypico", files={"modules/LM_wheel.py": stepping}, config={"dbg": False})
    board.shell("wheel step")
    first = board.pixels(2)
    board.shell("wheel step")
    assert first and board.pixels(2) != first


def test_a_line_before_the_loop_runs_does_no_harm(make_board):
    board = make_board(files={".if_mode": "webrepl"}, shell=False)
    eventually(board.console, lambda said: "[NW]" in said)
    assert board.pins["builtin"] == 0
