"""Modules that move or sound: what a servo, a motor, a relay, a piezo on the pins does, and a knob the other way."""
import ast
import re

import pytest

from tests.device.answers import CALLED, NO_WORDS, ONE_WORD, alarms, functions_of, missing, told
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard
from toolkit.simulator.models.motion import L298N, L9110, Relay, RotaryEncoder, Servo, Stepper, attached
from toolkit.simulator.models.sound import Buzzer

MODULES = ("buzzer", "switch", "servo", "stepper", "L298N_DCmotor", "L9110_DCmotor", "roboarm", "pet_feeder", "catgame",
           "rencoder")
PINS = {
    "servo_1": 4, "servo_2": 5, "switch_1": 12, "switch_2": 13, "switch_3": 14, "switch_4": 15, "l298dir_1": 16,
    "l298dir_2": 17, "l298speed": 18, "l9110dir_1": 19, "l9110dir_2": 21, "stppr_1": 22, "stppr_2": 23, "stppr_3": 25,
    "stppr_4": 26, "buzzer": 27, "rot_clk": 32, "rot_dt": 33,
}
PIN_MAP = "".join(f"{name} = {number}\n" for name, number in PINS.items())     # no two share one, as on shipped maps
MAP_FILE = {"LP_esp32.py": PIN_MAP}
COILS = ("stppr_1", "stppr_2", "stppr_3", "stppr_4")
PROBE = """
import micropython
import LM_rencoder

class Level:
    def __init__(self):
        self.level = 1
    def value(self):
        return self.level
    def irq(self, handler, trigger):
        pass

def quarters():
    return LM_rencoder._encoder().quarters

def turn_without_heap():
    clk, dt = Level(), Level()
    encoder = LM_rencoder.Encoder(clk, dt)
    micropython.heap_lock()
    try:
        clk.level = 0
        encoder._on_edge(None)
        dt.level = 0
        encoder._on_edge(None)
        clk.level = dt.level = 1
        encoder._on_edge(None)
    finally:
        micropython.heap_unlock()
    return encoder.quarters
"""


@pytest.fixture(scope="module")
def board():
    """In the place of the one in conftest.py: every part has pins of its own."""
    files = {**MAP_FILE, "modules/LM_probe.py": PROBE}
    with VirtualBoard(config={"socmax": 8}, files=files) as running:
        yield running


def degrees(duty):
    """Where a servo stands at that duty, 0-1023 of 20 ms."""
    return (duty * 64 / 65536 * 20000 - 500) / 2000 * 180


def stands(lever, duty):
    return lever.angle_deg is not None and abs(lever.angle_deg - degrees(duty)) < 0.1


def is_running(board, tag):
    return re.search(rf"^Yes +{re.escape(tag)}$", board.shell("task list"), re.M) is not None


def finish(board, tag):
    eventually(lambda: is_running(board, tag), lambda running: not running)


# -- all of them

REFUSED = (      # module, function, words, the answer behind CALLED; with ! the whole answer
    ("buzzer", "bipp", "0", "repeat is 1 to 32, got 0"),
    ("buzzer", "bipp", "1 30000", "freq is 20 to 20000, got 30000"),
    ("buzzer", "play", "beep", "a tune is name:d=4,o=6,b=63:notes, got 0 colons"),
    ("buzzer", "play", "x:b=60:c,x", "note 2: x is none; 8c#5 or 4p is"),
    ("buzzer", "load_n_init", "True 1", ONE_WORD),
    ("switch", "set_state", "2", "![ERROR] switch input have to 0 or 1"),
    ("switch", "set_state2", "on", "![ERROR] switch input have to 0 or 1"),
    ("switch", "set_state3", "-1", "![ERROR] switch input have to 0 or 1"),
    ("switch", "set_state4", "0.5", "![ERROR] switch input have to 0 or 1"),
    ("switch", "toggle", "1", NO_WORDS),
    ("switch", "toggle2", "1", NO_WORDS),
    ("switch", "toggle3", "1", NO_WORDS),
    ("switch", "toggle4", "1", NO_WORDS),
    ("switch", "status", "set_state 2", ONE_WORD),
    ("switch", "load_n_init", "ch_init=[1,5]", "a channel of ch_init is 1 to 4, got 5"),
    ("servo", "sduty", "left", "duty is a number, 40-115, got left"),
    ("servo", "s2duty", "[40]", "duty is a number, 40-115, got [40]"),
    ("servo", "sdemo", "1", NO_WORDS),
    ("servo", "deinit", "1", NO_WORDS),
    ("servo", "status", "sduty s2duty", ONE_WORD),
    ("stepper", "load_n_init", "QUARTER", "mode is HALF or FULL, got QUARTER"),
    ("stepper", "angle", "north", "dg is in degrees, up to 100000 either way, got north"),
    ("stepper", "angle", "5 0", "speed is 1 to 1000, got 0"),
    ("stepper", "step", "1.5", "st is -100000 to 100000, got 1.5"),
    ("stepper", "standby", "1", NO_WORDS),
    ("L298N_DCmotor", "m1_control", "2 500", "direc is 0 (forward) or 1 (backward), got 2"),
    ("L298N_DCmotor", "m1_control", "0 fast", "! speed: value range error"),
    ("L298N_DCmotor", "set_speed", "1001", "! speed: value range error"),
    ("L298N_DCmotor", "stop", "1", NO_WORDS),
    ("L298N_DCmotor", "set_direction", "left", "direc is 0 (forward) or 1 (backward), got left"),
    ("L9110_DCmotor", "motor_control", "2 5", "!invalid parameters"),
    ("L9110_DCmotor", "motor_control", "0 1001", "!invalid parameters"),
    ("L9110_DCmotor", "motor_control", "0 -1", "!invalid parameters"),
    ("roboarm", "load_n_init", "1", NO_WORDS),
    ("roboarm", "control", "39 80", "x is 40 to 115, got 39"),
    ("roboarm", "control", "80 116", "y is 40 to 115, got 116"),
    ("roboarm", "control", "81 81 slow", "speed in ms is 0 to 1000, got slow"),
    ("roboarm", "boot_move", "-1", "speed in ms is 0 to 1000, got -1"),
    ("roboarm", "standby", "1", NO_WORDS),
    ("roboarm", "jiggle", "1", NO_WORDS),
    ("roboarm", "play", "40 40 50", "points are x y x y ..., got 3 numbers"),
    ("roboarm", "play", "40 40 delay=-5", "delay in ms is 0 to 60000, got -5"),
    ("roboarm", "record", "False 0", "!Record[0]: limit exceeded: 0"),
    ("roboarm", "random", "76", "x_range is 0 to 75, got 76"),
    ("roboarm", "status", "X Y", ONE_WORD),
    ("pet_feeder", "serve", "0", "portion is 1 to 100, got 0"),
    ("pet_feeder", "serve", "1 65 120", "posmax is 40 to 115, got 120"),
    ("pet_feeder", "serve_w_stepper", "1 all", "forward is 0 to 10000, got all"),
    ("catgame", "game", "0", "repeat is 1 to 1000, got 0"),
    ("catgame", "game", "1 36", "delta is 0 to 35, got 36"),
    ("catgame", "live_game", "101", "chance is 0 to 100, got 101"),
    ("catgame", "stop", "1", NO_WORDS),
    ("rencoder", "load_n_init", "1", NO_WORDS),
    ("rencoder", "read_state", "1", "function got multiple values for argument 'msgobj'"),
    ("rencoder", "reset_state", "1", NO_WORDS),
)


def driven(board):
    """What is on all pins."""
    return {pin: (board.pins[pin], board.pwm[pin]) for pin in PINS}


@pytest.mark.parametrize(("name", "function", "words", "answer"), REFUSED)
def test_what_is_refused_gets_one_line_and_moves_nothing(board, name, function, words, answer):
    before = driven(board)
    expected = answer[1:] if answer.startswith("!") else (CALLED + answer).format(name, function, function)
    assert board.shell(f"{name} {function} {words}") == expected
    assert driven(board) == before


@pytest.mark.parametrize("name", MODULES)
def test_the_table_of_refusals_has_every_function(name):
    asked = {function for module, function, _, _ in REFUSED if module == name}
    assert asked == functions_of(name) - {"help", "pinmap", "lmdep"}


@pytest.mark.parametrize("name", MODULES)
def test_help_names_every_function_but_itself(board, name):
    rows = ast.literal_eval(board.shell(f"{name} help >json"))
    assert {row.split()[0] for row in rows} == functions_of(name) - {"help"}
    assert board.shell(f"{name} help 1") == (CALLED + NO_WORDS).format(name, "help", "help")


OWN_PINS = {
    "buzzer": ("buzzer",), "switch": ("switch_1", "switch_2", "switch_3", "switch_4"), "servo": ("servo_1", "servo_2"),
    "stepper": COILS, "L298N_DCmotor": ("l298dir_1", "l298dir_2", "l298speed"),
    "L9110_DCmotor": ("l9110dir_1", "l9110dir_2"), "roboarm": ("servo_1", "servo_2", "switch_1"),
    "catgame": ("servo_1", "servo_2"), "rencoder": ("rot_clk", "rot_dt"),
}


@pytest.mark.parametrize("name", OWN_PINS)
def test_pinmap_tells_the_pins_of_the_map(board, name):
    assert told(board, f"{name} pinmap") == {pin: str(PINS[pin]) for pin in OWN_PINS[name]}
    assert board.shell(f"{name} pinmap 1") == (CALLED + NO_WORDS).format(name, "pinmap", "pinmap")


@pytest.mark.parametrize(("name", "needs"), [("roboarm", "('servo', 'switch')"), ("catgame", "servo"),
                                             ("pet_feeder", "('servo', 'stepper')")])
def test_lmdep_names_the_modules_it_needs(board, name, needs):
    assert board.shell(f"{name} lmdep") == needs
    assert board.shell(f"{name} lmdep 1") == (CALLED + NO_WORDS).format(name, "lmdep", "lmdep")


NEEDS = (        # a call, and what it names on a board that has none of the pins
    ("buzzer bipp", "buzzer"), ("buzzer play", "buzzer"), ("switch set_state2 1", "switch_2"),
    ("servo sduty", "servo_1"), ("servo sdemo", "servo_1"), ("stepper step 1", "stppr_1, stppr_2, stppr_3, stppr_4"),
    ("L298N_DCmotor set_speed 5", "l298dir_1, l298dir_2, l298speed"),
    ("L9110_DCmotor motor_control 0 5", "l9110dir_1, l9110dir_2"),
    ("roboarm control 80 80", "servo_1, servo_2, switch_1"), ("pet_feeder serve", "servo_1"),
    ("pet_feeder serve_w_stepper", "stppr_1, stppr_2, stppr_3, stppr_4"), ("catgame game", "servo_1"),
    ("rencoder load_n_init", "rot_clk, rot_dt"),
)


def test_a_board_without_the_pins_names_those_that_are_missing(make_board):
    board = make_board(board="rp2", files={"LP_rp2.py": "builtin = 25\n"})
    for line, pins in NEEDS:
        module, function = line.split()[:2]
        assert board.shell(line) == (CALLED.format(module, function) +
                                     f"[io-resolve] error: {missing(pins)}")


def test_a_board_whose_pwm_has_no_duty_turns_servos_too(make_board):
    board = make_board(board="rp2", files={"LP_rp2.py": PIN_MAP})
    lever, piezo = Servo("servo_1"), Buzzer("buzzer")
    with attached(board, lever, piezo) as world:
        board.shell("servo sduty 100", "buzzer bipp")
        world.until(lambda: stands(lever, 100) and piezo.now_hz == 600)


@pytest.mark.slow
def test_every_module_runs_as_bytecode(make_board):
    board = make_board(mpy=True, files=MAP_FILE)
    assert {path.suffix for path in (board.dir / "modules").iterdir()} == {".mpy"}
    with board.session() as session:
        for name in MODULES:
            assert session.send(f"{name} help").count(",\n") >= 1
        assert session.send("roboarm control 78 80") == "Move X77->78 Y77->80"
        assert session.send("buzzer play x:d=32,b=900:c") == "Play song"
        assert session.send("rencoder load_n_init") == "Init RotaryEncoder with IRQs."
        assert session.send("stepper step 1") == "Move 1 step (2 ms)"
        assert session.send("L298N_DCmotor m1_control 1 2 >json").startswith("{")
        assert session.send("L9110_DCmotor motor_control 1 2 >json").startswith("{")
        assert session.send("pet_feeder serve") == "Starting"
        assert session.send("catgame game 1") == "Game action"
        assert session.send("switch toggle4") == "SET STATE(4): 1"


def test_a_taken_pin_is_named_and_nothing_else_is_taken(make_board):
    board = make_board()                     # on the shipped map stppr_1 is buzzer, stppr_3 switch_1, stppr_4 servo_1
    board.shell("servo sduty")
    assert board.shell("stepper standby").endswith("[io] Pin stppr_4 is busy: servo_1:27")
    assert board.shell("buzzer load_n_init", "switch set_state 1") == "CACHE: True\nSET STATE: 1"


# -- servos

def test_a_servo_turns_as_far_as_its_pulse_says(board):
    first, second = Servo("servo_1"), Servo("servo_2")
    with attached(board, first, second) as world:
        for line, answer, lever, duty in (
                ("sduty 40", "SET SERVO1: duty: 40", first, 40), ("sduty", "SET SERVO1: duty: 75", first, 75),
                ("sduty 500", "SET SERVO1: duty: 115", first, 115), ("sduty -1", "SET SERVO1: duty: 40", first, 40),
                ("s2duty 60", "SET SERVO2: duty: 60", second, 60), ("s2duty", "SET SERVO2: duty: 75", second, 75)):
            assert board.shell(f"servo {line}") == answer
            world.until(lambda lever=lever, duty=duty: stands(lever, duty))
        assert told(board, "servo status") == {"S1": "40", "S2": "75"}
        assert board.shell("servo status s2duty", "servo status sduty") == " X: 75\n X: 40"
        assert board.shell("servo deinit") == "Deinit servo 1 and 2"
        world.until(lambda: not first.is_held and not second.is_held)
    assert stands(first, 40) and not first.faults + second.faults


def test_a_servo_shows_all_it_can_and_comes_back(board):
    lever = Servo("servo_1")
    with attached(board, lever) as world:
        assert board.shell("servo sdemo") == "sduty DEMO"
        for duty in (40, 115, 75):
            world.until(lambda duty=duty: stands(lever, duty))
    board.shell("servo deinit")
    assert not is_running(board, "servo._demo")


def test_a_stuck_servo_gets_its_pulses_and_stays(board):
    lever = Servo("servo_1")
    with attached(board, lever) as world:
        board.shell("servo sduty 50")
        world.until(lambda: stands(lever, 50))
        lever.is_stuck = True
        board.shell("servo sduty 100")
        world.until(lambda: lever.pulse_us > 1900)
    assert stands(lever, 50)
    board.shell("servo deinit")


# -- relays

@pytest.mark.parametrize(("channel", "text"), [("", "SET STATE"), ("2", "SET STATE(2)"), ("3", "SET STATE(3)"),
                                               ("4", "SET STATE(4)")])
def test_a_relay_closes_and_opens(board, channel, text):
    relay = Relay(f"switch_{channel or 1}")
    with attached(board, relay) as world:
        assert board.shell(f"switch set_state{channel} 1") == f"{text}: 1"
        world.until(lambda: relay.is_closed)
        assert board.shell(f"switch set_state{channel}") == f"{text}: 1"
        assert board.shell(f"switch status set_state{channel}") == " S: 1"
        assert board.shell(f"switch toggle{channel}") == f"{text}: 0"
        world.until(lambda: not relay.is_closed)
        assert board.shell(f"switch toggle{channel}", f"switch set_state{channel} False") == f"{text}: 1\n{text}: 0"
        world.until(lambda: relay.clicks == 4)
    assert board.shell(f"switch status toggle{channel}") == " S: 0"
    assert (board.dir / "switch.pds").read_text() == "0,0,0,0"


def test_a_welded_relay_clicks_no_more(board):
    relay, other = Relay("switch_1"), Relay("switch_2")
    with attached(board, relay, other) as world:
        board.shell("switch set_state 1")
        world.until(lambda: relay.is_closed)
        relay.is_welded = True
        board.shell("switch set_state 0", "switch toggle2")
        world.until(lambda: other.is_closed)
    assert relay.is_closed and told(board, "switch status") == {"SW1": "0", "SW2": "1", "SW3": "0", "SW4": "0"}
    board.shell("switch toggle2")


def test_a_relay_takes_its_pin_when_it_is_switched_or_named(make_board):
    board = make_board(files=MAP_FILE)
    assert board.shell("switch load_n_init", "system pinmap switch_1").count("switch_") == 1
    board.shell("switch load_n_init ch_init=[1,3]")
    booked = board.shell("system pinmap")
    assert "12: 'switch_1'" in booked and "14: 'switch_3'" in booked and "switch_2" not in booked


def test_relays_that_were_on_are_on_again_each_for_itself(make_board):
    board = make_board(files={**MAP_FILE, "switch.pds": "0,1,0,1"})
    assert board.shell("switch load_n_init") == "CACHE: True"
    assert [board.pins[pin] for pin in OWN_PINS["switch"]] == [0, 1, 0, 1]


def test_a_relay_whose_pin_is_taken_stays_off_and_is_an_alarm(make_board):
    board = make_board(files={"switch.pds": "1,0,1,0"})      # on the shipped map servo_1 and switch_3 share pin 27
    assert board.shell("servo sduty", "switch load_n_init") == "SET SERVO1: duty: 75\nCACHE: True"
    assert told(board, "switch status") == {"SW1": "1", "SW2": "0", "SW3": "0", "SW4": "0"}
    assert board.pins["switch_1"] == 1
    assert "switch 3 stays off: [io] Pin switch_3 is busy: servo_1:27" in board.shell("system alarms")


def test_relays_started_without_a_cache_are_off_and_write_nothing(make_board):
    board = make_board(files={**MAP_FILE, "switch.pds": "1,1,1,1"})
    assert board.shell("switch load_n_init cache=False") == "CACHE: False"
    assert board.shell("switch toggle2") == "SET STATE(2): 1"
    assert [board.pins[pin] for pin in OWN_PINS["switch"]] == [0, 1, 0, 0]
    assert (board.dir / "switch.pds").read_text() == "1,1,1,1"


# -- stepper

def test_a_stepper_walks_there_and_back(board):
    motor = Stepper(*COILS)
    with attached(board, motor) as world:
        assert board.shell("stepper load_n_init") == "None"
        assert board.shell("stepper step 3") == "Move 3 step (2 ms)"
        world.until(lambda: motor.half_steps == 24)
        assert board.shell("stepper step -1 speed=1") == "Move -1 step (1 ms)"
        world.until(lambda: motor.half_steps == 16)
        assert board.shell("stepper angle 5") == "Move 5 degree (2 ms)"
        world.until(lambda: motor.half_steps == 16 + 57)     # 5 degrees of 4075.77 half steps
        assert board.shell("stepper angle -2.5") == "Move -2.5 degree (2 ms)"
        assert board.shell("stepper angle -2.5", "stepper step 0").startswith("Move -2.5 degree (2 ms)\n")
        world.until(lambda: motor.half_steps == 16 + 57 - 2 * 28)
        assert abs(motor.angle_deg - 17 * 360 / 4075.77) < 0.001
        assert board.shell("stepper angle -0.125") == "Move -0.125 degree (2 ms)"
        world.until(lambda: motor.half_steps == 16)
        finish(board, "stepper._move")
        assert motor.coils != 0                              # it holds its place
        assert board.shell("stepper standby") == "Standby"
        world.until(lambda: motor.coils == 0)
    assert motor.faults == [] and motor.half_steps == 16


def test_full_steps_have_two_coils_on(make_board):
    board, motor = make_board(files=MAP_FILE), Stepper(*COILS)
    with attached(board, motor) as world:
        assert board.shell("stepper load_n_init FULL", "stepper step 2") == "None\nMove 2 step (4 ms)"
        for half_steps in (1, 3, 5, 7, 9, 11, 13, 15):           # the first one leads to where two are on
            world.until(lambda half_steps=half_steps: motor.half_steps == half_steps and motor.coils.bit_count() == 2)
        board.shell("stepper step -1 1")
        world.until(lambda: motor.half_steps == 7 and motor.coils.bit_count() == 2)
    assert motor.faults == []


def test_moves_of_a_stepper_follow_one_another(board):
    motor = Stepper(*COILS)
    with attached(board, motor) as world:
        for count in (2, -3, 4):
            board.shell(f"stepper step {count} 1")
        seen = []
        for goal in (16, -8, 24):
            world.until(lambda goal=goal: motor.half_steps == goal)
            seen.append(motor.half_steps)
    assert seen == [16, -8, 24] and motor.faults == []
    board.shell("stepper standby")


def test_the_shell_answers_while_a_stepper_walks_and_standby_stops_it(make_board):
    board, motor = make_board(files=MAP_FILE), Stepper(*COILS)
    with attached(board, motor) as world:
        board.shell("stepper step 500")
        world.until(lambda: motor.half_steps > 8)
        assert board.shell("hello").startswith("hello:node01:")
        assert is_running(board, "stepper._move")
        before = motor.half_steps
        world.until(lambda: motor.half_steps > before + 8)
        board.shell("stepper standby")
        world.until(lambda: motor.coils == 0)
    assert not is_running(board, "stepper._move") and motor.half_steps < 4000


def test_only_so_many_moves_may_wait(make_board):
    with make_board(files=MAP_FILE).session() as session:
        answers = [session.send("stepper step 500") for _ in range(18)]
        assert session.send("stepper standby") == "Standby"
    assert answers[:17] == ["Move 500 step (2 ms)"] * 17
    assert answers[17] == (CALLED.format("stepper", "step") +
                           "16 moves wait already; task kill stepper._move ends them")


def test_a_move_killed_before_its_first_step_leaves_nothing_behind(board):
    motor = Stepper(*COILS)
    with attached(board, motor) as world:
        with board.connect() as link:
            link.sendall(b"stepper step 500\ntask kill stepper._move\nstepper step 1\n")
            world.until(lambda: motor.half_steps == 8)
            finish(board, "stepper._move")
        board.shell("stepper step -1")
        world.until(lambda: motor.half_steps == 0)
    board.shell("stepper standby")


def test_a_stepper_with_an_open_coil_does_not_arrive(board):
    motor = Stepper(*COILS)
    motor.open_coils.add(2)
    with attached(board, motor) as world:
        board.shell("stepper step 2 1")
        finish(board, "stepper._move")
        board.shell("stepper standby")
        world.until(lambda: motor.coils == 0 and bool(motor.faults))
    assert motor.half_steps < 16 and "a jump of" in motor.faults[0]


# -- motors on bridges

def test_an_l298_turns_its_motor_both_ways(board):
    motor = L298N("l298dir_1", "l298dir_2", "l298speed")
    with attached(board, motor) as world:
        assert told(board, "L298N_DCmotor m1_control 0 500") == {"direction": "forward", "speed": "500"}
        world.until(lambda: motor.speed == 500 / 1024)
        assert board.shell("L298N_DCmotor set_direction 1") == " direction: backward"
        world.until(lambda: motor.speed == -500 / 1024)
        assert board.shell("L298N_DCmotor set_speed 1000") == " speed: 1000"
        world.until(lambda: motor.speed == -1000 / 1024)
        assert board.shell("L298N_DCmotor set_speed") == " speed: 100"
        world.until(lambda: motor.speed == -100 / 1024)
        assert board.shell("L298N_DCmotor set_direction") == " direction: forward"
        world.until(lambda: motor.direction == "forward")
        assert board.shell("L298N_DCmotor m1_control") == ""
        assert board.shell("L298N_DCmotor m1_control speed=7") == " speed: 7"
        world.until(lambda: motor.speed == 7 / 1024)
        assert board.shell("L298N_DCmotor stop") == " speed: 0"
        world.until(lambda: motor.direction == "stopped")
    assert board.pwm["l298speed"].freq_hz == 50


def test_an_l9110_turns_its_motor_both_ways(board):
    motor = L9110("l9110dir_1", "l9110dir_2")
    with attached(board, motor) as world:
        assert told(board, "L9110_DCmotor motor_control") == {"direc": "forward", "speed": "0"}
        assert told(board, "L9110_DCmotor motor_control 0 500") == {"direc": "forward", "speed": "500"}
        world.until(lambda: motor.speed == 500 / 1024)
        assert told(board, "L9110_DCmotor motor_control 1") == {"direc": "backward", "speed": "500"}
        world.until(lambda: motor.speed == -500 / 1024)
        assert told(board, "L9110_DCmotor motor_control speed=1000") == {"direc": "backward", "speed": "1000"}
        world.until(lambda: motor.speed == -1000 / 1024)
        assert told(board, "L9110_DCmotor motor_control speed=0") == {"direc": "backward", "speed": "0"}
        world.until(lambda: motor.direction == "stopped")
    assert board.pwm["l9110dir_1"].freq_hz == 1024


def test_a_blocked_wheel_stalls_its_motor(board):
    motor = L9110("l9110dir_1", "l9110dir_2")
    motor.is_blocked = True
    with attached(board, motor) as world:
        board.shell("L9110_DCmotor motor_control 0 300")
        world.until(lambda: motor.is_stalled)
        assert motor.speed == 0
        board.shell("L9110_DCmotor motor_control 0 0")
        world.until(lambda: not motor.is_stalled)


# -- buzzer

def test_beeps_are_heard_and_the_last_frequency_is_kept(board):
    piezo = Buzzer("buzzer")
    with attached(board, piezo) as world:
        assert board.shell("buzzer load_n_init") == "CACHE: True"
        assert board.shell("buzzer bipp") == "Bip on 600 Hz"
        assert board.shell("buzzer bipp 2 freq=800") == "Bipp on 800 Hz"
        assert board.shell("buzzer bipp") == "Bip on 800 Hz"
        world.until(lambda: len([tone for tone in piezo.heard if tone.ms]) == 4)
    assert piezo.pitches_hz == [600, 800, 800, 800]
    assert (board.dir / "buzzer.pds").read_text() == "800"
    finish(board, "buzzer._play")


def test_a_tune_is_heard_note_by_note(board):
    piezo = Buzzer("buzzer")
    with attached(board, piezo) as world:
        assert board.shell('buzzer play "Up: d=32, o=5, b=900: c, c, p, e, g, c6"') == "Play song"
        world.until(lambda: len(piezo.heard) == 5)
    assert piezo.pitches_hz == [523, 523, 659, 784, 1047]
    finish(board, "buzzer._play")


def test_the_shell_answers_while_a_tune_plays(board):
    piezo = Buzzer("buzzer")
    with attached(board, piezo) as world:
        assert board.shell("buzzer play rtttlstr=d=1,o=5,b=60:c,e") == "Play song"       # 8 s
        world.until(lambda: piezo.now_hz == 523)
        assert board.shell("hello").startswith("hello:node01:")
        assert board.shell("buzzer play") == "Song already playing"
        assert is_running(board, "buzzer._play")
        assert board.shell("task kill buzzer._play") == "Kill: buzzer._play|True"
        world.until(lambda: piezo.now_hz == 0)
        assert piezo.pitches_hz == [523]
        assert board.shell("buzzer play") == "Play song"
        world.until(lambda: piezo.now_hz == 659)
        board.shell("task kill buzzer._play")
        world.until(lambda: piezo.now_hz == 0)


def test_a_tune_killed_before_its_first_note_does_not_block_the_next(board):
    piezo = Buzzer("buzzer")
    with attached(board, piezo) as world:
        with board.connect() as link:
            link.sendall(b"buzzer play x:o=7:1a\ntask kill buzzer._play\nbuzzer play x:b=900:32c\n")
            world.until(lambda: 1047 in piezo.pitches_hz)
    finish(board, "buzzer._play")


def test_a_cracked_piezo_is_silent(board):
    piezo = Buzzer("buzzer")
    piezo.is_cracked = True
    relay = Relay("switch_1")
    with attached(board, piezo, relay) as world:
        board.shell("buzzer play x:b=900,o=5,d=32:c,e")
        finish(board, "buzzer._play")
        board.shell("switch toggle", "switch toggle")
        world.until(lambda: relay.clicks == 2)         # by now it has seen all of the tune
    assert piezo.heard == [] and board.pwm["buzzer"].freq_hz == 659


def test_a_buzzer_without_a_cache_beeps_at_600_hz_and_writes_nothing(make_board):
    board = make_board(files={**MAP_FILE, "buzzer.pds": "800"})
    assert board.shell("buzzer load_n_init False") == "CACHE: False"
    assert board.shell("buzzer bipp", "buzzer bipp 1 900", "buzzer bipp").split("\n") == [
        "Bip on 600 Hz", "Bip on 900 Hz", "Bip on 900 Hz"]
    assert (board.dir / "buzzer.pds").read_text() == "800"


# -- the arm, the toys

@pytest.fixture
def arm(board):
    """The arm at home, no record; (world, x, y, laser)."""
    x, y, laser = Servo("servo_1"), Servo("servo_2"), Relay("switch_1")
    with attached(board, x, y, laser) as world:
        assert board.shell("roboarm load_n_init") == "Move to home"
        world.until(lambda: stands(x, 77) and stands(y, 77))
        yield world, x, y, laser
    board.shell("roboarm load_n_init", "roboarm record True", "servo deinit")


def test_the_arm_goes_there_step_by_step(board, arm):
    world, x, y, _ = arm
    assert board.shell("roboarm control 80 72 5") == "Move X77->80 Y77->72"
    assert board.shell("roboarm control 80 72") == "Already on X:80 Y:72"
    assert told(board, "roboarm status") == {"X": "80", "Y": "72"}
    for duty in (76, 75, 74, 73, 72):
        world.until(lambda duty=duty: stands(y, duty))
    assert stands(x, 80)
    assert board.shell("roboarm control 60 60 smooth=False") == "Move X80->60 Y72->60"
    world.until(lambda: stands(x, 60) and stands(y, 60))


def test_the_arm_looks_around_shakes_and_parks(board, arm):
    world, x, y, _ = arm
    assert board.shell("roboarm boot_move 1") == "Boot move"
    for point in ((60, 77), (94, 77), (77, 90), (77, 77)):
        world.until(lambda point=point: stands(x, point[0]) and stands(y, point[1]))
    assert board.shell("roboarm jiggle") == "JJiggle :)"
    for point in ((80, 77), (74, 77), (77, 80), (77, 77)):
        world.until(lambda point=point: stands(x, point[0]) and stands(y, point[1]))
    assert board.shell("roboarm standby") == "Standby mode"
    world.until(lambda: stands(x, 77) and stands(y, 45) and not x.is_held and not y.is_held)
    assert told(board, "roboarm status") == {"X": "77", "Y": "45"}


def test_the_arm_plays_points_with_the_laser_on(board, arm):
    world, x, y, laser = arm
    assert board.shell("roboarm play 70 70 85 72 s=1 delay=5") == "Play: 2 steps"
    assert board.shell("roboarm play") == "Play - already running"
    world.until(lambda: stands(x, 70) and stands(y, 70) and laser.is_closed)
    world.until(lambda: stands(x, 85) and stands(y, 72))
    world.until(lambda: not laser.is_closed and not x.is_held)
    finish(board, "roboarm._play")
    board.shell("roboarm play 70 70 s=0 deinit=False")
    world.until(lambda: stands(x, 70) and not laser.is_closed)
    assert x.is_held
    board.shell("roboarm play 70 70 s=0", "roboarm control 115 115 50")
    world.until(lambda: laser.is_closed)
    world.until(lambda: not laser.is_closed)
    assert is_running(board, "roboarm._play")      # on its way to 115


def test_an_arm_that_is_killed_stays_and_its_laser_goes_out(board, arm):
    world, x, _, laser = arm
    board.shell("roboarm play 115 115 40 40 s=100")
    world.until(lambda: stands(x, 79) and laser.is_closed)
    board.shell("task kill roboarm._play")
    world.until(lambda: not laser.is_closed)
    assert 77 < int(told(board, "roboarm status")["X"]) < 115
    assert board.shell("roboarm play 77 77 s=0") == "Play: 1 steps"


def test_the_laser_goes_out_when_other_moves_follow_at_once(board, arm):
    world, x, _, laser = arm
    for end in (b"task kill roboarm._play\n", b"roboarm load_n_init\n"):
        board.shell("roboarm load_n_init", "roboarm play 115 115 s=50")
        world.until(lambda: laser.is_closed)
        with board.connect() as link:
            link.sendall(end + b"roboarm control 40 40 50\n")
            world.until(lambda: not laser.is_closed)
            assert is_running(board, "roboarm._play")


def test_the_arm_records_where_it_is_and_plays_it_back(board, arm):
    world, x, y, _ = arm
    assert board.shell("roboarm record True", "roboarm play") == "Record was cleaned\nPlay: 0 steps"
    finish(board, "roboarm._play")
    board.shell("roboarm control 70 75 0")
    assert board.shell("roboarm record") == "Record[0]: X:70 Y:75"
    board.shell("roboarm control 72 79 0")
    assert board.shell("roboarm record rec_limit=2") == "Record[1]: X:72 Y:79"
    assert board.shell("roboarm record rec_limit=2") == "Record[2]: limit exceeded: 2"
    assert (board.dir / "rarm.pds").read_text() == "70,75,72,79"
    board.shell("roboarm load_n_init")
    world.until(lambda: stands(x, 77))
    assert board.shell("roboarm play s=0") == "Play: 2 steps"
    world.until(lambda: stands(x, 70) and stands(y, 75))
    world.until(lambda: stands(x, 72) and stands(y, 79))
    assert board.shell("roboarm record True") == "Record was cleaned"
    assert not (board.dir / "rarm.pds").exists()


def test_the_arm_goes_by_chance_not_farther_than_told(board, arm):
    world, x, y, _ = arm
    answer = board.shell("roboarm random 3 0 0")
    goal = re.fullmatch(r"Move X77->(\d+) Y77->77|Already on X:77 Y:77", answer)
    assert goal and 74 <= int(goal[1] or 77) <= 80
    world.until(lambda: stands(x, int(goal[1] or 77)) and stands(y, 77))


def test_a_cat_gets_its_game_and_the_servo_its_rest(board):
    lever = Servo("servo_1")
    with attached(board, lever) as world:
        assert board.shell("catgame game 1 0") == "Game action"
        world.until(lambda: stands(lever, 75))
        world.until(lambda: not lever.is_held)
        assert board.shell("catgame live_game 0") == "No action"
        assert board.shell("catgame live_game 100") == "Game action"
        world.until(lambda: lever.is_held)
        assert board.shell("hello").startswith("hello:") and is_running(board, "catgame._game")
        assert board.shell("catgame stop") == "SET SERVO1: duty: 75"
        world.until(lambda: stands(lever, 75) and not lever.is_held)
    finish(board, "catgame._game")


def test_a_portion_is_served_by_servo(board):
    lever = Servo("servo_1")
    with attached(board, lever) as world:
        assert board.shell("pet_feeder serve 1 50 100") == "Starting"
        world.until(lambda: stands(lever, 50))
        world.until(lambda: stands(lever, 100))
        assert board.shell("pet_feeder serve") == "Already running"
        world.until(lambda: stands(lever, 50))
        board.shell("task kill pet_feeder.portion")
        world.until(lambda: not lever.is_held)


def test_a_portion_is_served_by_stepper(make_board):
    board, motor = make_board(files=MAP_FILE), Stepper(*COILS)
    with attached(board, motor) as world:
        assert board.shell("pet_feeder serve_w_stepper 2 4 1") == "None"
        assert board.shell("pet_feeder serve_w_stepper") == (
            CALLED.format("pet_feeder", "serve_w_stepper") +
            "a portion is on its way; task kill pet_feeder.portion ends it")
        for half_steps in (32, 24, 56, 48):
            world.until(lambda half_steps=half_steps: motor.half_steps == half_steps)
        world.until(lambda: motor.coils == 0)
        finish(board, "pet_feeder.portion")
        board.shell("pet_feeder serve_w_stepper 1 500")
        world.until(lambda: motor.half_steps > 60)
        board.shell("task kill pet_feeder.portion")
        world.until(lambda: motor.coils == 0)
    assert motor.faults == [] and not is_running(board, "stepper._move")


# -- the knob

@pytest.fixture
def knob(board):
    """A knob turned no faster than the board sees; counts from 0."""
    with board.session() as session:
        made = RotaryEncoder(board, "rot_clk", "rot_dt")
        assert session.send("rencoder load_n_init") == "Init RotaryEncoder with IRQs."
        before = int(session.send("probe quarters"))
        made.settle = lambda quarters: eventually(
            lambda: int(session.send("probe quarters")), lambda seen: seen == before + quarters)
        session.send("rencoder reset_state")
        yield made


def test_a_knob_counts_detents_both_ways(board, knob):
    assert board.shell("rencoder read_state") == ""
    knob.turn(3)
    assert board.shell("rencoder read_state") == "[stream] RotaryState: 3"
    assert board.shell("rencoder read_state") == ""
    knob.turn(-5)
    assert board.shell("rencoder read_state") == "[stream] RotaryState: -2"
    assert board.shell("rencoder reset_state") == "Reset state -2 -> 0"
    knob.turn(1)
    assert board.shell("rencoder read_state", "rencoder reset_state") == (
        "[stream] RotaryState: 1\nReset state 1 -> 0")


def test_a_knob_that_falls_back_into_its_detent_counts_nothing(board, knob):
    seen, settle = [], knob.settle

    def look(quarters):
        settle(quarters)
        seen.append(board.shell("rencoder read_state"))
    knob.settle = look
    knob.nudge(1)
    knob.nudge(-1)
    assert seen == [""] * 4
    knob.nudge(3)
    assert board.shell("rencoder reset_state") == "Reset state 0 -> 0"


def test_a_worn_knob_that_bounces_counts_right(board, knob):
    knob.is_worn = True
    knob.turn(2)
    knob.turn(-1)
    assert board.shell("rencoder reset_state") == "Reset state 1 -> 0"


@pytest.mark.parametrize(("still", "moving"), [("rot_clk", "rot_dt"), ("rot_dt", "rot_clk")])
def test_a_wire_of_the_knob_that_is_off_is_named_and_comes_back(board, knob, still, moving):
    def after_a_pulse(pin):
        board.pins[pin] = 0
        board.pins[pin] = 1
        return board.shell("rencoder read_state")
    text = f"{still} (pin {PINS[still]}): stands still while the other one moves; is it plugged in?"
    for _ in range(2):
        eventually(lambda: after_a_pulse(moving),
                   lambda answer: answer == CALLED.format("rencoder", "read_state") + text)
        assert alarms(board) == [text]
        eventually(lambda: after_a_pulse(still), lambda answer: not answer.startswith("exec_lm_core"))


def test_an_edge_of_the_knob_needs_no_heap_and_a_missed_one_goes_on_as_before(board):
    assert board.shell("probe turn_without_heap") == "4"


# -- a reboot

def test_files_of_1207_are_taken_and_state_survives_a_power_cut(make_board):
    files = {"switch.pds": "0,0,1,1", "buzzer.pds": "900", "rarm.pds": "60,61,62,63"}
    board = make_board(files={**MAP_FILE, **files})
    assert board.shell("switch load_n_init", "buzzer bipp", "roboarm record").split("\n") == [
        "CACHE: True", "Bip on 900 Hz", "Record[2]: X:77 Y:77"]
    assert [board.pins[pin] for pin in OWN_PINS["switch"]] == [0, 0, 1, 1]
    assert {name: (board.dir / name).read_text() for name in files} == {**files, "rarm.pds": "60,61,62,63,77,77"}
    board.shell("switch toggle2", "switch toggle3", "buzzer bipp freq=1000")
    board.power_cycle()
    board.wait_ready()
    assert board.shell("buzzer bipp", "switch load_n_init", "roboarm play s=0").split("\n") == [
        "Bip on 1000 Hz", "CACHE: True", "Play: 3 steps"]
    assert [board.pins[pin] for pin in OWN_PINS["switch"]][1:] == [1, 0, 1]


def test_a_damaged_state_file_is_as_none(make_board):
    files = {"switch.pds": "on,off", "buzzer.pds": "0", "rarm.pds": "60,sixty"}
    board = make_board(files={**MAP_FILE, **files})
    assert board.shell("switch status set_state", "buzzer bipp", "roboarm play").split("\n") == [
        " S: 0", "Bip on 600 Hz", "Play: 0 steps"]
