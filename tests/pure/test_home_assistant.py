"""Usage lines and readings as entities of Home Assistant, judged by its own rules."""
from micrOS.source.pure import home_assistant, things
from tests.pure.home_assistant_rules import LONG, faults, update_state_faults

BASE = "micros/u1"
LAMPS = ("toggle state=None smooth=True", "status", "load_n_init", "subscribe_presence", "pinmap")
MODULES = (                    # module, usage lines, reading, what becomes of it: [(id, platform)]
    ("dimmer", ("set_value value=<0-1000> smooth=True force=True",) + LAMPS, {"X": 500, "S": 0},
     [("dimmer_light", "light")]),
    ("rgb", ("color r=<0-1000> g b smooth=True force=True", "brightness percent=<0-100> smooth=True wake=True") + LAMPS,
     {"R": 1, "G": 2, "B": 3, "S": 1}, [("rgb_light", "light")]),
    ("cct", ("white cw=<0-1000> ww smooth=True force=True", "brightness percent=<0-100> smooth=True wake=True") + LAMPS,
     {"CW": 1, "WW": 2, "S": 1}, [("cct_light", "light")]),
    ("switch", ("set_state state=<0,1>", "toggle", "set_state2 state=<0,1>", "toggle2", "status lmf=set_state2"),
     {"SW1": 0, "SW2": 1}, [("switch_set_state", "switch"), ("switch_set_state2", "switch")]),
    ("servo", ("sduty duty=<40-115>", "s2duty duty=<40-115>", "sdemo", "deinit", "status lmf=<sduty,s2duty>"),
     {"S1": 77, "S2": None}, [("servo_sduty", "number"), ("servo_s2duty", "number"), ("servo_sdemo", "button")]),
    ("dht22", ("measure log=False", "measure_w_co2 log=False", "logger", "lmdep", "pinmap"),
     {"temp [ºC]": 21.5, "hum [%]": 40.0}, [("dht22_hum", "sensor"), ("dht22_temp", "sensor")]),
    ("bme280", ("measure",), {"temp [ºC]": 21.5, "hum [%]": 40.0, "pressure [hPa]": 1013.2},
     [("bme280_hum", "sensor"), ("bme280_pressure", "sensor"), ("bme280_temp", "sensor")]),
    ("light_sensor", ("intensity", "illuminance", "pinmap"), {"illuminance [lux]": "12.34"},
     [("light_sensor_illuminance", "sensor")]),
    ("distance", ("distance_mm", "distance_cm", "deinit"), {"distance_mm": 120}, [("distance_distance_mm", "sensor")]),
    ("pump", ("run seconds=<1-60>", "stop", "status"), {"is_on": True, "energy [kWh]": 3.5, "name": "north"},
     [("pump_run", "number"), ("pump_stop", "button"), ("pump_energy", "sensor"), ("pump_is_on", "binary_sensor")]),
    ("silent", ("play rtttlstr='a b'", "percent=<0 warm - 100 cold> sec"), None, []),
    ("broken", (), None, []),
)


def shown(name):
    for module, rows, reading, _ in MODULES:
        if module == name:
            return {ident: {LONG.get(key, key): value for key, value in entity.items()}
                    for ident, entity in home_assistant.entities("u1", BASE, module, rows, reading)}
    raise KeyError(name)


def test_each_module_becomes_the_entities_that_it_stands_for():
    for module, rows, reading, expected in MODULES:
        found = [(ident, entity["p"]) for ident, entity in home_assistant.entities("u1", BASE, module, rows, reading)]
        assert sorted(found) == sorted(expected), (module, found)


def test_all_of_it_follows_the_rules_of_home_assistant():
    payload = home_assistant.envelope("u1", "node01", "2.0", "ESP32", BASE)
    payload["cmps"] = dict([home_assistant.update("u1", BASE)])
    for module, rows, reading, _ in MODULES:
        payload["cmps"].update(dict(home_assistant.entities("u1", BASE, module, rows, reading)))
    assert faults("homeassistant/device/u1/config", payload) == []


def test_the_rules_see_what_is_wrong():
    payload = home_assistant.envelope("u1", "node01", "2.0", "ESP32", BASE)
    for wrong in ({"p": "lamp", "uniq_id": "a"}, {"p": "sensor", "uniq_id": "a"}, {"p": "sensor", "stat_t": "a"},
                  {"p": "sensor", "stat_t": "a", "uniq_id": "a", "dev_cla": "humidity", "unit_of_meas": "°C"},
                  {"p": "number", "cmd_t": "a", "uniq_id": "a", "min": 5, "max": 5},
                  {"p": "switch", "cmd_t": "a/+", "uniq_id": "a"},
                  {"p": "button", "cmd_t": "a", "uniq_id": "a", "x": 1},
                  {"p": "sensor", "stat_t": "a", "uniq_id": "a", "val_tpl": "{{ value_json.a }"}):
        payload["cmps"] = {"one": wrong}
        assert faults("homeassistant/device/u1/config", payload), wrong
    payload["cmps"] = {"one": {"p": "sensor"}}
    assert faults("homeassistant/device/u1/config", payload) == []
    assert faults("homeassistant/device/u 1/config", payload)
    for state in ({"percent": 5}, {"state": "done"}, {"installed_version": None}, {"in_progress": 5},
                  {"update_percentage": 101}, {"update_percentage": True}):
        assert update_state_faults(state), state
    assert update_state_faults({"installed_version": "1", "in_progress": True, "update_percentage": None}) == []


def test_a_sensor_has_its_unit_and_device_class():
    temp = shown("dht22")["dht22_temp"]
    assert (temp["unit_of_measurement"], temp["device_class"]) == ("°C", "temperature")
    assert temp["state_class"] == "measurement"
    assert temp["value_template"] == "{{ value_json['temp [ºC]'] }}" and temp["state_topic"] == BASE + "/dht22/state"
    assert shown("bme280")["bme280_pressure"]["device_class"] == "atmospheric_pressure"
    assert shown("light_sensor")["light_sensor_illuminance"]["unit_of_measurement"] == "lx"
    assert shown("distance")["distance_distance_mm"]["unit_of_measurement"] == "mm"
    assert shown("pump")["pump_energy"]["state_class"] == "total_increasing"


def test_a_lamp_is_switched_dimmed_and_coloured_by_its_own_functions():
    lamp = shown("dimmer")["dimmer_light"]
    assert lamp["command_topic"] == BASE + "/dimmer/toggle/set" and lamp["payload_on"] == "state=1"
    assert lamp["brightness_command_topic"] == BASE + "/dimmer/set_value/set" and lamp["brightness_scale"] == 1000
    assert lamp["brightness_command_template"] == "value={{ value }}"
    assert lamp["brightness_value_template"] == "{{ value_json['X'] }}"
    assert shown("rgb")["rgb_light"]["rgb_command_template"].startswith("r={{ (red * 1000 / 255) | round | int }} g=")
    white = shown("cct")["cct_light"]
    assert white["brightness_command_topic"] == BASE + "/cct/brightness/set" and white["brightness_scale"] == 100


def test_switches_and_numbers_show_the_values_that_are_theirs():
    assert shown("switch")["switch_set_state2"]["value_template"] == "state={{ 1 if value_json['SW2'] else 0 }}"
    servo = shown("servo")["servo_s2duty"]
    assert (servo["min"], servo["max"], servo["command_template"]) == (40, 115, "duty={{ value }}")
    assert servo["value_template"] == "{{ value_json['S2'] }}"
    assert "state_topic" not in shown("pump")["pump_run"]


def test_the_reading_comes_from_the_first_function_that_tells_one():
    assert things.asked(("measure log=False", "logger")) == "measure"
    assert things.asked(("toggle", "status lmf=x", "measure")) == "status"
    assert things.asked(("play",)) is None and things.asked(()) is None
