"""Lamps and presence: what each of their functions does to light, pins and files, seen from outside the board."""
import ast
import re
from pathlib import Path

import pytest

from tests.device.answers import missing
from tests.device.conftest import QUIET
from tests.device.test_notify import TOKEN, Service
from tests.device.wire import Wire, eventually
from toolkit.simulator import VirtualBoard
from toolkit.simulator.models.lights import Apa102Strip, Dimmable, RgbLamp, WhiteLamp, Ws2812Strip
from toolkit.simulator.models.sensors import Microphone, Pir

NAMES = ("rgb", "cct", "dimmer", "neopixel", "neoeffects", "tinyrgb", "presence")
LAMPS = ("rgb", "cct", "dimmer", "neopixel")
MODULES = Path(__file__).parents[2] / "micrOS" / "source" / "modules"
NEOP = 23                  # rgbue and neop share a pin on an ESP32: this board has the strip elsewhere
PINS = {**QUIET, "socmax": 8, "cstmpmap": f"neop:{NEOP}"}
HALF = {"rgb": "rgb color 100 200 500", "cct": "cct white 250 500", "dimmer": "dimmer set_value 500",
        "neopixel": "neopixel color 10 20 127"}
DARK = (0, 0, 0)


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(config=PINS) as running:
        yield running


@pytest.fixture(scope="module")
def tinypico():
    with VirtualBoard(board="tinypico") as running:
        yield running


class Lights:
    """All lamps of a board."""

    def __init__(self, board):
        self.rgb, self.cct, self.dimmer = RgbLamp(board), WhiteLamp(board), Dimmable(board)
        self.neopixel = Ws2812Strip(board, NEOP)


@pytest.fixture(scope="module")
def lights(board):
    return Lights(board)


def channels(board, name):
    """What is on the wires of a lamp: duties, or the colour that all pixels of the strip have."""
    if name == "neopixel":
        return next(iter(set(board.pixels(NEOP))))
    pins = {"rgb": ("redgb", "rgreenb", "rgbue"), "cct": ("cwhite", "wwhite"), "dimmer": ("dim_1",)}[name]
    return tuple(board.pwm[pin].duty for pin in pins)


def state(answer):
    """{"R": 1, ...} of the lines of a status."""
    assert re.fullmatch(r"( \w+: \d+\n?)+", answer), answer
    return {key: int(value) for key, value in re.findall(r"(\w+): (\d+)", answer)}


def public_functions(name):
    tree = ast.parse((MODULES / f"LM_{name}.py").read_text())
    lent = [node.targets[0].elts for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)]      # by the lamp: doors()
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"} | {
        target.id for targets in lent for target in targets}


# what four lamps have in common

@pytest.mark.parametrize("name", LAMPS)
def test_load_n_init_makes_the_channels_and_says_how(board, name):
    answer = board.shell(f"{name} load_n_init")
    assert answer == ("CACHE: True, LED CNT: 24" if name == "neopixel" else "CACHE: True")
    if name != "neopixel":
        pin = {"rgb": "redgb", "cct": "cwhite", "dimmer": "dim_1"}[name]
        assert board.pwm[pin].freq_hz == 20480 and not getattr(Lights(board), name).flickers
    assert board.shell(f"{name} load") == answer


@pytest.mark.parametrize("name", LAMPS)
def test_the_setter_lights_the_lamp_and_keeps_what_is_left_out(board, lights, name):
    before = state(board.shell(f"{HALF[name]} smooth=False"))
    assert round(getattr(lights, name).brightness_pct) in (49, 50) and before["S"] == 1
    module, setter = HALF[name].split()[:2]
    assert state(board.shell(f"{module} {setter} smooth=False")) == before
    assert state(board.shell(f"{name} status")) == before
    assert state(board.shell(f"{name} status lmf={setter}")) == before


@pytest.mark.parametrize("name", LAMPS)
def test_without_force_the_setter_leaves_a_lamp_off(board, lights, name):
    board.shell(f"{HALF[name]} smooth=False", f"{name} toggle False smooth=False")
    assert state(board.shell(f"{HALF[name]} force=False smooth=False"))["S"] == 0
    assert getattr(lights, name).brightness_pct == 0


@pytest.mark.parametrize("name", LAMPS)
def test_toggle_switches_and_gives_the_colour_back(board, name):
    board.shell(f"{HALF[name]} smooth=False")
    lit = channels(board, name)
    assert state(board.shell(f"{name} toggle smooth=False"))["S"] == 0
    assert set(channels(board, name)) == {0}
    assert state(board.shell(f"{name} toggle smooth=False"))["S"] == 1
    assert channels(board, name) == lit
    board.shell(f"{name} toggle True smooth=False")
    assert channels(board, name) == lit


@pytest.mark.parametrize("name", LAMPS)
def test_smooth_is_the_default_and_ends_at_the_state(board, name):
    board.shell(f"{HALF[name]} smooth=False")
    goal = channels(board, name)
    for line in (HALF[name], f"{name} toggle True"):
        board.shell(f"{name} toggle False smooth=False")
        with board.watch() as changes:
            board.shell(line)
            steps = set()
            while channels(board, name) != goal:
                changes.until(change="pixels" if name == "neopixel" else "pwm")
                steps.add(channels(board, name))
        assert len(steps) > 5


@pytest.mark.parametrize("name", LAMPS)
def test_a_transition_goes_on_in_the_background_until_it_is_there(board, name):
    board.shell(f"{HALF[name]} smooth=False")
    before = channels(board, name)
    target = {"rgb": "0 0 0", "cct": "0 0", "dimmer": "0", "neopixel": "0 0 0"}[name]
    assert board.shell(f"{name} transition {target} sec=60") == "Starting transition"
    assert board.shell(f"{name} transition {target} sec=60") == "Transition already running"
    assert f"Yes       {name}._tran" in board.shell("task list")
    assert max(channels(board, name)) > 0.9 * max(before)
    board.shell(f"task kill {name}._tran")
    assert board.shell(f"{name} transition {target} sec=0.1") == "Starting transition"
    eventually(lambda: set(channels(board, name)), lambda now: now == {0})


@pytest.mark.parametrize("name", LAMPS)
def test_a_transition_of_a_lamp_that_is_off_waits_for_the_switch(board, name):
    board.shell(f"{HALF[name]} smooth=False", f"{name} toggle False smooth=False")
    target = {"rgb": "0 0 500", "cct": "500 0", "dimmer": "500", "neopixel": "0 0 127"}[name]
    assert board.shell(f"{name} transition {target} sec=0") == "Starting transition"
    assert set(channels(board, name)) == {0}
    board.shell(f"{name} transition {target} sec=0 wake=True")
    assert max(channels(board, name)) in (500, 127)


@pytest.mark.parametrize("name", LAMPS)
def test_a_new_order_ends_the_transition(board, name):
    board.shell(f"{HALF[name]} smooth=False", f"{name} transition {'0 ' * len(channels(board, name))}sec=60")
    board.shell(f"{name} toggle False smooth=False")
    assert f"No        {name}._tran" in board.shell("task list")
    assert set(channels(board, name)) == {0}


@pytest.mark.parametrize("name", ("rgb", "cct", "neopixel"))
def test_brightness_is_that_of_the_strongest_channel(board, lights, name):
    lamp = getattr(lights, name)
    board.shell(f"{HALF[name]} smooth=False")
    mixture = channels(board, name)
    full = 255 if name == "neopixel" else 1000
    assert board.shell(f"{name} brightness") == f"{max(mixture) * 100 / full} %"
    dim = state(board.shell(f"{name} brightness 25 smooth=False"))
    assert 24 < lamp.brightness_pct < 26 and dim["S"] == 1
    now = channels(board, name)
    assert all(abs(a / max(now) - b / max(mixture)) < 0.02 for a, b in zip(now, mixture, strict=True))


@pytest.mark.parametrize("name", ("rgb", "cct", "neopixel"))
def test_brightness_0_is_dark_and_the_colour_comes_back(board, lights, name):
    board.shell(f"{HALF[name]} smooth=False")
    mixture = channels(board, name)
    assert state(board.shell(f"{name} brightness 0 smooth=False"))["S"] == 0
    assert getattr(lights, name).brightness_pct == 0 and board.shell(f"{name} brightness") == "0 %"
    assert state(board.shell(f"{name} brightness 25 smooth=False wake=False"))["S"] == 0
    board.shell(f"{name} brightness {max(mixture) * 100 / (255 if name == 'neopixel' else 1000)} smooth=False")
    assert max(abs(a - b) for a, b in zip(channels(board, name), mixture, strict=True)) <= 2


@pytest.mark.parametrize("name", ("rgb", "cct", "neopixel"))
def test_a_colour_that_is_all_dark_gets_bright(board, lights, name):
    board.shell(f"{name} {HALF[name].split()[1]} {'0 ' * len(channels(board, name))}smooth=False")
    board.shell(f"{name} brightness 50 smooth=False")
    assert len(set(channels(board, name))) == 1 and 48 < getattr(lights, name).brightness_pct < 51


@pytest.mark.parametrize("name", ("rgb", "cct", "neopixel"))
def test_random_stays_below_its_limit_and_lights(board, name):
    board.shell(f"{name} toggle False smooth=False")
    for _ in range(5):
        told = state(board.shell(f"{name} random smooth=False max_val=3"))
        assert told.pop("S") == 1 and set(told.values()) <= {0, 1, 2, 3}
        assert sorted(told.values()) == sorted(channels(board, name))
    wide = [tuple(state(board.shell(f"{name} random smooth=False")).values()) for _ in range(10)]
    assert len(set(wide)) > 5


@pytest.mark.parametrize("name", LAMPS)
def test_pinmap_tells_the_pins_that_light_up(board, name):
    board.shell(f"{HALF[name]} smooth=False")
    for pin in state(board.shell(f"{name} pinmap")).values():
        assert board.pixels(pin) if name == "neopixel" else board.pwm[pin].duty > 0


@pytest.mark.parametrize("name", LAMPS)
def test_cache_false_stops_writing_the_file(board, name):
    file = board.dir / ("cwww.pds" if name == "cct" else f"{name}.pds")
    board.shell(f"{HALF[name]} smooth=False")
    written = file.read_text()
    assert board.shell(f"{name} load_n_init cache=False").startswith("CACHE: False")
    board.shell(f"{name} toggle smooth=False")
    assert file.read_text() == written and set(channels(board, name)) == {0}
    assert board.shell(f"{name} load_n_init cache=True").startswith("CACHE: True")
    board.shell(f"{name} toggle smooth=False")
    board.shell(f"{name} toggle smooth=False")
    assert file.read_text() != written


@pytest.mark.parametrize("name", NAMES)
def test_help_names_every_function_and_opens_no_pin(make_board, name):
    rows = ast.literal_eval(make_board().shell(f"{name} help >json"))
    assert {row.split()[0] for row in rows} == public_functions(name) - {"help"}


def test_questions_open_no_pin(make_board):
    board = make_board(config=PINS)
    board.shell(*[f"{name} help" for name in NAMES], *[f"{name} pinmap" for name in NAMES if name != "tinyrgb"])
    assert board.shell("system pinmap >json").count('"booked": {"2": "builtin"}') == 1


# what one lamp has alone

def test_white_mixes_temperatures(board, lights):
    board.shell("cct white 1000 0 smooth=False")
    assert 6400 < lights.cct.temperature_k < 6600
    board.shell("cct white cw=0 ww=1000 smooth=False")
    assert 2650 < lights.cct.temperature_k < 2750
    assert board.pwm["cwhite"].duty == 0


def test_hue_transition_goes_from_warm_to_cold_at_the_same_brightness(board, lights):
    board.shell("cct white 0 500 smooth=False")
    warm = lights.cct.temperature_k
    assert board.shell("cct hue_transition 50 sec=0.1") == "Starting transition"
    eventually(lambda: channels(board, "cct"), lambda now: now == (500, 500))
    assert warm < lights.cct.temperature_k
    eventually(lambda: board.shell("task list"), lambda tasks: "No        cct._hue" in tasks)
    assert state(board.shell("cct status")) == {"CW": 500, "WW": 500, "S": 1}
    board.shell("cct hue_transition 100 sec=0")
    eventually(lambda: channels(board, "cct"), lambda now: now == (500, 0))


def test_brightness_counts_for_a_hue_transition_that_goes_on(board, lights):
    board.shell("cct white 0 1000 smooth=False", "cct hue_transition 100 sec=60")
    assert board.shell("cct hue_transition 100") == "Transition already running"
    with board.watch() as changes:
        assert state(board.shell("cct brightness 20"))["CW"] == 200
        changes.until(change="pwm", name="wwhite")
    assert lights.cct.brightness_pct < 21 and lights.cct.temperature_k < 3000
    assert "Yes       cct._hue" in board.shell("task list")
    board.shell("cct toggle False smooth=False")
    assert "No        cct._hue" in board.shell("task list") and channels(board, "cct") == (0, 0)


def test_a_hue_transition_may_wake_the_lamp(board):
    board.shell("cct white 0 400 smooth=False", "cct toggle False smooth=False", "cct hue_transition 100 sec=0")
    assert channels(board, "cct") == (0, 0)
    eventually(lambda: board.shell("task list"), lambda tasks: "Yes       cct._hue" not in tasks)
    board.shell("cct hue_transition 0 sec=0 wake=True")
    eventually(lambda: channels(board, "cct"), lambda now: now == (0, 400))


def test_a_dimmer_at_0_is_off_and_remembers_the_faintest_light(board, lights):
    assert state(board.shell("dimmer set_value 0 smooth=False")) == {"S": 0, "X": 5}
    assert lights.dimmer.brightness_pct == 0
    board.shell("dimmer toggle smooth=False")
    assert 0 < lights.dimmer.brightness_pct < 1
    assert state(board.shell("dimmer set_value 1000 smooth=False")) == {"S": 1, "X": 1000}
    assert lights.dimmer.brightness_pct > 97


def test_segment_paints_one_pixel(board, lights):
    board.shell("neopixel color 0 0 10 smooth=False")
    kept = state(board.shell("neopixel segment 200 0 0 s=4"))
    assert lights.neopixel.colors[3:6] == [(0, 0, 10), (200, 0, 0), (0, 0, 10)]
    assert kept == {"R": 0, "G": 0, "B": 10, "S": 1}
    board.shell("neopixel segment r=50 s=23")
    assert lights.neopixel.colors[23] == (50, 0, 10)
    board.shell("neopixel segment 1 2 3 s=0 write=False")
    assert lights.neopixel.colors[0] == (0, 0, 10)
    board.shell("neopixel segment 4 5 6 s=1 cache=True")
    assert lights.neopixel.colors[:2] == [(1, 2, 3), (4, 5, 6)]
    assert state(board.shell("neopixel status")) == {"R": 4, "G": 5, "B": 6, "S": 1}


def test_a_strip_may_have_any_length(board, lights):
    board.shell("neopixel color 9 9 9 smooth=False")
    assert board.shell("neopixel load_n_init ledcnt=60") == "CACHE: True, LED CNT: 60"
    assert len(lights.neopixel.lit) == 60
    with board.watch() as changes:
        assert board.shell("neopixel load_n_init ledcnt=8") == "CACHE: True, LED CNT: 8"
        assert changes.until(change="pixels")["pixels"] == [[0, 0, 0]] * 60     # what is cut off goes dark first
    assert len(lights.neopixel.lit) == 8
    assert board.shell("neopixel segment s=8") == "NEOPIXEL index error: 8 > 7"
    board.shell("neopixel load_n_init")
    assert len(lights.neopixel.lit) == 24


def test_broken_leds_are_dark(board):
    lamp, strip = RgbLamp(board), Ws2812Strip(board, NEOP)
    board.shell("rgb color 1000 1000 0 smooth=False", "neopixel color 9 9 9 smooth=False")
    lamp.broken.add("redgb")
    strip.broken_at = 4
    assert lamp.color == (0, 249, 0) and strip.lit == [0, 1, 2, 3]


# effects

def test_each_effect_draws_one_frame_and_moves_on_with_the_next(board, lights):
    strip = lights.neopixel
    board.shell("neopixel color 0 0 0 smooth=False", "neoeffects color 100 100 100")
    for line, answer, lit in (
        ("neoeffects meteor", "Meteor R100:G100:B100 N:24", 12),
        ("neoeffects cycle 200 0 0", "Cycle R200:G0:B0 N:24", 3),
        ("neoeffects shader 6 2 shift=True", None, 6),
    ):
        first, frame = board.shell(line), strip.colors
        assert len(strip.lit) == lit and (answer is None or first == answer)
        board.shell(line)
        assert strip.colors == frame[-1:] + frame[:-1]


def test_without_shift_a_frame_stands_still(board, lights):
    for line in ("neoeffects meteor shift=False", "neoeffects cycle shift=False", "neoeffects shader 3 22"):
        board.shell(line)
        frame = lights.neopixel.colors
        board.shell(line)
        assert lights.neopixel.colors == frame
    assert lights.neopixel.lit == [0, 22, 23]
    assert board.shell("neoeffects shader") == "Shader size: 6 ->0 (24)"
    assert board.shell("neoeffects shader 30") == "Shader invalid size: 30 (24)"


def test_rainbow_has_all_colours_and_turns(board, lights):
    assert board.shell("neoeffects rainbow step=0") == "Rainbow"
    frame = lights.neopixel.colors
    assert len(set(frame)) == 24 and 45 < lights.neopixel.brightness_pct <= 50
    board.shell("neoeffects rainbow step=5")
    assert lights.neopixel.colors == frame
    board.shell("neoeffects rainbow br=10")
    assert lights.neopixel.colors != frame and 8 < lights.neopixel.brightness_pct <= 10


def test_fire_flickers_in_one_colour(board, lights):
    assert board.shell("neoeffects fire 200 100 0") == "fire R200:G100:B0 N:24"
    frame = lights.neopixel.colors
    assert all(blue == 0 and abs(red - 2 * green) <= 2 and 70 < red <= 200 for red, green, blue in frame)
    board.shell("neoeffects fire 200 100 0")
    assert lights.neopixel.colors != frame and len(set(frame)) > 3


def test_color_and_random_of_the_effects_count_for_the_next_frame(board, lights):
    board.shell("neopixel color 1 2 3 smooth=False")
    assert state(board.shell("neoeffects color 0 0 50")) == {"R": 0, "G": 0, "B": 50, "S": 1}
    assert set(lights.neopixel.colors) == {(1, 2, 3)}
    assert board.shell("neoeffects cycle") == "Cycle R0:G0:B50 N:24"
    assert max(lights.neopixel.colors) == (0, 0, 50)
    told = re.fullmatch(r"Set random: R:(\d+) G:(\d+) B:(\d+)", board.shell("neoeffects random 9"))
    assert state(board.shell("neopixel status")) == dict(zip("RGBS", [*map(int, told.groups()), 1], strict=True))
    assert max(map(int, told.groups())) <= 9


def test_an_effect_takes_the_length_it_is_told_and_leaves_that_of_the_strip_otherwise(board, lights):
    assert board.shell("neoeffects meteor ledcnt=10") == "Meteor R{R}:G{G}:B{B} N:10".format(
        **state(board.shell("neopixel status")))
    assert len(lights.neopixel.colors) == 10
    board.shell("neoeffects rainbow")
    assert len(lights.neopixel.colors) == 10
    board.shell("neopixel load_n_init")
    board.shell("neoeffects rainbow")
    assert len(lights.neopixel.lit) == 24


def test_an_effect_plays_as_a_loop_beside_the_shell(board):
    assert board.shell("neoeffects rainbow &&20") == "Start neoeffects.rainbow"
    with board.session() as session, board.watch() as changes:
        frames = []
        for _ in range(5):
            frames.append(changes.until(change="pixels")["pixels"])
            assert session.send("system heartbeat") == "<3 heartbeat <3"
    board.shell("task kill neoeffects.rainbow")
    assert len({str(frame) for frame in frames}) == 5


def test_an_effect_ends_a_fade(board, lights):
    board.shell("neopixel color 9 9 9 smooth=False", "neopixel transition 200 0 0 sec=60", "neoeffects shader 1 5")
    assert "No        neopixel._tran" in board.shell("task list") and lights.neopixel.lit == [5]


def test_the_effects_tell_what_they_stand_on(board):
    assert board.shell("neoeffects lmdep") == "neopixel"
    assert board.shell("neoeffects pinmap") == f" neop: {NEOP}"


# the pixel of a TinyPICO

def test_setrgb_and_wheel_light_the_pixel(tinypico):
    pixel = Apa102Strip(tinypico)
    assert tinypico.shell("tinyrgb setrgb 200 100 0") == "RGB: 200:100:0 (50.0%)"
    assert pixel.has_power and pixel.colors == [(97, 48, 0)]
    assert tinypico.shell("tinyrgb setrgb b=100 br=1") == "RGB: 200:100:100 (100.0%)"
    assert pixel.colors == [(200, 100, 100)]
    seen = set()
    for _ in range(3):
        told = re.fullmatch(r"RGB: (\d+):(\d+):(\d+) \(100\.0%\)", tinypico.shell("tinyrgb wheel br=1.0"))
        assert pixel.colors == [tuple(map(int, told.groups()))]
        seen.add(pixel.colors[0])
    assert len(seen) == 3


def test_tinyrgb_toggle_cuts_the_power(tinypico):
    pixel = Apa102Strip(tinypico)
    tinypico.shell("tinyrgb setrgb 10 20 30 br=1", "tinyrgb toggle True")
    assert tinypico.shell("tinyrgb toggle") == "Turn OFF"
    assert not pixel.has_power and pixel.colors == [DARK]
    assert re.fullmatch(r"\(<DotStar object at \w+>, \[0, 1\]\)", tinypico.shell("tinyrgb getstate"))
    tinypico.shell("tinyrgb setrgb r=11")
    assert pixel.colors == [DARK]
    assert tinypico.shell("tinyrgb toggle") == "Turn ON" and pixel.colors == [(11, 20, 30)]


def test_other_boards_have_no_such_pixel(board):
    assert board.shell("tinyrgb wheel") == "exec_lm_core LM_tinyrgb->wheel: no module named 'tinypico'"
    assert board.shell("tinyrgb help").startswith(" setrgb ")


# presence

def samples_of(board):
    return ast.literal_eval(board.shell("presence get_samples"))


@pytest.mark.slow
def test_presence_switches_all_lamps_that_subscribed(make_board):
    board = make_board(config=PINS)
    assert board.shell(*[f"{name} subscribe_presence" for name in LAMPS]) == "\n".join(["None"] * 4)
    assert board.shell("presence load_n_init timer=1 mic=False") == "Init presence module: th: 3 timer: 1 mic: False"
    board.pins["irq1"] = 1
    for name in LAMPS:
        eventually(lambda name=name: max(channels(board, name) if name != "neopixel" or board.pixels(NEOP) else DARK),
                   lambda most: most > 50)
    board.shell("presence load_n_init timer=1 mic=False")
    assert "Yes       presence._mic" in board.shell("task list")
    board.pins["irq1"] = 0
    for name in LAMPS:
        eventually(lambda name=name: max(channels(board, name)), lambda most: most == 0)
    board.pins["irq1"] = 1
    eventually(lambda: max(channels(board, "rgb")), lambda most: most > 50)


@pytest.mark.slow
def test_presence_lasts_while_the_sensor_is_high(make_board):
    board = make_board()
    board.shell("dimmer subscribe_presence", "presence load_n_init timer=1")
    board.pins["irq1"] = 1
    begin = eventually(lambda: samples_of(board), lambda rows: rows)[0][0]
    eventually(lambda: samples_of(board), lambda rows: rows[-1][0] - begin > 1500)
    assert board.pwm["dim_1"].duty == 500
    board.pins["irq1"] = 0
    eventually(lambda: board.pwm["dim_1"].duty, lambda duty: duty == 0)


def test_motion_trig_says_whether_it_was_known(make_board):
    board = make_board(config=PINS)
    board.shell("dimmer subscribe_presence")
    assert board.shell("presence motion_trig") == "Starting"
    eventually(lambda: board.pwm["dim_1"].duty, lambda duty: duty == 500)
    assert board.shell("presence motion_trig") == "Already running"
    assert board.shell("task kill presence._mic") == "Kill: presence._mic|True"
    assert board.shell("presence motion_trig") == "Starting"


@pytest.mark.slow
def test_noise_makes_presence_last(make_board):
    board = make_board(config=PINS)
    board.adc["mic"] = 32768
    assert board.shell("presence load_n_init threshold=0 timer=1") == "Init presence module: th: 1 timer: 1 mic: True"
    assert board.shell("presence motion_trig sample_ms=5 buff_size=4") == "Starting"
    samples = eventually(lambda: samples_of(board), lambda rows: len(rows) == 4)
    assert {(percent, trigger) for _, percent, trigger in samples} == {(50.0, 0)}
    assert [row[0] for row in samples] == sorted(row[0] for row in samples)
    board.adc["mic"] = 42768
    eventually(lambda: board.shell("presence get_samples"), lambda text: re.search(r", 65\.\d, 1\]", text))
    eventually(lambda: board.shell("task list"), lambda tasks: "No        presence._mic" in tasks)


def test_a_board_without_a_microphone_goes_by_the_sensor_alone(make_board):
    board = make_board(board="rp2", config={"cstmpmap": "irq1:4; dim_1:5"})
    board.shell("dimmer subscribe_presence")
    assert board.shell("presence load_n_init") == "Init presence module: th: 3 timer: 120 mic: False"
    board.pins["irq1" if "irq1" in board.info()["names"] else 4] = 1
    eventually(lambda: board.pwm[5].duty, lambda duty: duty == 500)
    assert board.shell("presence get_samples") == "[]"
    assert sorted(board.shell("presence pinmap").split("\n")) == [" irq1: 4", " mic: None"]


BROKEN = """
def subscribe():
    from LM_presence import _subscribe
    from machine import Pin
    def fail():
        raise ValueError("this one is broken")
    _subscribe(fail, fail)
    _subscribe(lambda: Pin(5, Pin.OUT, value=1), lambda: Pin(5, Pin.OUT, value=0))
"""


@pytest.fixture
def chat(make_board):
    """(board, its Telegram service, where chat 7 listens)."""
    service = Service()
    with service.web:
        board = make_board(config={"telegram": TOKEN}, files={"telegram.pds": "7"})
        board.world["api.telegram.org"] = service.web.place
        yield board, service


def heard(service, *words):
    """Wait until the chat was told these words first, in this order."""
    eventually(lambda: [sent["text"].rsplit("presence ", 1)[-1] for sent in service.sent],
               lambda told: told[:len(words)] == list(words))


def test_presence_is_told_by_message_and_a_failure_is_an_alarm(chat):
    board, service = chat
    assert board.shell("presence notification") == "Notifications: disabled"
    assert board.shell("presence notification True", "presence notification") == (
        "Set notifications: ON\nNotifications: enabled")
    board.shell("presence motion_trig")
    heard(service, "ON")
    service.refuses["sendMessage"] = (403, "bot was blocked")
    board.shell("task kill presence._mic", "presence motion_trig")
    eventually(lambda: board.shell("system alarms"), lambda text: "[ERR] presence: chat 7: " in text)
    board.shell("task kill presence._mic", "presence notification False")
    assert board.shell("presence notification") == "Notifications: disabled"


def test_a_message_without_a_token_is_an_alarm(make_board):
    board = make_board()
    board.shell("presence notification True", "presence motion_trig")
    eventually(lambda: board.shell("system alarms"),
               lambda text: "[ERR] presence: no message without the setting telegram" in text)


def test_others_are_served_while_a_message_is_on_its_way(chat):
    board, service = chat
    service.web.hold = True
    board.shell("presence notification True", "presence motion_trig")
    eventually(lambda: service.web.asked, bool)
    assert board.shell("system heartbeat") == "<3 heartbeat <3" and not service.sent
    service.web.release()
    heard(service, "ON")


@pytest.mark.slow
def test_who_comes_while_the_end_is_being_told_is_not_overlooked(chat):
    board, service = chat
    board.shell("presence load_n_init timer=1 mic=False", "presence notification True", "presence motion_trig")
    heard(service, "ON")
    service.web.hold = True
    eventually(lambda: service.web.asked, lambda asked: len(asked) == 2)
    assert board.shell("presence motion_trig") == "Already running"
    service.web.release()
    heard(service, "ON", "OFF", "ON")


def test_a_broken_listener_does_not_silence_the_others(make_board):
    board = make_board(files={"modules/LM_talk.py": BROKEN})
    board.shell("talk subscribe", "presence motion_trig")
    eventually(lambda: board.pins[5], lambda level: level == 1)
    assert "[ERR] presence: this one is broken" in board.shell("system alarms")


IMPATIENT = """
def wait(seconds):
    from LM_presence import _sensor
    _sensor().timer_s = seconds
"""


def test_a_motion_sensor_that_is_stuck_is_an_alarm_and_recovers(make_board):
    board = make_board(files={"modules/LM_im.py": IMPATIENT})
    pir = Pir(board, "irq1")
    board.shell("presence load_n_init mic=False", "im wait 0.01")
    pir.see(True)
    text = f"irq1 (pin {board.info()['names']['irq1']}): high for more than 0.3 s; is it stuck?"
    eventually(lambda: board.shell("system alarms"), lambda told: text in told)
    pir.see(False)
    eventually(lambda: board.shell("task list"), lambda tasks: "No        presence._mic" in tasks)
    board.shell("system alarms clean=True")
    pir.see(True)
    eventually(lambda: board.shell("system alarms"), lambda told: text in told)


def test_a_microphone_that_is_off_is_an_alarm_and_recovers(make_board):
    board = make_board(config={"boothook": "presence load_n_init"})
    microphone = Microphone(board, "mic")
    microphone.hear(0)
    text = f"mic (pin {board.info()['names']['mic']}): 0 V; is the sensor plugged in, and has it power?"
    board.shell("presence motion_trig sample_ms=1")
    eventually(lambda: board.shell("presence get_samples"), lambda samples: samples.count("[") > 10)
    assert "mic (pin" not in board.shell("system alarms")
    for _ in range(2):
        microphone.unplug()
        eventually(lambda: board.shell("system alarms"), lambda told: text in told)
        microphone.hear(0)
        eventually(lambda: board.shell("presence get_samples"), lambda samples: samples.count(" 0.0,") == 0)
        board.shell("system alarms clean=True")


def test_presence_asks_another_node(make_board):
    other, board = make_board(name="node02"), make_board()
    on = f"{other.address} genIO set_out 4 True"
    answer = board.shell(f"presence subscribe_intercon '{on}' '' >json")
    assert ast.literal_eval(answer) == {"on": on, "off": ""}
    board.shell("presence motion_trig")
    eventually(lambda: other.pins[4], lambda level: level == 1)


def test_the_settings_may_own_the_motion_pin(make_board):
    board = make_board(config={"irq1": True, "irq1_cbf": "presence motion_trig"})
    assert board.shell("presence load_n_init mic=False") == "Init presence module: th: 3 timer: 120 mic: False"
    assert "presence" not in board.shell("task list")


# all of them

MINE = """
from Common import fade, transition, transition_gen
seen = []
def go():
    fade("mine.fade", (0, 9), (5, 9), lambda row: seen.append(row), 50)
def rows():
    return seen
def generator(end):
    return list(transition(0, end, 10, 0.05))
def generators():
    made, step_ms = transition_gen(0, 4, 8, 4, interval_sec=0.02)
    return [made[0].__next__(), made[1].__next__(), step_ms]
"""


def test_a_module_of_anybody_fades_as_those_of_120_do(make_board):
    board = make_board(files={"modules/LM_mine.py": MINE})
    board.shell("mine go", "mine go")
    rows = eventually(lambda: ast.literal_eval(board.shell("mine rows")), lambda rows: rows and rows[-1] == (5, 9))
    assert rows.count((5, 9)) == 1 and rows[-6:] == [(value, 9) for value in range(6)]
    assert board.shell("mine generator 10", "mine generators") == "[0, 2, 4, 6, 8, 10]\n[0, 8, 5]"


def test_state_of_120_is_read_shown_and_kept_over_a_reboot(make_board):
    files = {"rgb.pds": "197.0,35.5,10.0,1", "cwww.pds": "300.0,600.0,1", "dimmer.pds": "1,300",
             "neopixel.pds": "10.0,127.5,20.0,1"}
    board = make_board(config=PINS, files=files)
    board.shell(*[f"{name} load_n_init" for name in LAMPS])
    assert [channels(board, name) for name in LAMPS] == [(197, 35, 10), (300, 600), (300,), (10, 127, 20)]
    board.shell("rgb color 1 2 3 smooth=False", "cct toggle smooth=False", "dimmer set_value 700 smooth=False",
                "neopixel brightness 50 smooth=False")
    assert [(board.dir / file).read_text() for file in files] == ["1,2,3,1", "300,600,0", "1,700", "10,128,20,1"]
    board.power_cycle()
    board.wait_ready()
    board.shell(*[f"{name} load_n_init" for name in LAMPS])
    assert [channels(board, name) for name in LAMPS] == [(1, 2, 3), (0, 0), (700,), (10, 128, 20)]


def test_a_state_file_that_no_lamp_can_show_is_brought_within_its_range(make_board):
    board = make_board(config=PINS, files={"rgb.pds": "99999,-5,10,7", "neopixel.pds": "nonsense", "dimmer.pds": "1"})
    assert state(board.shell("rgb status")) == {"R": 1000, "G": 0, "B": 10, "S": 1}
    assert state(board.shell("neopixel status")) == {"R": 100, "G": 100, "B": 100, "S": 0}
    assert state(board.shell("dimmer status")) == {"S": 0, "X": 500}


def test_a_lamp_fades_while_five_sessions_talk(board):
    board.shell("rgb color 0 0 0 smooth=False", "rgb transition b=1000 sec=20")
    sessions = [Wire(board) for _ in range(5)]
    answers = 0
    with board.watch() as changes:
        for _ in range(20):
            before = board.pwm["rgbue"].duty
            for number, session in enumerate(sessions):
                line = ("hello", "rgb status", "task list", "system clock", "rgb help")[number]
                answers += session.send(line + "\n").until("node01 $ ").endswith("\nnode01 $ ")
            while changes.until(change="pwm", name="rgbue")["duty"] <= before:
                pass
    assert answers == 100 and "Yes       rgb._tran" in board.shell("task list")
    for session in sessions:
        session.close()
    board.shell("rgb toggle False smooth=False")


def test_every_module_loads_from_bytecode(make_board):
    board = make_board(mpy=True, config=PINS)
    assert {path.suffix for path in (board.dir / "modules").iterdir()} == {".mpy"}
    for name in NAMES:
        assert not board.shell(f"{name} help").startswith("exec_lm_core")
    board.shell(*[f"{line} smooth=False" for line in HALF.values()], "neoeffects shader 1 5")
    assert [channels(board, name) for name in LAMPS[:3]] == [(100, 200, 500), (250, 500), (500,)]
    assert Ws2812Strip(board, NEOP).lit == [5]


def test_missing_pins_are_named_in_one_line_and_may_be_given(make_board):
    board = make_board(board="rp2")
    for name, pins in (("rgb", "redgb, rgreenb, rgbue"), ("cct", "cwhite, wwhite"), ("dimmer", "dim_1"),
                       ("neopixel", "neop")):
        assert board.shell(f"{name} load_n_init") == (
            f"exec_lm_core LM_{name}->load_n_init: [io-resolve] error: {missing(pins)}")
        assert " None" in board.shell(f"{name} pinmap")
    assert "irq1 has no pin on rp2" in board.shell("presence load_n_init")
    board.shell("conf", "cstmpmap dim_1:5", "noconf", "dimmer set_value 500 smooth=False")
    assert board.pwm[5].duty == 500


REFUSED = (
    ("rgb load_n_init 1 2", " takes "),
    ("rgb color r=1001", "a channel is 0-1000, got 1001"),
    ("rgb brightness 101", "Percent is out of range: 0-100"),
    ("rgb toggle 1 2 3", " takes "),
    ("rgb transition g=-1", "a channel is 0-1000, got -1"),
    ("rgb random max_val=1001", "max_val is 0-1000, got 1001"),
    ("rgb subscribe_presence 1", " takes "),
    ("rgb status 1 2", " takes "),
    ("rgb pinmap 1", " takes "),
    ("rgb help 1", " takes "),
    ("cct load_n_init x=1", "unexpected keyword argument"),
    ("cct white 1 2000", "a channel is 0-1000, got 2000"),
    ("cct brightness -1", "Percent is out of range: 0-100"),
    ("cct toggle x=1", "unexpected keyword argument"),
    ("cct transition 0.5", "a channel is 0-1000, got 0.5"),
    ("cct hue_transition 500", "Invalid range, percent=<0-100>"),
    ("cct random max_val=-1", "max_val is 0-1000, got -1"),
    ("cct subscribe_presence 1", " takes "),
    ("cct status 1 2", " takes "),
    ("cct pinmap 1", " takes "),
    ("cct help 1", " takes "),
    ("dimmer load_n_init 1 2", " takes "),
    ("dimmer set_value 3000", "DIMMER ERROR, VALUE 0-1000 ONLY, GIVEN: 3000"),
    ("dimmer toggle 1 2 3", " takes "),
    ("dimmer transition 1001", "a channel is 0-1000, got 1001"),
    ("dimmer transition", " takes "),
    ("dimmer subscribe_presence 1", " takes "),
    ("dimmer status 1 2", " takes "),
    ("dimmer pinmap 1", " takes "),
    ("dimmer help 1", " takes "),
    ("neopixel load_n_init ledcnt=0", "a strip has 1 pixel or more, got 0"),
    ("neopixel color 256", "a channel is 0-255, got 256"),
    ("neopixel brightness 1000", "Percent is out of range: 0-100"),
    ("neopixel segment 1 2 3 s=24", "NEOPIXEL index error: 24 > 23"),
    ("neopixel segment 1 2 3 s=40", "NEOPIXEL index error: 40 > 24"),
    ("neopixel segment 256 s=0", "a channel is 0-255, got 256"),
    ("neopixel toggle 1 2 3", " takes "),
    ("neopixel transition 0 0 300", "a channel is 0-255, got 300"),
    ("neopixel random max_val=256", "max_val is 0-255, got 256"),
    ("neopixel subscribe_presence 1", " takes "),
    ("neopixel status 1 2", " takes "),
    ("neopixel pinmap 1", " takes "),
    ("neopixel help 1", " takes "),
    ("neoeffects meteor 256", "a channel is 0-255, got 256"),
    ("neoeffects cycle b=red", "a channel is 0-255, got red"),
    ("neoeffects rainbow br=101", "br is 0-100, got 101"),
    ("neoeffects shader 0", "Shader invalid size: 0 (24)"),
    ("neoeffects random 300", "max_val is 0-255, got 300"),
    ("neoeffects color -1", "a channel is 0-255, got -1"),
    ("neoeffects fire 1 2 300", "a channel is 0-255, got 300"),
    ("neoeffects lmdep 1", " takes "),
    ("neoeffects pinmap 1", " takes "),
    ("neoeffects help 1", " takes "),
    ("presence load_n_init timer=soon", "threshold and timer are numbers, got soon"),
    ("presence motion_trig sample_ms=0", "sample_ms is 1 or more and buff_size 1-1000, got 0 and 10"),
    ("presence subscribe_intercon hello ''", "a subscription is `<host> <command>`, got hello"),
    ("presence notification 1 2", " takes "),
    ("presence get_samples 1", " takes "),
    ("presence pinmap 1", " takes "),
    ("presence help 1", " takes "),
)
REFUSED_BY_TINYPICO = (
    ("tinyrgb setrgb 256", "a channel is 0-255, got 256"),
    ("tinyrgb setrgb br=50", "br is 0.0-1.0, got 50"),
    ("tinyrgb getstate 1", " takes "),
    ("tinyrgb toggle 1 2", " takes "),
    ("tinyrgb wheel 1.5", "br is 0.0-1.0, got 1.5"),
    ("tinyrgb help 1", " takes "),
)


def test_what_a_function_cannot_take_gets_one_line_and_changes_nothing(board, lights):
    board.shell("neopixel load_n_init", *[f"{line} smooth=False" for line in HALF.values()])
    before = [channels(board, name) for name in LAMPS]
    with board.session() as session:
        for line, text in REFUSED:
            answer = session.send(line)
            assert text in answer and "\n" not in answer, line
    assert [channels(board, name) for name in LAMPS] == before


def test_the_pixel_of_a_tinypico_refuses_too(tinypico):
    tinypico.shell("tinyrgb toggle True", "tinyrgb setrgb 1 2 3 br=1")
    for line, text in REFUSED_BY_TINYPICO:
        assert text in tinypico.shell(line), line
    assert Apa102Strip(tinypico).colors == [(1, 2, 3)]


def test_every_function_has_something_it_refuses():
    refused = {tuple(line.split()[:2]) for line, _ in REFUSED + REFUSED_BY_TINYPICO}
    assert refused == {(name, function) for name in NAMES for function in public_functions(name)}
