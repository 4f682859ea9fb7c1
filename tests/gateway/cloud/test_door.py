"""Who comes in by MQTT, and who does not."""
import json
import socket

import pytest

from micrOS.source.pure import mqtt
from tests.cloud.responder import eventually
from tests.gateway.cloud.light import Light, greeted, running_cloud, thrown, trusted


def test_a_thing_comes_in_with_its_key_and_token_and_is_listed(cloud, rest, thing):
    row = rest.get(f"/api/v1/things/{thing.key}").json()
    address = f"127.0.0.1:{thing.socket.getsockname()[1]}"
    assert (row["connected"], row["role"], row["address"]) == (True, "act", address)
    assert thing.ask("diag.ping") == {"success": True}


@pytest.mark.parametrize("change", [lambda key, token: (key, token + "x"), lambda key, token: ("other-app", token),
                                    lambda key, token: (key, ""), lambda key, token: (key + "\U0001f600", token)])
def test_a_wrong_token_is_refused_with_code_5(cloud, make_thing, change):
    assert greeted(cloud.port, *change(*make_thing())) == 5


def test_replies_come_to_whoever_asked_though_all_ask_on_the_same_topic(cloud, make_thing):
    with Light(cloud.port, *make_thing()) as one, Light(cloud.port, *make_thing()) as other:
        for _ in range(20):
            topics = {light.send(("diag.echo", {"who": light.key})) for light in (one, other)}
            assert len(topics) == 1
            for light in (one, other):
                assert json.loads(light.heard(*topics))["1"]["params"]["who"] == light.key
        assert not one.received and not other.received


def test_a_thing_that_comes_again_takes_over(cloud, make_thing):
    place = make_thing()
    with Light(cloud.port, *place) as older, Light(cloud.port, *place) as newer:
        assert older.is_shut()
        assert newer.ask("diag.ping")["success"]


def test_a_token_for_a_pattern_registers_up_to_its_bound(cloud, rest):
    told = rest.post("/api/v1/thing-tokens", json={"things": "many*-golden", "most": 2}).json()
    names = ("many1-golden", "many2-golden", "many3-golden", "many1-golden", "few-golden")
    assert [greeted(cloud.port, name, told["token"]) for name in names] == [0, 0, 5, 0, 5]


def test_a_revoked_token_and_a_blocked_thing_are_let_go_and_stay_out(cloud, rest, make_thing):
    (key, token), (other, second) = make_thing(), make_thing()
    with Light(cloud.port, key, token) as light, Light(cloud.port, other, second) as blocked:
        ident = next(row["ident"] for row in rest.get("/api/v1/thing-tokens").json() if row["things"] == key)
        assert rest.delete(f"/api/v1/thing-tokens/{ident}").status_code == 204
        assert rest.patch(f"/api/v1/things/{other}", json={"blocked": True}).json()["blocked"]
        assert light.is_shut() and blocked.is_shut()
    assert [greeted(cloud.port, *place) for place in ((key, token), (other, second))] == [5, 5]


def test_only_hashes_of_secrets_are_kept(cloud, rest, thing, make_thing):
    _, token = make_thing()
    ident = thing.ask("file.put", fileName="secret.txt")["params"]["fileId"]
    kept = b"".join(path.read_bytes() for path in cloud.gateway.settings.folder.glob("cloud.db*"))
    assert b"secret.txt" in kept and token.encode() not in kept and ident.encode() not in kept


def test_tls_and_a_websocket_are_doors_too(cloud, certificate, make_thing):
    from websockets.sync.client import connect

    key, token = make_thing()
    context = trusted(certificate[0])
    with Light(cloud.cloud.door.ports["mqtts"], key, token, context=context) as light:
        assert light.ask("diag.ping")["success"]
    port = cloud.cloud.door.ports["https"]
    inside, outside = cloud.url.replace("http", "ws"), f"wss://localhost:{port}"
    for url, more in ((outside, {"ssl": context}), (inside, {})):
        with connect(url + "/mqtt", subprotocols=["mqtt"], **more) as socket:
            socket.send(mqtt.connect(key, key, token))
            assert socket.recv() == b"\x20\x02\0\0"
            socket.send(mqtt.publish("api/0001", b'{"1":{"command":"diag.ping"}}', 1, 7))
            assert b'{"success":true}' in b"".join(socket.recv() for _ in range(2))


@pytest.mark.parametrize("thrash", [
    b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\x7f", b"\x10\x02\0\0", b"\x30\x03\0\1a", bytes(range(100, 200)),
    b"\x10" * 20_000])
def test_what_is_no_mqtt_costs_its_own_connection(cloud, thing, thrash):
    assert thrown(cloud.port, thrash) == b""
    assert thing.ask("diag.ping")["success"]


def test_a_bad_packet_of_a_thing_costs_its_session_only(cloud, make_thing, thing):
    with Light(cloud.port, *make_thing()) as light:
        light.raw(b"\xf0\0")
        assert light.is_shut()
    assert thing.ask("diag.ping")["success"]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000, b'{"1":7}', b"null",
                                     b'{"1":{"command":["a"]}}', b'{"1":{"command":"' + b"x" * 5000 + b'"}}'])
def test_json_that_is_no_request_costs_nothing(thing, payload):
    thing.session.publish("api/0099", payload, 1)
    thing.session.publish("api/x", payload, 0)
    thing.session.publish("other", payload, 1)
    thing._flush()
    assert thing.ask("diag.ping")["success"]


def test_without_a_listener_behind_others_are_told_that_it_is_unavailable(cloud):
    assert greeted(cloud.port, "home", "secret", client_id="assistant") == 3


def test_others_are_passed_byte_for_byte_to_the_engines_own_listener(tmp_path, data):
    from paho.mqtt.client import CallbackAPIVersion, Client

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more = {"mqtt": f"127.0.0.1:{port}", "mqtt_users": {"board": "pw"}}
    with running_cloud(tmp_path, engine=None, more=more) as running:
        heard = []
        client = Client(CallbackAPIVersion.VERSION2, client_id="lamp7")
        client.username_pw_set("board", "pw")
        client.on_message = lambda _, __, message: heard.append((message.topic, message.payload))
        client.connect("127.0.0.1", running.port)
        client.loop_start()
        try:
            client.on_subscribe = lambda *_: client.publish("a/b", bytes(range(256)) * 200, 1)
            client.subscribe("a/#", 1)
            assert eventually(lambda: heard) == [("a/b", bytes(range(256)) * 200)]
        finally:
            client.loop_stop()
            client.disconnect()
        assert greeted(running.port, "board", "guess", client_id="x") == 5
        with running.client() as rest:
            token = rest.post("/api/v1/thing-tokens", json={"things": "t-app"}).json()["token"]
        with Light(running.port, "t-app", token) as light:
            assert light.ask("property.publish", thingKey="t-app", key="k", value=1)["success"]
            assert light.ask("property.current", thingKey="t-app", key="k")["params"]["value"] == 1
