"""A virtual board at Mosquitto and at the engine's MQTT listener: lamps, sensors, the last will, restarts, flapping."""
import contextlib
import json
import os
import random
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.cloud.brokers import Ear, Mosquitto, ear, free_port, retained
from tests.cloud.packages import package, served
from tests.cloud.responder import eventually
from tests.pure.home_assistant_rules import faults
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
SECRET = "tell-nobody"
FLAP_S = float(os.environ.get("MQTT_FLAP_S", "3"))      # of a broker that comes and goes; `make soak` takes 600
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


def write(board, name, **config):
    (board.dir / f"{name}-connect.cfg").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker"), users={"node": SECRET, "ear": "ear"}) as running:
        yield running


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(config={"ntphost": "n/a", "socmax": 4}, files={"modules/LM_knot.py": KNOT}, mpy=True,
                      heap="320K") as running:      # all modules of this file in turn, none forgotten
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


def test_a_sensor_s_value_arrives(board, listener, base):
    board.adc["temp6000"] = 20000
    board.shell("light_sensor illuminance")
    first = listener.value(f"{base}/light_sensor/state", bool)
    board.adc["temp6000"] = 50000
    second = listener.value(f"{base}/light_sensor/state", lambda state: state != first)
    assert float(second["illuminance [lux]"]) > float(first["illuminance [lux]"])


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


def test_a_module_that_fails_costs_the_others_nothing_and_is_told_once(board, listener, base):
    board.shell("knot status")
    listener.value(f"{base}/knot/state", bool)
    board.shell("knot fail 'no wire'")
    since = len(listener.heard)
    assert "no wire" in eventually(lambda: [text for text in listener.all(f"{base}/alarm") if "knot" in text])[0]
    board.shell("dimmer set_value 111 smooth=False")
    listener.value(f"{base}/dimmer/state", lambda state: state["X"] == 111, since)
    assert len([text for text in listener.all(f"{base}/alarm") if "no wire" in text]) == 1
    board.shell("knot fail")


def test_an_update_is_offered_shown_and_installed_when_home_assistant_says_so(board, listener, base):
    since = len(listener.heard)
    with served(package(new=b"x")) as url:
        listener.say(f"{base}/update/offer", {"url": url, "version": "9.9", "sha256": "0" * 64})
        offered = listener.value(f"{base}/update", lambda told: told["latest_version"] == "9.9", since)
        assert offered["installed_version"] in board.shell("version") and not offered["in_progress"]
        listener.say(f"{base}/update/install", "install")
        listener.value(f"{base}/update", lambda told: told["in_progress"], since)
        failed = listener.value(f"{base}/update", lambda told: told.get("error"), since)
    assert "sha256" in failed["error"] and not failed["in_progress"] and not (board.dir / "new").exists()


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


def test_retained_state_is_right_after_a_broker_restart(board, tmp_path):
    with Mosquitto(tmp_path) as broker:
        base = connect(board, "again", broker.port)
        board.shell("dimmer set_value 400 smooth=False")
        with ear(broker.port) as before:
            before.value(f"{base}/dimmer/state", lambda state: state["X"] == 400)
        broker.stop()
        board.shell("dimmer set_value 500 smooth=False")
        for path in tmp_path.glob("mosquitto.db"):      # once more from nothing: the node knows it all
            path.unlink()
        broker.start()
        with ear(broker.port) as after:
            after.value(f"{base}/dimmer/state", lambda state: state["X"] == 500)
            after.next(f"homeassistant/device/{base.split('/')[1]}/config")
        kept = retained(broker.port)
        broker.restart()
        assert json.loads(kept[f"{base}/dimmer/state"])["X"] == 500 and kept[f"{base}/status"] == "online"
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
        assert {told.get("state", "available") for told in listener.values(f"{base}/update")} == {"available"}
        board.shell("mqtt disconnect")


def test_encrypted_by_certificate_and_by_a_shared_key(board, certificate, tmp_path):
    cert, key = certificate
    tls, psk = free_port(), free_port()
    for path in (cert, key):
        shutil.copy(path, tmp_path)
    (tmp_path / "keys").write_text("node:00112233445566778899aabbccddeeff\n")
    shutil.copy(Path(cert).parent / "ca.der", board.dir)
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
        write(board, "wrong", connector="mqtt", host="127.0.0.1", port=psk, psk_identity="node", psk="00ff")
        board.shell("mqtt disconnect", "mqtt connect wrong &")
        said = eventually(lambda: [said for said in [board.shell("mqtt status")]
                                  if "links: 0" in said and "error: \n" not in said])[0]
        assert "up: False" in said and "00ff" not in said
        board.shell("mqtt disconnect")


class Cut(threading.Thread):
    """A way to a port whose connections break without a word, whenever cut() is called."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._to, self._links, self._is_over = port, [], False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.start()

    def run(self):
        while not self._is_over:
            try:
                here = self._door.accept()[0]
                there = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                continue
            self._links += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)
        for link in (source, sink):
            with contextlib.suppress(OSError):
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")      # a reset, no goodbye
                link.close()

    def cut(self):
        links, self._links = self._links, []
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def end(self):
        self._is_over = True
        self._door.close()
        self.cut()


@pytest.mark.timeout(60 + 2 * FLAP_S)
def test_a_flapping_broker_loses_no_message_with_qos_1(board, tmp_path):
    """The broker restarts, and links break in the middle of a word; what the node said arrives, in its order."""
    chance = random.Random(21)
    with Mosquitto(tmp_path, ("max_queued_messages 0",)) as broker:
        way = Cut(broker.port)
        connect(board, "flap", way.port)
        listener = Ear(broker.port, "count/#", name="listener", is_clean=False)
        said, is_over = [0], threading.Event()

        def speak():
            with board.session(200) as session:
                while not is_over.is_set():
                    assert session.send(f"mqtt publish count/up {said[0]}") == "published"
                    said[0] += 1

        speaker = threading.Thread(target=speak)
        speaker.start()
        end_s, breaks = time.monotonic() + FLAP_S, 0
        while time.monotonic() < end_s:
            if breaks % 4 == 3:
                broker.stop()
                is_over.wait(chance.uniform(0.1, 0.5))
                broker.start()
            else:
                way.cut()
            breaks += 1
            # a link that held for ten seconds forgets how often it failed, and is tried again at once
            is_over.wait(12 if FLAP_S > 60 and breaks % 5 == 0 else chance.uniform(0.2, 1))
        is_over.set()
        speaker.join(200)
        assert said[0] > breaks > 2 and not speaker.is_alive()
        listener.say("count/end")
        listener.next("count/end")
        first = list(dict.fromkeys(listener.all("count/up")))
        lost = {str(number) for number in range(said[0])} - set(first)
        assert not lost, f"{lost} of {said[0]} over {breaks} breaks; {(tmp_path / 'log').read_text()[-2000:]}"
        assert first == [str(number) for number in range(said[0])]
        listener.close()
        board.shell("mqtt disconnect")
        way.end()


def test_the_engine_s_own_listener_serves_a_node(board, tmp_path):
    pytest.importorskip("nats")
    from toolkit.gateway.engine import UnavailableError
    from toolkit.gateway.nats_server import EmbeddedServer
    port = free_port()
    server = EmbeddedServer(tmp_path / "engine", f"127.0.0.1:{port}", {"node": "right", "ear": "ear"})
    try:
        server.ensure()
    except UnavailableError as error:
        pytest.skip(str(error))
    try:
        with ear(port, "micros/#", user="ear", password="ear") as listener:
            base = connect(board, "engine", port, user="node", password="right")
            assert ask(listener, base, "dimmer/set_value", "value=600 smooth=False")["ok"]
            assert board.pwm["dim_1"].duty == 600
            listener.value(f"{base}/dimmer/state", lambda state: state["X"] == 600)
        with ear(port, f"{base}/#", user="ear", password="ear") as late:
            assert late.next(f"{base}/status") == "online"
            board.shell("mqtt disconnect")
            eventually(lambda: "offline" in late.all(f"{base}/status"))
    finally:
        server.stop()
