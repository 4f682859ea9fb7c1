"""Sensors on the I2C bus: what they tell against what is there, and what they say when a chip fails."""
import ast

import pytest

from tests.device.answers import CALLED, NO_WORDS, alarms, fails, functions_of, told
from tests.device.wire import Wire, eventually
from toolkit.simulator import VirtualBoard

MODULES = ("bme280", "VL53L0X")
BME280 = "bme280 at {} (i2c_scl 22, i2c_sda 21): "
ANY_BME280 = BME280.format("0x76 or 0x77")
VL53L0X = "VL53L0X at 0x29 (i2c_scl 22, i2c_sda 21): "
NO_ANSWER = "no answer; is it plugged in, and has it power?"


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(config={"socmax": 8, "ntphost": "n/a"}) as running:
        yield running


@pytest.fixture
def bme(board):
    """Function that changes the world of a BME280."""
    yield plugged(board, 0x76, "bme280")
    board.chip(0x76, fault="unplugged")


@pytest.fixture
def second_bme(board):
    """The same, of one that has its pin SDO at the supply."""
    yield plugged(board, 0x77, "bme280")
    board.chip(0x77, fault="unplugged")


@pytest.fixture
def laser(board):
    """Function that changes the world of a VL53L0X."""
    yield plugged(board, 0x29, "vl53l0x")
    board.chip(0x29, fault="unplugged")


def plugged(board, address, model):
    """Function that changes the world of a chip, which is there from now on."""
    def change(**facts):
        board.chip(address, **facts)
        board.clock.advance(0.01)                # a chip that has just got power starts up
    board.chip(address, model)
    change()
    return change


# -- all of them

@pytest.mark.parametrize("name", MODULES)
def test_a_word_too_many_gets_one_line(board, name):
    for function in functions_of(name):
        assert board.shell(f"{name} {function} 1") == (
            CALLED + NO_WORDS).format(name, function, function)


@pytest.mark.parametrize("name", MODULES)
def test_help_names_every_function_but_itself(board, name):
    rows = ast.literal_eval(board.shell(f"{name} help >json"))
    assert {row.split()[0] for row in rows} == functions_of(name) - {"help"}


@pytest.mark.parametrize("name", MODULES)
def test_pinmap_tells_the_pins_of_the_bus(board, name):
    assert told(board, f"{name} pinmap") == {"i2c_scl": "22", "i2c_sda": "21"}


def test_a_board_without_the_pins_names_those_that_are_missing(make_board):
    board = make_board(board="rp2", files={"LP_rp2.py": "builtin = 25\n"})
    for name in MODULES:
        fails(board, f"{name} measure",
              "[io-resolve] error: i2c_scl, i2c_sda have no pin on rp2; name them in cstmpmap")


@pytest.mark.slow
def test_every_module_runs_as_bytecode(make_board):
    board = make_board(mpy=True)
    plugged(board, 0x76, "bme280")(temp=21.5, humidity=40, pressure=1000)
    plugged(board, 0x29, "vl53l0x")(distance_mm=321)
    with board.session() as session:
        for name in MODULES:
            assert session.send(f"{name} help").count(",\n") >= 1
        assert session.send("bme280 measure").startswith(" temp [ºC]: 21.")
        assert session.send("VL53L0X measure") == "321"


@pytest.mark.parametrize(("line", "chip"), [("bme280 measure", ANY_BME280), ("VL53L0X measure", VL53L0X)])
def test_a_wire_that_is_held_low_is_named(board, bme, laser, line, chip):
    for wire in ("i2c_scl", "i2c_sda"):
        board.pins[wire] = 0
        fails(board, line, f"{chip}{wire} is held low; a chip hangs, or it is shorted")
        board.pins[wire] = None
        assert not board.shell(line).startswith("exec_lm_core")
    assert len(alarms(board)) == 2


@pytest.mark.parametrize(("line", "address", "text"), [
    ("bme280 measure", 0x76, BME280.format("0x76") + NO_ANSWER), ("VL53L0X measure", 0x29, VL53L0X + NO_ANSWER)])
def test_one_that_is_pulled_while_it_measures_is_an_alarm_and_works_again(board, bme, laser, line, address, text):
    change = {0x76: bme, 0x29: laser}[address]

    def pulled():
        """What is said when the chip goes while the node waits for it; once in a while that is too soon or too late."""
        change(fault="", stuck=True)
        with Wire(board) as wire:
            wire.send(line + "\n")
            board.chip(address, fault="unplugged")
            return wire.until("node01 $ ")

    eventually(pulled, lambda answer: text in answer)
    change(fault="", stuck=False)
    assert not board.shell(line).startswith("exec_lm_core")
    assert text in alarms(board)


# -- BME280

CLIMATES = ((25.08, 50, 1006.53), (-19.5, 20, 700.25), (0, 95, 1013.25), (60, 10, 1090), (37, 60, 950))


@pytest.mark.parametrize(("temp", "humidity", "pressure"), CLIMATES)
def test_bme280_tells_the_climate(board, bme, temp, humidity, pressure):
    bme(temp=temp, humidity=humidity, pressure=pressure)
    values = {key: float(value) for key, value in told(board, "bme280 measure").items()}
    # one sample has 16 bits: steps of 0.005 degrees and 0.03 hPa
    assert values == {"temp [ºC]": pytest.approx(temp, abs=0.02), "hum [%]": pytest.approx(humidity, abs=0.1),
                      "pressure [hPa]": pytest.approx(pressure, abs=0.15)}


def test_bme280_prints_two_decimals_in_order(board, bme):
    bme(temp=21.5, humidity=40, pressure=1000)
    keys, values = zip(*[row.strip().split(": ") for row in board.shell("bme280 measure").split("\n")], strict=True)
    assert keys == ("temp [ºC]", "hum [%]", "pressure [hPa]")
    assert all(len(value.split(".")[1]) <= 2 for value in values)


def test_bme280_measures_for_the_gas_sensor(board, bme):
    bme(temp=20, humidity=33, pressure=1000)
    board.adc["co2"] = 30000
    values = told(board, "bme280 measure_w_co2")
    alone = board.shell(f"co2 measure_mq135 {values['temp [ºC]']} {values['hum [%]']}")
    assert values["co2 [ppm]"] == alone and " - " in alone
    board.adc["co2"] = 0
    values = told(board, "bme280 measure_w_co2")
    assert values["co2 [ppm]"].startswith("co2 (pin ") and "pressure [hPa]" in values
    assert board.shell("bme280 lmdep") == "co2"
    alarms(board)


def test_bme280_unplugged_is_one_alarm_and_works_again(board, bme):
    bme(temp=20)
    assert board.shell("bme280 measure").startswith(" temp [ºC]: ")
    for fault in ("unplugged", "held"):
        bme(fault=fault)
        fails(board, "bme280 measure", ANY_BME280 + NO_ANSWER)
        fails(board, "bme280 measure_w_co2", ANY_BME280 + NO_ANSWER)
        bme(fault="")
        assert board.shell("bme280 measure").startswith(" temp [ºC]: ")
        assert alarms(board) == [ANY_BME280 + NO_ANSWER]
    assert board.info()["starts"] == 1


def temperature(board):
    return float(told(board, "bme280 measure")["temp [ºC]"])


def test_bme280_is_found_at_its_other_address_and_followed_there(board, bme, second_bme):
    bme(temp=20.0)
    second_bme(temp=30.0)
    assert temperature(board) == pytest.approx(20, abs=0.02)
    bme(fault="unplugged")
    assert temperature(board) == pytest.approx(30, abs=0.02)
    second_bme(fault="unplugged")
    fails(board, "bme280 measure", ANY_BME280 + NO_ANSWER)
    second_bme(fault="")
    assert temperature(board) == pytest.approx(30, abs=0.02)
    bme(fault="", id=0x58)                       # a BMP280, say
    assert temperature(board) == pytest.approx(30, abs=0.02)
    second_bme(id=0x00)
    fails(board, "bme280 measure", BME280.format("0x76") + "identity 58; a bme280 has 60")
    second_bme(id=0x60, stuck=True)
    fails(board, "bme280 measure", BME280.format("0x77") + "a measurement does not end")
    bme(id=0x60)
    second_bme(stuck=False)
    assert temperature(board) == pytest.approx(20, abs=0.02)
    assert alarms(board) == [ANY_BME280 + NO_ANSWER, BME280.format("0x76") + "identity 58; a bme280 has 60",
                             BME280.format("0x77") + "a measurement does not end"]


LIES = (       # facts of the chip, what is said of it
    ({"fault": "zeros"}, "identity 00; a bme280 has 60"),
    ({"fault": "ones"}, "identity ff; a bme280 has 60"),
    ({"id": 0x58}, "identity 58; a bme280 has 60"),
    ({"stuck": True}, "a measurement does not end"),
    ({"blank": True}, "no calibration in the chip"),
    ({"temp": 100.0}, "cannot be"),
    ({"pressure": 200.0}, "cannot be"),
)


@pytest.mark.parametrize(("facts", "why"), LIES)
def test_bme280_that_lies_is_not_believed(board, bme, facts, why):
    bme(**facts)
    answer = board.shell("bme280 measure")
    assert answer.startswith(CALLED.format("bme280", "measure") + BME280.format("0x76")) and answer.endswith(why)
    assert "\n" not in answer
    bme(**{"fault": "", "id": 0x60, "stuck": False, "blank": False, "temp": 20.0, "pressure": 1000.0})
    assert board.shell("bme280 measure").startswith(" temp [ºC]: ")
    assert [text.endswith(why) for text in alarms(board)] == [True]


def test_bme280_shares_the_bus_with_a_scan(board, bme):
    assert ast.literal_eval(board.shell("i2c scan")) == [0x76]
    assert board.shell("bme280 measure").startswith(" temp [ºC]: ")


# -- VL53L0X

@pytest.mark.parametrize("distance_mm", [30, 500, 1234, 2000])
def test_vl53l0x_tells_the_distance(board, laser, distance_mm):
    laser(distance_mm=distance_mm)
    assert board.shell("VL53L0X measure") == str(distance_mm)


def test_vl53l0x_is_calibrated_once_and_again_when_it_lost_its_power(board, laser):
    board.shell("VL53L0X measure", "VL53L0X measure")
    assert board.chip(0x29)["calls"] == ["vhv", "phase", "range", "range"]
    laser(fault="unplugged")
    laser(fault="", distance_mm=1000)
    assert board.shell("VL53L0X measure") == "1000"        # uncalibrated it would tell 1030
    assert board.chip(0x29)["calls"] == ["vhv", "phase", "range"]


def test_vl53l0x_with_nothing_in_reach_says_so_and_that_is_no_alarm(board, laser):
    laser(distance_mm=3000)
    fails(board, "VL53L0X measure", VL53L0X + "Out of range: nothing within 2000 mm (status 4)")
    laser(distance_mm=700)
    assert board.shell("VL53L0X measure") == "700" and alarms(board) == []


def test_vl53l0x_unplugged_is_one_alarm_and_works_again(board, laser):
    assert board.shell("VL53L0X measure") == "500"
    for fault in ("unplugged", "held"):
        laser(fault=fault)
        for _ in range(3):
            fails(board, "VL53L0X measure", VL53L0X + NO_ANSWER)
        laser(fault="")
        assert board.shell("VL53L0X measure") == "500"
        assert alarms(board) == [VL53L0X + NO_ANSWER]
    assert board.info()["starts"] == 1


@pytest.mark.parametrize(("facts", "why"), [
    ({"fault": "zeros"}, "identity 000000; a VL53L0X has eeaa10"),
    ({"fault": "ones"}, "identity ffffff; a VL53L0X has eeaa10"),
    ({"id": 0xEA}, "identity eaaa10; a VL53L0X has eeaa10"),
    ({"stuck": True}, "a measurement does not end"),
])
def test_vl53l0x_that_lies_is_not_believed(board, laser, facts, why):
    laser(**facts)
    fails(board, "VL53L0X measure", VL53L0X + why)
    laser(**{"fault": "", "id": 0xEE, "stuck": False})
    assert board.shell("VL53L0X measure") == "500"
    assert alarms(board) == [VL53L0X + why]


def test_both_share_the_bus(board, bme, laser):
    assert ast.literal_eval(board.shell("i2c scan")) == [0x29, 0x76]
    assert board.shell("VL53L0X measure") == "500" and board.shell("bme280 measure").startswith(" temp")
    assert board.shell("VL53L0X measure") == "500"
