"""Modules that measure: what they tell against what is there, and what they say when a part fails."""
import ast
import select

import pytest

from tests.device.answers import CALLED, NO_WORDS, ONE_WORD, alarms, fails, functions_of, names_in_help, told
from tests.device.wire import Wire, eventually
from toolkit.simulator import VirtualBoard
from toolkit.simulator.models.sensors import (
    Dht11,
    Dht22,
    Ds18b20,
    HcSr04,
    Microphone,
    Mq135,
    PhProbe,
    Pir,
    Temt6000,
)

MODULES = ("i2c", "light_sensor", "ph_sensor", "co2", "distance", "esp32", "genIO", "robustness", "dht11", "dht22",
           "ds18")
PINS = {
    "builtin": 2, "irq1": 4, "touch_0": 13, "ds18": 19, "i2c_sda": 21, "i2c_scl": 22, "redgb": 25, "hcsrtrig": 32,
    "dhtpin": 33, "hcsrecho": 34, "co2": 35, "temp6000": 36, "mic": 37, "ph": 39,
}
PIN_MAP = "".join(f"{name} = {number}\n" for name, number in PINS.items())     # no two share one, as on shipped maps
MAP_FILE = {"LP_esp32.py": PIN_MAP}


@pytest.fixture(scope="module")
def board():
    """In the place of the one in conftest.py: every part has pins of its own."""
    with VirtualBoard(config={"socmax": 8, "ntphost": "n/a"}, files=MAP_FILE) as running:
        yield running


def number(board, line):
    return float(board.shell(line))


# -- all of them

REFUSED = (      # module, function, words, the answer behind CALLED; with ! the whole answer
    ("i2c", "scan", "1", NO_WORDS),
    ("light_sensor", "intensity", "1", NO_WORDS),
    ("light_sensor", "illuminance", "1", NO_WORDS),
    ("ph_sensor", "measure", "1", NO_WORDS),
    ("co2", "raw_measure_mq135", "1", NO_WORDS),
    ("co2", "measure_mq135", "23", "!Missing mandatory parameters: temperature and/or humidity"),
    ("co2", "measure_mq135", "81 40", "temperature is -40 to 80, got 81"),
    ("co2", "measure_mq135", "warm 40", "temperature is -40 to 80, got warm"),
    ("co2", "measure_mq135", "20 101", "humidity is 0 to 100, got 101"),
    ("distance", "distance_mm", "1", NO_WORDS),
    ("distance", "distance_cm", "1", NO_WORDS),
    ("distance", "deinit", "1", NO_WORDS),
    ("esp32", "hall", "1", NO_WORDS),
    ("esp32", "temp", "1", NO_WORDS),
    ("esp32", "touch", "hard", "triglvl is a number, got hard"),
    ("esp32", "battery", "", "only a TinyPICO measures its battery"),
    ("genIO", "set_pwm", "5 1001", "duty is 0-1000, got 1001"),
    ("genIO", "set_pwm", "5 much", "duty is 0-1000, got much"),
    ("genIO", "set_pwm", "5 10 0", "pin 5 as pwm0: frequency must be from 1Hz to 40MHz"),
    ("genIO", "set_pwm", "38", "pin 38 as pwm20480: invalid pin"),
    ("genIO", "set_random_pwm", "5 9 1", "0 <= min_duty <= max_duty <= 1000, got 9 and 1"),
    ("genIO", "set_out", "38", "pin 38 as out: pin can only be input"),
    ("genIO", "set_out", "nosuch", "[io-resolve] error: nosuch has no pin on esp32; name one in cstmpmap"),
    ("genIO", "get_adc", "38 ohm", "key is raw, percent or volt, got ohm"),
    ("genIO", "get_adc", "5", "[io] Pin 5 is no analogue input: 5"),
    ("genIO", "get_in", "99", "pin 99 as in: invalid pin"),
    ("genIO", "genio_pins", "1", NO_WORDS),
    ("robustness", "raise_error", "1", "function got multiple values for argument 'msgobj'"),
    ("robustness", "memory_leak", "-1", "cnt is a number of rounds, 0 or more, got -1"),
    ("robustness", "recursion_limit", "deep", "cnt is a number of rounds, 0 or more, got deep"),
    ("dht11", "measure", "False 1", ONE_WORD),
    ("dht11", "measure_w_co2", "False 1", ONE_WORD),
    ("dht11", "logger", "1", NO_WORDS),
    ("dht22", "measure", "False 1", ONE_WORD),
    ("dht22", "measure_w_co2", "False 1", ONE_WORD),
    ("dht22", "logger", "1", NO_WORDS),
    ("ds18", "measure", "1", NO_WORDS),
)


@pytest.mark.parametrize(("name", "function", "words", "answer"), REFUSED)
def test_what_is_refused_gets_one_line(board, name, function, words, answer):
    expected = answer[1:] if answer.startswith("!") else (CALLED + answer).format(name, function, function)
    assert board.shell(f"{name} {function} {words}") == expected


@pytest.mark.parametrize("name", MODULES)
def test_the_table_of_refusals_has_every_function(name):
    asked = {function for module, function, _, _ in REFUSED if module == name}
    assert asked == functions_of(name) - {"help", "pinmap", "lmdep"}


@pytest.mark.parametrize("name", MODULES)
def test_help_names_every_function_but_itself(board, name):
    assert names_in_help(board, name) == functions_of(name) - {"help"}
    assert board.shell(f"{name} help 1") == (CALLED + NO_WORDS).format(name, "help", "help")


OWN_PINS = {
    "i2c": ("i2c_scl", "i2c_sda"), "light_sensor": ("temp6000",), "ph_sensor": ("ph",), "co2": ("co2",),
    "distance": ("hcsrtrig", "hcsrecho"), "esp32": ("touch_0",), "dht11": ("dhtpin",), "dht22": ("dhtpin",),
    "ds18": ("ds18",),
}


@pytest.mark.parametrize("name", OWN_PINS)
def test_pinmap_tells_the_pins_of_the_map(board, name):
    assert told(board, f"{name} pinmap") == {pin: str(PINS[pin]) for pin in OWN_PINS[name]}
    assert board.shell(f"{name} pinmap 1") == (CALLED + NO_WORDS).format(name, "pinmap", "pinmap")


@pytest.mark.parametrize("name", ("dht11", "dht22"))
def test_lmdep_names_the_module_it_needs(board, name):
    assert board.shell(f"{name} lmdep") == "co2"
    assert board.shell(f"{name} lmdep 1") == (CALLED + NO_WORDS).format(name, "lmdep", "lmdep")


NEEDS = (        # a call, and what it names on a board that has none of the pins
    ("light_sensor intensity", "{} has no pin on rp2; name one in cstmpmap", "temp6000"),
    ("ph_sensor measure", "{} has no pin on rp2; name one in cstmpmap", "ph"),
    ("co2 raw_measure_mq135", "{} has no pin on rp2; name one in cstmpmap", "co2"),
    ("dht11 measure", "{} has no pin on rp2; name one in cstmpmap", "dhtpin"),
    ("dht22 measure_w_co2", "{} has no pin on rp2; name one in cstmpmap", "dhtpin"),
    ("ds18 measure", "{} has no pin on rp2; name one in cstmpmap", "ds18"),
    ("esp32 touch", "{} has no pin on rp2; name one in cstmpmap", "touch_0"),
    ("distance distance_mm", "{} have no pin on rp2; name them in cstmpmap", "hcsrtrig, hcsrecho"),
    ("i2c scan", "{} have no pin on rp2; name them in cstmpmap", "i2c_scl, i2c_sda"),
)


def test_a_board_without_the_pins_names_those_that_are_missing(make_board):
    board = make_board(board="rp2", files={"LP_rp2.py": "builtin = 25\n"})
    for line, text, pins in NEEDS:
        fails(board, line, "[io-resolve] error: " + text.format(pins))
    assert told(board, "genIO set_pwm 5 300") == {"pin": "5", "freq": "20480", "duty": "300"}     # rp2 has no duty()
    assert board.pwm[5].duty == 300


@pytest.mark.slow
def test_every_module_runs_as_bytecode(make_board):
    board = make_board(mpy=True, files=MAP_FILE)
    Dht22(board, "dhtpin").feel(21, 40)
    Ds18b20(board, "ds18", 1, 21.5)
    HcSr04(board, "hcsrecho").place(1000)
    for pin in ("co2", "ph", "temp6000"):
        board.adc[pin] = 32768
    with board.session() as session:
        for name in MODULES:
            assert session.send(f"{name} help").count(",\n") >= 1
        for line, start in (
                ("dht22 measure_w_co2 log=True", " temp [ºC]: 21.0\n hum [%]: 40.0\n co2 [ppm]: "),
                ("dht22 logger", "20"), ("ds18 measure", " temp [ºC]: 21.5"), ("distance distance_cm", "100.0"),
                ("i2c scan", "[]"), ("co2 raw_measure_mq135", "9.9"), ("light_sensor illuminance", " illuminance"),
                ("ph_sensor measure", "ADC data: {"), ("esp32 temp", " CPU temp [ºC]: 53.3"),
                ("genIO set_out 5 1 >json", "{"), ("robustness recursion_limit 2", "recalled 1\nrecalled 2\n0")):
            assert session.send(line).startswith(start), line


# -- analogue

def test_light_is_measured_in_percent_and_lux(board):
    sensor = Temt6000(board, "temp6000")
    for lux in (0, 2, 100, 333, 480):
        sensor.shine(lux)
        assert abs(float(told(board, "light_sensor illuminance")["illuminance [lux]"]) - lux) < 0.02
        percent = float(told(board, "light_sensor intensity")["light intensity [%]"])
        assert abs(percent - lux / 4.9) < 0.06         # 2.45 V at 10 kOhm and 0.5 uA/lx are 490 lx


def test_too_much_light_has_no_value(board):
    sensor = Temt6000(board, "temp6000")
    sensor.shine(1000)
    fails(board, "light_sensor illuminance", "temp6000 (pin 36): 2.45 V or more, the end of the scale")
    assert board.shell("light_sensor intensity") == " light intensity [%]: 100.0"
    sensor.shine(100)
    assert board.shell("light_sensor illuminance") == " illuminance [lux]: 100.00"
    assert alarms(board) == ["temp6000 (pin 36): 2.45 V or more, the end of the scale"]


def test_a_ph_probe_is_measured_ten_times(board):
    probe = PhProbe(board, "ph")
    probe.dip(4)                                       # 1.5 V and 3 times 177.5 mV
    data, mean = board.shell("ph_sensor measure").split("\n")
    assert mean == "AVG V: 2.03"
    values = ast.literal_eval(data.removeprefix("ADC data: "))
    assert values["volt"] == 2.03 and abs(values["percent"] - 100 * 2.0324 / 2.45) < 0.1
    assert abs(values["raw"] - 2.0324 / 2.45 * 65535) < 2


def test_the_mean_of_a_ph_probe_is_one_over_a_second_in_which_others_are_served(board):
    probe = PhProbe(board, "ph")
    probe.put(1.0)
    with Wire(board) as wire:
        wire.send("ph_sensor measure\n")
        probe.put(2.0)
        assert board.shell("hello").startswith("hello:")
        assert not is_readable(wire)                   # it was asked first, and measures on
        mean = wire.until("node01 $ ").split("AVG V: ")[1].split("\n")[0]
    assert 1.0 <= float(mean) <= 2.0


def is_readable(wire):
    return bool(select.select([wire.socket], [], [], 0)[0])


def test_an_unplugged_or_shorted_probe_is_named_and_recovers(board):
    for part, line, pin in ((PhProbe(board, "ph"), "ph_sensor measure", "ph (pin 39)"),
                            (Mq135(board, "co2"), "co2 raw_measure_mq135", "co2 (pin 35)"),
                            (Mq135(board, "co2"), "co2 measure_mq135 20 33", "co2 (pin 35)")):
        part.unplug()
        fails(board, line, f"{pin}: 0 V; is the sensor plugged in, and has it power?")
        fails(board, line, f"{pin}: 0 V; is the sensor plugged in, and has it power?")
        part.short()
        fails(board, line, f"{pin}: 2.45 V or more, the end of the scale")
        part.put(1.225)
        assert not board.shell(line).startswith("exec_lm_core")
        assert alarms(board) == [f"{pin}: 0 V; is the sensor plugged in, and has it power?",
                                 f"{pin}: 2.45 V or more, the end of the scale"]


@pytest.mark.parametrize(("ppm", "word"), [(400, "PERFECT"), (1500, "POOR"), (3000, "WARNING"), (9000, "CRITICAL")])
def test_co2_is_told_as_it_is_at_20_degrees_and_33_percent(board, ppm, word):
    Mq135(board, "co2").smell(ppm)
    value, _, verdict = board.shell("co2 measure_mq135 temperature=20 humidity=33").partition(" - ")
    assert verdict == word and abs(float(value) - ppm) < 0.03 * ppm


def test_the_resistance_of_the_gas_sensor_is_told(board):
    Mq135(board, "co2").put_kohm(47)
    kohm, slash, scale = board.shell("co2 raw_measure_mq135").partition("/")
    assert abs(float(kohm) - 47) < 0.05 and slash + scale == "/(1023, 3.6)"


def test_the_same_reading_tells_what_1207_told(board):
    board.adc["co2"] = round(420 / 1023 * 65535)
    value, _, verdict = board.shell("co2 measure_mq135 23 41").partition(" - ")
    assert verdict == "CRITICAL" and abs(float(value) - 11214.75) < 1


# -- ultrasound

@pytest.fixture
def ranger(board):
    made = HcSr04(board, "hcsrecho")
    yield made
    made.stick(False)


def test_distance_is_that_of_the_speed_of_sound(board, ranger):
    for distance_mm in (21, 250, 1000, 3950):
        ranger.place(distance_mm)
        assert abs(number(board, "distance distance_mm") - distance_mm) <= 1 + 0.005 * distance_mm
        assert abs(number(board, "distance distance_cm") - distance_mm / 10) <= 0.1 + 0.0005 * distance_mm
    ranger.put_us(5820)
    assert board.shell("distance distance_mm", "distance distance_cm") == "1000\n100.0"        # as 1.20.7


def test_each_measurement_is_triggered_by_a_pulse(board, ranger):
    ranger.place(500)
    with board.watch() as changes:
        board.shell("distance distance_mm")
        assert changes.until(change="pin", name="hcsrtrig")["value"] == 1
        assert changes.until(change="pin", name="hcsrtrig")["value"] == 0


def test_deinit_lets_go_of_the_pins_and_the_next_call_takes_them(board, ranger):
    ranger.place(500)
    board.shell("distance distance_mm")
    assert board.ask("pins")[str(PINS["hcsrtrig"])]["mode"] == 3
    assert board.shell("distance deinit", "distance deinit") == "None\nNone"
    assert board.ask("pins")[str(PINS["hcsrtrig"])]["mode"] == 1
    assert 490 < number(board, "distance distance_mm") < 510


@pytest.mark.parametrize("length_us", [HcSr04.STILL_HIGH, 38000, 23400, 50])
def test_what_is_out_of_reach_is_said_and_is_no_alarm(board, ranger, length_us):
    ranger.put_us(length_us)
    for function in ("distance_mm", "distance_cm"):
        fails(board, f"distance {function}", "hcsrecho (pin 34): Out of range: nothing between 20 and 4000 mm")
    ranger.place(100)
    assert 98 < number(board, "distance distance_mm") < 102 and alarms(board) == []


def test_a_ranger_that_is_not_there_or_stuck_is_an_alarm_and_comes_back(board, ranger):
    ranger.unplug()
    fails(board, "distance distance_mm", "hcsrecho (pin 34): no answer; is the sensor plugged in, and has it power?")
    assert alarms(board) == ["hcsrecho (pin 34): no answer; is the sensor plugged in, and has it power?"]
    board.shell("lmpacman module LM_distance")         # it was not asked just now
    ranger.place(100)
    ranger.stick()
    fails(board, "distance distance_cm", "hcsrecho (pin 34): high before the call; it is stuck")
    ranger.stick(False)
    assert 98 < number(board, "distance distance_mm") < 102
    assert alarms(board) == ["hcsrecho (pin 34): high before the call; it is stuck"]


def test_an_echo_that_is_not_over_is_told(board, ranger):
    ranger.clear()
    with board.session() as session:
        def twice():
            ranger.stick(False)
            session.send("distance distance_mm")
            ranger.stick()
            return session.send("distance distance_mm")
        eventually(twice, lambda answer: answer.endswith(
            "hcsrecho (pin 34): the last echo is not over; ask again in 200 ms"))
    alarms(board)              # of a machine that was so slow that it had to be over


# -- climate

@pytest.fixture(params=[("dht11", Dht11), ("dht22", Dht22)], ids=["dht11", "dht22"])
def dht(request, board):
    """(module, sensor); the module has read nothing yet."""
    name, kind = request.param
    board.shell(f"lmpacman module LM_{name}")
    yield name, kind(board, "dhtpin")
    board.pins["dhtpin"] = None


def anew(board, name):
    """Forget the last reading: a sensor that works is not asked twice in two seconds."""
    assert board.shell(f"lmpacman module LM_{name}") == f"Module unload LM_{name} done."


def test_a_dht_tells_the_climate(board, dht):
    name, sensor = dht
    climates = ((24, 53), (1, 99), (50, 20)) if name == "dht11" else ((35.1, 65.2), (-10.1, 1.5), (0, 99.9), (80, 50))
    for temp, humidity in climates:
        sensor.feel(temp, humidity)
        assert {key: float(value) for key, value in told(board, f"{name} measure").items()} == {
            "temp [ºC]": temp, "hum [%]": humidity}
        anew(board, name)


def test_who_asks_too_soon_is_told_the_last_values(board, dht):
    name, sensor = dht
    sensor.feel(24, 53)
    before, first = sensor.asked, board.shell(f"{name} measure")
    sensor.feel(30, 60)
    assert board.shell(f"{name} measure", f"{name} measure") == f"{first}\n{first}"
    assert sensor.asked == before + 1


def test_a_dht_is_asked_again_when_it_is_rested(board, dht):
    name, sensor = dht
    sensor.feel(24, 53)
    board.shell(f"{name} measure")
    sensor.feel(30, 60)
    assert eventually(lambda: told(board, f"{name} measure"), lambda now: float(now["temp [ºC]"]) == 30)


@pytest.mark.parametrize(("fault", "text"), [
    (lambda sensor: sensor.unplug(), "no answer; is the sensor plugged in, and has it power?"),
    (lambda sensor: sensor.hold_low(), "no answer; is the sensor plugged in, and has it power?"),
    (lambda sensor: sensor.corrupt(), "the answer is garbled: checksum error"),
], ids=["unplugged", "shorted", "corrupt"])
def test_a_dht_that_is_pulled_is_an_alarm_and_comes_back(board, dht, fault, text):
    name, sensor = dht
    sensor.feel(24, 53)
    good = board.shell(f"{name} measure")
    anew(board, name)
    fault(sensor)
    for _ in range(3):
        fails(board, f"{name} measure", f"dhtpin (pin 33): {text}")
    sensor.hold_low(False)
    sensor.feel(24, 53)
    assert board.shell(f"{name} measure") == good
    assert alarms(board) == [f"dhtpin (pin 33): {text}"]


def test_a_dht_that_lies_is_not_believed(board, dht):
    name, sensor = dht
    lies = {"dht11": (("0000000000", "0 ºC and 0 %"), ("ff0080007f", "128 ºC and 255 %")),
            "dht22": (("0000000000", "0.0 ºC and 0.0 %"), ("350000366b", "5.4 ºC and 1356.8 %"))}
    for frame, values in lies[name]:
        board.ask("dht", pin="dhtpin", frame=frame)
        fails(board, f"{name} measure", f"dhtpin (pin 33): {values} cannot be; is it the other kind of DHT?")
    sensor.feel(20, 40)
    assert float(told(board, f"{name} measure")["hum [%]"]) == 40
    assert len(alarms(board)) == 2


def test_co2_goes_with_the_climate_of_the_room(board, dht):
    name, sensor = dht
    sensor.feel(20, 33)
    gas = Mq135(board, "co2")
    gas.smell(700)
    answer = told(board, f"{name} measure_w_co2")
    assert set(answer) == {"temp [ºC]", "hum [%]", "co2 [ppm]"}
    value, _, verdict = answer["co2 [ppm]"].partition(" - ")
    assert verdict == "PERFECT" and abs(float(value) - 700) < 21
    assert answer["co2 [ppm]"] == board.shell("co2 measure_mq135 20 33")
    gas.unplug()
    answer = board.shell(f"{name} measure_w_co2").split("\n")
    assert answer[2] == " co2 [ppm]: co2 (pin 35): 0 V; is the sensor plugged in, and has it power?"
    alarms(board)


def test_a_log_keeps_the_last_twelve(board, dht):
    name, sensor = dht
    file = board.dir / f"{name}.dat"
    file.write_text("".join(f"2023.1.1-0:0:{number} old\n" for number in range(12)))
    sensor.feel(21, 40)
    Mq135(board, "co2").smell(500)
    board.shell(f"{name} measure", f"{name} measure log=True", f"{name} measure_w_co2 True")
    lines = file.read_text().split("\n")
    assert lines[0] == "2023.1.1-0:0:2 old" and len(lines) == 13 and lines[12] == ""
    stamp, entry = lines[10].split(" ", 1)
    assert stamp.count(".") == 2 and stamp.count(":") == 2
    assert ast.literal_eval(entry) == {"temp [ºC]": 21, "hum [%]": 40}
    assert "co2 [ppm]" in lines[11]
    assert board.shell(f"{name} logger").rstrip("\n").split("\n") == lines[:12]
    file.unlink()
    assert board.shell(f"{name} logger") == ""


# -- 1-wire

@pytest.fixture
def bus(board):
    """Function that plugs a thermometer in; all are gone after the test."""
    plugged = []

    def plug(serial, temp, **facts):
        plugged.append(Ds18b20(board, "ds18", serial, temp, **facts))
        return plugged[-1]

    yield plug
    for thermometer in plugged:
        thermometer.unplug()


def test_thermometers_tell_their_temperature(board, bus):
    one = bus(1, -10.125)
    assert board.shell("ds18 measure") == " temp [ºC]: -10.125"
    bus(2, 125.0)
    one.feel(0.0)
    assert ast.literal_eval(board.shell("ds18 measure")) in ([0.0, 125.0], [125.0, 0.0])


def test_others_are_served_while_thermometers_convert(board, bus):
    bus(1, 20.5)
    with Wire(board) as first, Wire(board) as second:
        first.send("ds18 measure\n")
        second.send("ds18 measure\n")
        assert board.shell("hello").startswith("hello:")
        assert not is_readable(first) and not is_readable(second)
        assert first.until("node01 $ ") == second.until("node01 $ ") == " temp [ºC]: 20.5\nnode01 $ "


def test_85_degrees_are_believed_when_they_are_measured_twice(board, bus):
    bus(1, 85.0)
    assert board.shell("ds18 measure") == " temp [ºC]: 85.0"
    assert alarms(board) == []


def test_a_bus_without_thermometers_is_an_alarm_until_one_is_plugged_in(board, bus):
    assert board.shell("ds18 measure", "ds18 measure") == "\n".join(["Sensor(s) was not found. ds18 (pin 19)"] * 2)
    one = bus(1, 21.5)
    assert board.shell("ds18 measure") == " temp [ºC]: 21.5"
    one.unplug()
    assert board.shell("ds18 measure") == "Sensor(s) was not found. ds18 (pin 19)"
    assert alarms(board) == ["ds18 (pin 19): no sensor answers"]       # the same text once in a row: err.log


def test_a_thermometer_that_is_pulled_while_it_converts_is_named(board, bus):
    bus(1, 21.5)
    pulled = bus(2, 22.5)
    with Wire(board) as wire:
        wire.send("ds18 measure\n")
        assert board.shell("hello").startswith("hello:")
        pulled.unplug()
        assert wire.until("node01 $ ") == (
            CALLED.format("ds18", "measure") + f"ds18 (pin 19): sensor {pulled.rom}: CRC error\nnode01 $ ")
    assert board.shell("ds18 measure") == " temp [ºC]: 21.5"
    pulled.mend()
    pulled.feel(22.5)
    assert sorted(ast.literal_eval(board.shell("ds18 measure"))) == [21.5, 22.5]
    assert alarms(board) == [f"ds18 (pin 19): sensor {pulled.rom}: CRC error"]


FAULTS = (
    ("corrupt", "sensor {}: CRC error"),
    ("die", "sensor {}: nothing but zeros"),
)


@pytest.mark.parametrize(("fault", "text"), FAULTS)
def test_a_thermometer_that_fails_is_named_and_recovers(board, bus, fault, text):
    one = bus(1, 21.5)
    getattr(one, fault)()
    fails(board, "ds18 measure", "ds18 (pin 19): " + text.format(one.rom))
    one.mend()
    assert board.shell("ds18 measure") == " temp [ºC]: 21.5"
    assert alarms(board) == ["ds18 (pin 19): " + text.format(one.rom)]


def test_a_thermometer_without_power_is_not_believed(board, bus):
    bus(1, 21.5, parasite=True)
    text = "a sensor stays at 85; it has to have 3.3 V at its pin VDD"
    fails(board, "ds18 measure", f"ds18 (pin 19): {text}")
    assert alarms(board) == [f"ds18 (pin 19): {text}"]


def test_a_shorted_wire_is_named_and_recovers(board, bus):
    bus(1, 21.5)
    board.pins["ds18"] = 0
    fails(board, "ds18 measure", "ds18 (pin 19): held low; the wire is shorted")
    board.pins["ds18"] = None
    assert board.shell("ds18 measure") == " temp [ºC]: 21.5"
    assert alarms(board) == ["ds18 (pin 19): held low; the wire is shorted"]


# -- I2C

def test_a_scan_finds_the_chips_of_the_bus(board):
    board.ask("i2c", address=60, registers={})
    board.ask("i2c", address=118, registers={})
    assert board.shell("i2c scan", "i2c scan >json") == "[60, 118]\n[60, 118]"
    for address in (60, 118):
        board.ask("i2c", address=address)
    assert board.shell("i2c scan") == "[]"


@pytest.mark.parametrize(("pin", "number"), [("i2c_scl", 22), ("i2c_sda", 21)])
def test_a_wire_of_the_bus_that_is_held_low_is_named(board, pin, number):
    text = f"{pin} (pin {number}): held low; a chip hangs, or it is shorted"
    board.pins[pin] = 0
    fails(board, "i2c scan", text)
    board.pins[pin] = None
    assert board.shell("i2c scan") == "[]" and alarms(board) == [text]


# -- inside

def test_the_chip_tells_its_temperature_and_field(board):
    board.ask("sensor", name="hall", value=42)
    board.ask("sensor", name="raw_temperature", value=212)         # Fahrenheit
    assert board.shell("esp32 hall", "esp32 temp") == "42\n CPU temp [ºC]: 100.0"
    board.ask("sensor", name="raw_temperature", value=14)
    assert board.shell("esp32 temp") == " CPU temp [ºC]: -10.0"


def test_a_finger_on_the_pad_is_felt(board):
    board.ask("touch", pin="touch_0", value=420)
    assert told(board, "esp32 touch") == {"isTouched": "False", "value": "420"}
    assert told(board, "esp32 touch 421")["isTouched"] == "True"
    board.ask("touch", pin="touch_0", value=120)
    assert told(board, "esp32 touch") == {"isTouched": "True", "value": "120"}


def test_a_tinypico_tells_its_battery(make_board):
    board = make_board(board="tinypico")
    board.ask("sensor", name="battery_mv", value=3900)
    board.pins[34] = 0
    assert told(board, "esp32 battery") == {"volt": "3.9", "state": "True"}
    board.pins[34] = 1
    assert told(board, "esp32 battery")["state"] == "False"


# -- any pin

def test_generic_pins_do_what_is_asked(board):
    assert told(board, "genIO set_pwm 5 300 1000") == {"pin": "5", "freq": "1000", "duty": "300"}
    assert tuple(board.pwm[5]) == (1000, 300)
    assert told(board, "genIO set_random_pwm 5 7 9 1000")["duty"] in "789" and board.pwm[5].duty in (7, 8, 9)
    assert told(board, "genIO set_out 5 True") == {"pin": "5", "state": "True"}
    assert board.pins[5] == 1 and board.pwm[5] == (0, 0)           # it changed its role
    assert told(board, "genIO set_out 5")["state"] == "False" and board.pins[5] == 0
    board.pins["irq1"] = 1
    assert told(board, "genIO get_in irq1") == {"pin": "irq1", "state": "1"}
    assert board.shell("genIO genio_pins").count("'out'") == 1


def test_a_refused_role_leaves_the_pin_to_the_next(board):
    assert told(board, "genIO set_out 14 1")["state"] == "True"
    fails(board, "genIO set_pwm 14 5 0", "pin 14 as pwm0: frequency must be from 1Hz to 40MHz")
    assert "14" not in board.shell("genIO genio_pins")
    assert told(board, "genIO set_out 14 0")["state"] == "False"


def test_a_motion_sensor_and_a_microphone_are_read_as_pins(board):
    motion, sound = Pir(board, "irq1"), Microphone(board, "mic")
    assert told(board, "genIO get_in irq1")["state"] == "0"
    motion.see(True)
    assert told(board, "genIO get_in irq1")["state"] == "1"
    motion.unplug()
    assert told(board, "genIO get_in irq1")["state"] == "1"        # the pull-up
    for volts, share in ((0, 1.25 / 2.45), (-1.25, 0), (1.2, 1)):
        sound.hear(volts)
        values = told(board, "genIO get_adc mic")
        assert abs(float(values["percent"]) - 100 * share) < 0.1 and abs(int(values["raw"]) - 65535 * share) < 2
        assert number(board, "genIO get_adc mic volt") == round(2.45 * share, 2)


# -- robustness

def test_an_exception_is_one_line(board):
    assert board.shell("robustness raise_error") == (
        "Raise test exception\n" + CALLED.format("robustness", "raise_error") + "Test exception")
    assert board.shell("hello").startswith("hello:")


def test_memory_that_is_taken_is_given_back(board):
    used = int(told(board, "system memory_usage")["mem_used"])
    answer = board.shell("robustness memory_leak 20").split("\n")
    assert answer[:20] == [f"[{round + 1}] + 400 byte" for round in range(20)]
    assert answer[20].startswith("[20] RAM Alloc.: ") and int(answer[20].split(": ")[1].split(" kB")[0]) >= 8
    assert int(told(board, "system memory_usage")["mem_used"]) - used < 2000


def test_a_full_memory_costs_the_call_only(board):
    used = int(told(board, "system memory_usage")["mem_used"])
    answer = board.shell("robustness memory_leak 100000").split("\n")[-1]
    assert answer.startswith(CALLED.format("robustness", "memory_leak") + "memory allocation failed")
    assert int(told(board, "system memory_usage")["mem_used"]) - used < 2000


def test_deep_calls_end_at_the_limit(board):
    assert board.shell("robustness recursion_limit 3") == "recalled 1\nrecalled 2\nrecalled 3\n0"
    answer = board.shell("robustness recursion_limit 100000").split("\n")
    assert answer[-1] == CALLED.format("robustness", "recursion_limit") + "maximum recursion depth exceeded"
    assert board.console().count("in _recall") == 0                # the traceback is short
    assert board.shell("hello").startswith("hello:")


def test_it_says_whom_it_hurts(board):
    assert "hurts this node only" in board.shell("robustness help")


def test_bad_calls_do_not_take_the_node_from_others(board):
    with board.session() as hurt, board.session() as other:
        for line in ("robustness raise_error", "robustness memory_leak 100000", "robustness recursion_limit 9999"):
            hurt.send(line)
            assert other.send("system heartbeat") == "<3 heartbeat <3"
