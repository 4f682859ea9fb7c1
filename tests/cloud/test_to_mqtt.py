"""A virtual board at Mosquitto: commands, the bus, Home Assistant, updates, encryption."""
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.cloud.brokers import Mosquitto, ear, free_port, retained
from tests.cloud.packages import package, served
from tests.cloud.responder import eventually
from tests.pure.home_assistant_rules import faults, update_state_faults
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
SECRET = "tell-nobody"
KNOT = """
why = []

def status():
    if why:
        raise OSError(why[0])
    return {"is_on": True, "volt [V]": 3.3}

def fail(text=None):
    why[:] = [text] if text else []

def help():
    return "status", "fail text=None", "gauge level=<0-10>"
"""
# more entities than Home Assistant is shown; by its name it comes before all others
ABUNDANT = """
def load():
    return "loaded"

def help():
    return tuple(["gauge{} level=<0-10>".format(number) for number in range(80)])
"""


def write(board, name, **config):
    (board.dir / f"{name}-connect.cfg").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker"), users={"node": SECRET, "ear": "ear"}) as running:
        yield running


@pytest.fixture(scope="module")
def board():
    files = {"modules/LM_knot.py": KNOT, "modules/LM_abundant.py": ABUNDANT}
    with VirtualBoard(config={"ntphost": "n/a", "socmax": 4}, files=files, mpy=True,
                      heap="384K") as running:      # all modules of this file in turn, none forgotten
        yield running


@pytest.fixture(scope="module")
def listener(broker):
    with ear(broker.port, user="ear", password="ear") as made:
        yield made


@pytest.fixture
def base(board, broker, listener):
    """The topic of the node, which is connected."""
    write(board, "mqtt", host="127.0.0.1", port=broker.port, user="node", password=SECRET, every=0.2)
    assert board.shell("mqtt connect") == f"connected to 127.0.0.1:{broker.port}"
    return f"micros/{board.shell('hello').split(':')[2]}"


def ask(listener, base, call, payload=""):
    """Answer to a command by MQTT."""
    since = len(listener.heard)
    listener.say(f"{base}/{call}/set", payload)
    return json.loads(listener.next(f"{base}/{call}/result", since))


def test_a_lamp_is_switched_from_mqtt(board, listener, base):
    since = len(listener.heard)
    assert ask(listener, base, "dimmer/set_value", "value=700 smooth=False") == {"ok": True, "result": " X: 700\n S: 1"}
    assert board.pwm["dim_1"].duty == 700
    assert listener.value(f"{base}/dimmer/state", lambda state: state["S"], since) == {"X": 700, "S": 1}
    ask(listener, base, "dimmer/toggle", {"state": False, "smooth": False})
    assert board.pwm["dim_1"].duty == 0
    ask(listener, base, "rgb/color", [100, 0, 5, False])
    assert (board.pwm["redgb"].duty, board.pwm["rgbue"].duty) == (100, 5)


def test_what_changes_elsewhere_is_told_too(board, listener, base):
    since = len(listener.heard)
    board.shell("dimmer set_value 321 smooth=False")
    listener.value(f"{base}/dimmer/state", lambda state: state["X"] == 321, since)


def test_a_wrong_command_says_why(listener, base):
    assert ask(listener, base, "nothing/here") == {
        "ok": False, "result": "exec_lm_core LM_nothing->here: no module LM_nothing; help lm lists them"}
    assert not ask(listener, base, "dimmer/set_value", "value=")["ok"]
    assert not ask(listener, base, "dimmer/set_value", '{"value": ')["ok"]


def test_bus_and_alarms_go_both_ways(board, listener, base):
    since = len(listener.heard)
    board.shell("bus publish door open", "robustness raise_error")
    assert listener.next(f"{base}/bus/door", since) == "open"
    listener.say(f"{base}/bus/bell/set", {"rings": 3})
    assert json.loads(listener.next(f"{base}/bus/bell", since)) == {"rings": 3}
    board.shell("mqtt event button pressed", "mqtt publish a/topic text")
    assert listener.next(f"{base}/event/button", since) == "pressed" and listener.next("a/topic", since) == "text"


def test_home_assistant_is_shown_what_there_is_and_it_goes_with_its_module(board, listener, base):
    topic = f"homeassistant/device/{base.split('/')[1]}/config"
    board.shell("dimmer status", "knot status")
    shown = listener.value(topic, lambda it: {"dimmer_light", "knot_volt"} <= set(it["cmps"]))
    assert faults(topic, shown) == [] and shown["cmps"]["update"]["p"] == "update"
    assert shown["cmps"]["knot_is_on"]["p"] == "binary_sensor" and shown["cmps"]["knot_gauge"]["p"] == "number"
    since = len(listener.heard)
    board.shell("lmpacman module LM_knot")
    gone = listener.value(topic, lambda it: it["cmps"].get("knot_volt") == {"p": "sensor"}, since)
    assert faults(topic, gone) == []
    assert "knot_volt" not in listener.value(topic, lambda it: "knot_volt" not in it["cmps"], since)["cmps"]
    assert listener.next(f"{base}/knot/state", since) == ""


def test_it_is_shown_again_when_home_assistant_comes_up(listener, base):
    since = len(listener.heard)
    listener.say("homeassistant/status", "online")
    listener.value(f"homeassistant/device/{base.split('/')[1]}/config", bool, since)
    listener.next(f"{base}/dimmer/state", since)


def failed(board):
    """How often the connector has failed."""
    return int(board.shell("mqtt status").split("failed: ")[1].split()[0])


def test_a_module_that_fails_costs_nobody_anything_and_is_told_once(board, listener, base):
    topic, known = f"homeassistant/device/{base.split('/')[1]}/config", board.dir / "mqtt.pds"
    board.shell("knot fail", "knot status")
    listener.value(topic, lambda it: "knot_volt" in it["cmps"])
    eventually(lambda: "knot_volt" in known.read_text())
    since = len(listener.heard)
    for number in range(3):
        before = failed(board)
        board.shell("knot fail 'no wire'")
        eventually(lambda: failed(board) > before)  # noqa: B023
        board.shell("knot fail", f"dimmer set_value {100 + number} smooth=False")
        listener.value(f"{base}/dimmer/state", lambda state: state["X"] == 100 + number, since)  # noqa: B023
    assert len([text for text in listener.all(f"{base}/alarm", since) if "no wire" in text]) == 1
    assert all("knot_volt" in text for text in [*listener.all(topic, since), known.read_text()])


def test_what_has_not_been_read_yet_is_not_taken_away(board, listener, base):
    topic, known = f"homeassistant/device/{base.split('/')[1]}/config", board.dir / "mqtt.pds"
    board.shell("knot fail", "knot status")
    listener.value(topic, lambda it: "knot_volt" in it["cmps"])
    eventually(lambda: "knot_volt" in known.read_text())
    since = len(listener.heard)
    board.shell("knot fail 'no wire'", "mqtt disconnect", "mqtt connect")      # as after a boot
    shown = listener.value(topic, bool, since)
    assert "knot_volt" not in shown["cmps"] and "knot_gauge" in shown["cmps"] and "knot_volt" in known.read_text()
    board.shell("knot fail")
    assert listener.value(topic, lambda it: "knot_volt" in it["cmps"], since)["cmps"]["knot_volt"]["stat_t"]
    assert not [it for it in listener.values(topic, since) if it["cmps"].get("knot_volt") == {"p": "sensor"}]


def test_what_has_no_room_is_told_by_one_alarm_and_takes_nothing_from_the_others(board, listener, base):
    topic = f"homeassistant/device/{base.split('/')[1]}/config"
    board.shell("dimmer status", "light_sensor illuminance")
    before = set(listener.value(topic, lambda it: "light_sensor_illuminance" in it["cmps"])["cmps"])
    since = len(listener.heard)
    board.shell("abundant load")
    shown = listener.value(topic, lambda it: "abundant_gauge0" in it["cmps"], since)
    assert before <= set(shown["cmps"]) and faults(topic, shown) == []
    assert not [it for it in listener.values(topic, since) if {"p": "number"} in it["cmps"].values()]
    left = sorted({f"abundant_gauge{number}" for number in range(80)} - set(shown["cmps"]))
    says = (f"Home Assistant is shown {len(shown['cmps'])} entities, for {len(left)} there is no room, {left[0]} the "
            "first of them; name fewer `modules` in the configuration")
    eventually(lambda: [text for text in listener.all(f"{base}/alarm", since) if says in text])
    board.shell("mqtt disconnect", "mqtt connect")
    again = len(listener.heard)
    listener.say("homeassistant/status", "online")
    assert listener.value(topic, bool, again)["cmps"].keys() == shown["cmps"].keys()
    assert len([text for text in listener.all(f"{base}/alarm") if says in text]) == 1
    board.shell("lmpacman module LM_abundant")
    listener.value(topic, lambda it: "abundant_gauge0" not in it["cmps"], again)


def install(listener, base, body, **offer):
    """What is told of an update that is offered and then installed."""
    since = len(listener.heard)
    with served(body) as url:
        listener.say(f"{base}/update/offer", {"url": url, "version": "9.9", **offer})
        offered = listener.value(f"{base}/update", lambda told: told["latest_version"] == "9.9", since)
        assert not offered["in_progress"]
        listener.say(f"{base}/update/install", "install")
        last = listener.value(f"{base}/update/state", lambda told: told["state"] in ("failed", "done"), since)
    told = listener.values(f"{base}/update", since)
    assert [update_state_faults(state) for state in told] == [[]] * len(told)
    steps = [state["update_percentage"] for state in told if state["in_progress"]]
    return steps, told[-1], last


def test_an_update_that_is_not_the_one_offered_is_refused_and_home_assistant_told(board, listener, base):
    steps, told, last = install(listener, base, package(new=b"x"), sha256="0" * 64)
    assert steps[:1] == [0] and told["in_progress"] is False and told["update_percentage"] is None
    assert last["state"] == "failed" and "sha256" in last["error"] and not (board.dir / "new").exists()


def test_an_update_is_installed_when_home_assistant_says_so(board, listener, base):
    body = package(**{"modules/LM_fresh.py": b"def load():\n    return 'fresh'\n"})
    steps, _, last = install(listener, base, body, sha256=hashlib.sha256(body).hexdigest())
    assert steps[0] == 0 and steps == sorted(steps) and len(steps) > 1 and last["state"] == "done"
    eventually(lambda: (board.dir / "modules/LM_fresh.py").exists())
    board.wait_ready()
    assert board.shell("fresh load") == "fresh"
    since = len(listener.heard)
    board.shell("mqtt connect")
    told = listener.value(f"{base}/update", bool, since)
    assert told == {"installed_version": told["latest_version"], "latest_version": told["latest_version"],
                    "in_progress": False, "update_percentage": None}
    assert told["installed_version"] in board.shell("version")


def test_no_secret_is_told(board, listener, base):
    said = board.shell("mqtt status", "mqtt settings", "mqtt settings aliyun", "mqtt help", "system alarms")
    assert "up: True" in said and "device_secret" in said
    for text in (said, board.console(), "".join(f"{topic} {payload}" for topic, payload, _ in listener.heard)):
        assert SECRET not in text


@pytest.mark.parametrize(("config", "why"), [
    ({}, "host is missing in odd-connect.cfg"),
    ({"host": "h", "port": "x"}, "port of odd-connect.cfg is to be like 1883"),
    ({"host": "h", "pasword": "x"}, "odd-connect.cfg has no pasword; `mqtt settings odd` lists all"),
    ({"host": "h", "every": 0}, "every of odd-connect.cfg is 0.2-3600 s"),
    ({"host": "h", "tls": True}, "tls of odd-connect.cfg needs ca, a file in DER, or insecure"),
    ({"host": "h", "connector": "moon"}, "no connector moon: there is no cloud/to_moon.py"),
    ([], "odd-connect.cfg is to be a JSON object")])
def test_a_configuration_that_cannot_be_used_is_refused_in_one_line(board, config, why):
    (board.dir / "odd-connect.cfg").write_text(json.dumps({"connector": "mqtt", **config} if config != [] else []))
    board.shell("mqtt disconnect")
    assert board.shell("mqtt connect odd") == f"exec_lm_core LM_mqtt->connect: {why}"


def test_one_who_says_goodbye_is_offline_and_one_who_falls_silent_too(board, broker, listener, base):
    since = len(listener.heard)
    assert board.shell("mqtt disconnect") == "disconnected"
    assert listener.next(f"{base}/status", since) == "offline"
    assert board.shell("mqtt status") == " up: False"
    board.shell("mqtt connect")
    since = len(listener.heard)
    board.shell("reboot -h")
    assert listener.next(f"{base}/status", since) == "offline"
    board.wait_ready()


def connect(board, name, port, **config):
    """The topic of the node, which is connected there and nowhere else."""
    board.shell("mqtt disconnect")
    write(board, name, connector="mqtt", host="127.0.0.1", port=port, **{"every": 0.2, **config})
    assert board.shell(f"mqtt connect {name}") == f"connected to 127.0.0.1:{port}"
    return f"micros/{board.shell('hello').split(':')[2]}"


def test_a_broker_that_has_forgotten_all_is_told_all(board, tmp_path):
    with Mosquitto(tmp_path) as broker:
        base = connect(board, "again", broker.port)
        broker.stop()
        board.shell("dimmer set_value 500 smooth=False")
        for path in tmp_path.glob("mosquitto.db"):
            path.unlink()
        broker.start()
        topics = {f"{base}/{word}" for word in ("status", "update", "dimmer/state")}
        topics.add(f"homeassistant/device/{base.split('/')[1]}/config")
        eventually(lambda: topics <= retained(broker.port).keys())
        assert json.loads(retained(broker.port)[f"{base}/dimmer/state"])["X"] == 500
        board.shell("mqtt disconnect")


def test_a_node_may_be_closed_to_calls_and_updates(board, tmp_path):
    with Mosquitto(tmp_path) as broker, ear(broker.port) as listener:
        base = connect(board, "shy", broker.port, calls=["rgb"], updates=False, modules=["dimmer"])
        assert ask(listener, base, "dimmer/toggle") == {"ok": False, "result": "dimmer may not be called from here"}
        assert ask(listener, base, "rgb/toggle", "state=0 smooth=False")["ok"]
        listener.say(f"{base}/update/offer", {"url": "http://127.0.0.1:1/x", "version": "9"})
        listener.say(f"{base}/update/install", "install")
        assert ask(listener, base, "rgb/status")["ok"] and not listener.values(f"{base}/rgb/state")
        assert {told["state"] for told in listener.values(f"{base}/update/state")} == {"available"}
        board.shell("mqtt disconnect")


def test_encrypted_by_certificate_and_by_a_shared_key(board, certificate, tmp_path):
    cert, key = certificate
    tls, psk = free_port(), free_port()
    for path in (cert, key):
        shutil.copy(path, tmp_path)
    (tmp_path / "keys").write_text("node:00112233445566778899aabbccddeeff\n")
    for name in ("ca.der", "other.der"):
        shutil.copy(Path(cert).parent / name, board.dir)
    lines = (f"listener {tls} 127.0.0.1", "allow_anonymous true", f"certfile {tmp_path}/ca.pem",
             f"keyfile {tmp_path}/key.pem", f"listener {psk} 127.0.0.1", "allow_anonymous true", "psk_hint x",
             f"psk_file {tmp_path}/keys", "use_identity_as_username true")
    with Mosquitto(tmp_path, lines) as broker, ear(broker.port) as listener:
        for name, port, config in (
                ("tls", tls, {"host": "localhost", "tls": True, "ca": "ca.der"}),
                ("psk", psk, {"psk_identity": "node", "psk": "00112233445566778899aabbccddeeff"})):
            board.shell("mqtt disconnect")
            write(board, name, **{"connector": "mqtt", "host": "127.0.0.1", "port": port, "every": 0.2, **config})
            assert board.shell(f"mqtt connect {name}").startswith("connected to"), name
            base = f"micros/{board.shell('hello').split(':')[2]}"
            assert ask(listener, base, "dimmer/set_value", "value=200 smooth=False")["ok"]
        for name, says, config in (
                ("key", "", {"port": psk, "psk_identity": "node", "psk": "00ff"}),
                ("stranger", "not correctly signed by the trusted CA", {"tls": True, "ca": "other.der"}),
                ("lost", "nowhere.der is no authority in DER", {"tls": True, "ca": "nowhere.der"})):
            write(board, name, **{"connector": "mqtt", "host": "localhost", "port": tls, **config})
            board.shell("mqtt disconnect", f"mqtt connect {name} &")
            said = eventually(lambda: [said for said in [board.shell("mqtt status")]
                                      if "links: 0" in said and "error: \n" not in said])[0]
            assert "up: False" in said and says in said and "00ff" not in said, said
            board.shell("task kill mqtt.connect")      # it would wait for the link
        board.shell("mqtt disconnect")
