"""A virtual board at each broker, Mosquitto and the engine's listener: lamp, sensor, last will, restarts, flapping."""
import json
import os
import random
import threading
import time

import pytest

from tests.cloud.brokers import Ear, Engine, Mosquitto, Way, ear, retained
from tests.cloud.responder import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
FLAP_S = float(os.environ.get("MQTT_FLAP_S", "3"))      # of a broker that comes and goes; `make soak` takes 600
USERS = {"node": "right", "ear": "ear"}
LISTENER = {"user": "ear", "password": "ear"}
# which commands came: the number after the highest one, those below that are missing, how many came late
TALLY = """
seen, missing, late = [0], [], [0]

def note(number):
    missing.extend(range(seen[0], number))
    seen[0] = max(seen[0], number + 1)
    if number in missing:
        missing.remove(number)
        late[0] += 1
    return number

def noted():
    return "{} came, missing: {}, late: {}".format(seen[0], missing, late[0])

def anew():
    seen[0] = late[0] = 0
    missing.clear()
    return "anew"

def help():
    return "note number", "noted", "anew"
"""


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(config={"ntphost": "n/a", "socmax": 4}, files={"modules/LM_tally.py": TALLY}, mpy=True,
                      heap="320K") as running:
        yield running


@pytest.fixture(scope="module", params=[Mosquitto, Engine])
def broker(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broker")
    lines = {"lines": ("max_queued_messages 0",)} if request.param is Mosquitto else {}
    with request.param(folder, users=USERS, **lines) as running:
        yield running


@pytest.fixture(scope="module")
def way(broker):
    with Way(broker.port) as made:
        yield made


@pytest.fixture
def base(board, way):
    """The topic of the node, which has a new link."""
    connect(board, way)
    return f"micros/{board.shell('hello').split(':')[2]}"


def connect(board, way, keep_alive=60):
    config = {"host": "127.0.0.1", "port": way.port, "user": "node", "password": "right", "every": 0.2,
              "keep_alive": keep_alive}
    (board.dir / "mqtt-connect.cfg").write_text(json.dumps(config))
    board.shell("mqtt disconnect", "mqtt connect")
    eventually(lambda: " up: True" in board.shell("mqtt status"))


@pytest.fixture
def listener(broker, base):
    with ear(broker.port, f"{base}/#", "homeassistant/#", **LISTENER) as made:
        made.next(f"{base}/status")
        yield made


def kept(broker):
    return retained(broker.port, **LISTENER)


def test_a_lamp_is_switched(board, listener, base):
    for payload, duty in (("value=600 smooth=False", 600), ('{"value": 70, "smooth": false}', 70), ("[5, false]", 5)):
        since = len(listener.heard)
        listener.say(f"{base}/dimmer/set_value/set", payload)
        assert json.loads(listener.next(f"{base}/dimmer/set_value/result", since))["ok"]
        assert board.pwm["dim_1"].duty == duty
        listener.value(f"{base}/dimmer/state", lambda state: state["X"] == duty, since)  # noqa: B023


def test_a_sensor_s_value_arrives(board, listener, base):
    board.adc["temp6000"] = 20000
    board.shell("light_sensor illuminance")
    first = listener.value(f"{base}/light_sensor/state", bool)
    board.adc["temp6000"] = 50000
    listener.value(f"{base}/light_sensor/state",
                   lambda state: float(state["illuminance [lux]"]) > float(first["illuminance [lux]"]))


def test_the_last_will_shows_when_the_link_breaks_when_it_falls_silent_and_when_the_node_dies(
        board, broker, way, listener, base):
    def shows(*last):
        eventually(lambda: tuple(listener.all(f"{base}/status", since)[-len(last):]) == last)

    since = len(listener.heard)
    way.cut()
    shows("offline", "online")
    connect(board, way, keep_alive=1)
    since = len(listener.heard)
    way.hold()
    shows("offline")
    way.cut()
    connect(board, way)
    eventually(lambda: kept(broker)[f"{base}/status"] == "online")
    since = len(listener.heard)
    board.reset()
    shows("offline")
    assert kept(broker)[f"{base}/status"] == "offline"
    board.wait_ready()


def test_retained_state_is_right_after_a_broker_restart(board, broker, way, listener, base):
    topic = f"homeassistant/device/{base.split('/')[1]}/config"
    board.shell("dimmer set_value 400 smooth=False")
    listener.value(topic, lambda shown: "dimmer_light" in shown["cmps"])
    listener.value(f"{base}/dimmer/state", lambda state: state["X"] == 400)
    board.shell("mqtt disconnect")
    told = kept(broker)
    assert told[f"{base}/status"] == "offline" and json.loads(told[f"{base}/dimmer/state"])["X"] == 400
    broker.restart()                     # nobody but the broker knows now
    assert kept(broker) == told
    connect(board, way)
    broker.stop()
    board.shell("dimmer set_value 500 smooth=False")
    broker.start()

    def is_right():
        now = kept(broker)
        return now.keys() == told.keys() and now[topic] == told[topic] and now[f"{base}/status"] == "online" and (
            json.loads(now[f"{base}/dimmer/state"])["X"] == 500)

    eventually(is_right)


def test_commands_said_while_the_node_was_away_are_done_when_it_is_back(board, listener, base):
    board.shell("tally anew", "mqtt disconnect")
    for number in range(40):
        listener.say(f"{base}/tally/note/set", f"number={number}")
    board.shell("mqtt connect")
    eventually(lambda: board.shell("tally noted") == "40 came, missing: [], late: 0")
    assert " refused: 0" in board.shell("mqtt status")


class Talk:
    """Numbers said with QoS 1 in both directions, all the time: to the node as commands, by it as words of its own."""

    MOST_AHEAD = 20                # commands whose result is not there yet

    def __init__(self, board, broker, base):
        self.said = [0, 0]             # to the node, by the node
        self._board, self._base, self._is_over = board, base, threading.Event()
        self.ear = Ear(broker.port, f"{base}/tally/note/result", "count/#", name="talk", is_clean=False, **LISTENER)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._command, self._speak)]
        for thread in self._threads:
            thread.start()

    def _command(self):
        while not self._is_over.wait(0.02):
            if self.said[0] < self.done() + self.MOST_AHEAD:
                self.ear.say(f"{self._base}/tally/note/set", f"number={self.said[0]}", patience_s=FLAP_S + 60)
                self.said[0] += 1

    def _speak(self):
        with self._board.session(200) as session:
            while not self._is_over.is_set():
                assert session.send(f"mqtt publish count/up {self.said[1]}") == "published"
                self.said[1] += 1

    def done(self):
        """How many commands have their results."""
        answers = self.ear.all(f"{self._base}/tally/note/result")[-self.MOST_AHEAD:]
        return max([int(json.loads(answer)["result"]) + 1 for answer in answers], default=0)

    def heard(self):
        """Numbers that the node said, as they came first."""
        return list(dict.fromkeys(int(text) for text in self.ear.all("count/up")))

    def end(self):
        """No more is said; what was said comes to its end."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(200)
        assert not any(thread.is_alive() for thread in self._threads)
        eventually(lambda: self.done() == self.said[0], 200)
        eventually(lambda: len(self.heard()) >= self.said[1], 60)
        self.ear.close()


@pytest.mark.timeout(600 + 2 * FLAP_S)
def test_a_flapping_broker_loses_no_message_with_qos_1_either_way(board, broker, way, base):
    """The broker restarts, and links break in the middle of a word; what was said arrives, in its order."""
    chance = random.Random(21)
    board.shell("tally anew")
    talk = Talk(board, broker, base)
    end_s, breaks = time.monotonic() + FLAP_S, 0
    pause = threading.Event()
    while time.monotonic() < end_s:
        if breaks % 4 == 3:
            broker.stop()
            pause.wait(chance.uniform(0.1, 0.5))
            broker.start()
        else:
            way.cut()
        breaks += 1
        # a link that held for ten seconds forgets how often it failed, and is tried again at once
        pause.wait(12 if FLAP_S >= 60 and breaks % 5 == 0 else chance.uniform(0.2, 1))
    talk.end()
    assert breaks > 2 and min(talk.said) > 0
    eventually(lambda: f"{talk.said[0]} came, missing: []" in board.shell("tally noted"), 90)
    assert sorted(talk.heard()) == list(range(talk.said[1])) and " refused: 0" in board.shell("mqtt status")
    if broker.keeps_order:
        assert talk.heard() == sorted(talk.heard()) and "late: 0" in board.shell("tally noted")
