"""Readings that come by MQTT: what was acknowledged is in the history, once, whoever was killed meanwhile."""
import argparse
import json
import os
import signal
import sys
import threading
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest

from tests.device.wire import eventually
from tests.gateway.fleet_fakes import GatewayProcess, parsed, running
from tests.toolkit.foreign import free_port
from toolkit.errors import UsageError
from toolkit.gateway import mqtt_options
from toolkit.gateway.mqtt_readings import MOST_VALUES, values_of
from toolkit.gateway.nats_server import FACTS

PROGRAM = """
import sys
from pathlib import Path

from toolkit.gateway import app, server
from toolkit.gateway.settings import Settings

folder, port, mqtt = sys.argv[1:]
settings = Settings(port=int(port), folder=Path(folder), discover=False, mqtt=mqtt, mqtt_users={"node": "secret"})
server.serve(app.build(settings, parts=("api", "engine", "history")), settings)
"""
PATIENCE_S = 40


@contextmanager
def client(port):
    """A node that comes back when its connection is lost, and says again what was not acknowledged."""
    made = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="node", clean_session=False)
    made.username_pw_set("node", "secret")
    made.reconnect_delay_set(1, 1)
    is_up = threading.Event()
    made.on_connect = lambda *_: is_up.set()
    made.connect("127.0.0.1", port)
    made.loop_start()
    try:
        assert is_up.wait(PATIENCE_S)
        yield made
    finally:
        made.disconnect()
        made.loop_stop()


def say(node, module, *levels):
    """Returns when each is acknowledged."""
    told = [node.publish(f"micros/micrX1OS/{module}/state", json.dumps({"level": level}), 1) for level in levels]
    for each in told:
        each.wait_for_publish(PATIENCE_S)
        assert each.is_published()


def kept(gateway, module):
    """Levels that the history has, by the time at which they came."""
    answer = gateway.ask("GET", f"/api/v1/history/devices/micrX1OS/{module}.level")
    return [level for _, level in parsed(answer)["points"]] if answer.status_code == 200 else []


def make_noise(node):
    """What is no reading; whoever takes readings has to get over it."""
    for uid, text in (("x" * 3000, "1"), ("micrX1OS", "[" * 100_000), ("micr.X1/OS", "{}"), ("micrX2OS", b"\xff")):
        node.publish(f"micros/{uid}/lamp/state", text, 1).wait_for_publish(PATIENCE_S)


def is_taken(gateway, node):
    """The first one that is in the history: by then no other is lost."""
    say(node, "first", 1)
    return kept(gateway, "first")


@pytest.mark.slow
def test_what_was_acknowledged_while_the_gateway_was_dead_is_in_the_history_once(tmp_path):
    port = free_port()
    gateway = GatewayProcess(tmp_path, [])
    gateway._words = [sys.executable, "-c", PROGRAM, str(tmp_path), str(gateway.port), f"127.0.0.1:{port}"]
    with running(gateway):
        gateway.wait()
        gateway.ask("GET", "/api/v1/history/events")               # its engine is up
        with client(port) as node:
            eventually(lambda: is_taken(gateway, node), bool, PATIENCE_S)
            make_noise(node)
            say(node, "lamp", *range(5))
            gateway.kill()                        # its engine lives on, and takes what comes
            say(node, "lamp", *range(5, 25))
            pid = json.loads((tmp_path / "engine" / FACTS).read_text())["pid"]
            os.kill(pid, signal.SIGKILL)          # and then that dies, too
        gateway.start()
        levels = eventually(lambda: kept(gateway, "lamp"), lambda levels: len(levels) >= 25, PATIENCE_S)
        assert sorted(levels) == list(range(25))


@pytest.mark.parametrize("text, values", [
    ('{"X": 700, "S": true, "name": "lamp"}', {"lamp.X": 700.0, "lamp.S": 1.0}),
    ('{"temp [\u00baC]": 21.5, "hum [%]": "40 %"}', {"lamp.temp_C": 21.5, "lamp.hum": 40.0}),
    ('{"a": {"b": [1, 2]}}', {"lamp.a_b_0": 1.0, "lamp.a_b_1": 2.0}),
    ('{"a b": 1, "a_b": 2, "c": Infinity}', {"lamp.a_b": 1.0}),
    ("", {}), ("{", {}), ("noise", {}), ("null", {}), ("[" * 100_000, {}),
    (f'{{"a": 1, "b": 1{"0" * 400}}}', {"lamp.a": 1.0}),
])
def test_numbers_of_a_reading_are_metrics_of_its_module(text, values):
    assert values_of("lamp", text) == values


def test_a_reading_has_its_bounds():
    found = values_of("lamp", json.dumps({f"{number}" + "x" * 100: number for number in range(1000)}))
    assert len(found) == MOST_VALUES and {len(name) for name in found} == {60}


def options(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine")
    mqtt_options.add_arguments(parser)
    return mqtt_options.chosen(parser.parse_args(words))


def test_the_command_line_says_where_boards_come_and_who_may(tmp_path):
    (tmp_path / "users").write_text("# who may\nnode:se:cret\n\nother:x\n")
    known = {"node": "se:cret", "other": "x"}
    assert options() == {}
    assert options("--mqtt", "1883", "--mqtt-users", f"{tmp_path}/users") == {
        "mqtt": "127.0.0.1:1883", "mqtt_users": known}
    assert options("--mqtt", "0.0.0.0:2883", "--mqtt-users", f"{tmp_path}/users")["mqtt"] == "0.0.0.0:2883"


@pytest.mark.parametrize("words, users, said", [
    (["--mqtt", "1883"], "a:b", "without a user nobody gets in"),
    (["--mqtt-users", "users"], "a:b", "takes --mqtt, too"),
    (["--mqtt", "door", "--mqtt-users", "users"], "a:b", r"is \[ADDRESS:\]PORT like 1883"),
    (["--mqtt", "1883", "--mqtt-users", "users", "--engine", "off"], "a:b", "the gateway's own engine"),
    (["--mqtt", "1883", "--mqtt-users", "users"], "a:b\nsecret\n", "line 2 is no `name:password`"),
    (["--mqtt", "1883", "--mqtt-users", "users"], "gateway:b", "line 1 is no `name:password`"),
    (["--mqtt", "1883", "--mqtt-users", "users"], "# none", "names nobody"),
    (["--mqtt", "1883", "--mqtt-users", "nowhere"], "a:b", "cannot be read: No such file"),
])
def test_wrong_options_are_named_without_a_password(words, users, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users").write_text(users)
    with pytest.raises(UsageError, match=said) as told:
        options(*words)
    assert "secret" not in str(told.value)
