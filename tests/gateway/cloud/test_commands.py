"""What a thing says in TR50 and what it is answered: each command in batch and single form."""
import time

import pytest

from tests.cloud.responder import VECTORS, eventually
from tests.gateway.cloud.light import Light

TS = "2026-11-21T01:00:00.000000Z"


def told(rest, thing, kind, **query):
    rows = rest.get(f"/api/v1/things/{thing.key}/samples", params={"kind": kind, "since": 1, **query}).json()
    return [{name: row[name] for name in row if name not in ("at", "kind")} for row in rows]


@pytest.mark.parametrize(("kind", "item"), [
    ("property", {"key": "temp", "value": 12.5, "ts": TS, "corrId": "c"}),
    ("attribute", {"key": "fw", "value": "abc", "ts": TS}),
    ("alarm", {"key": "door", "state": 2, "ts": TS, "msg": "open", "republish": False}),
    ("location", {"lat": 47.5, "lng": 19.0, "ts": TS, "speed": 3}),
])
def test_samples_in_batch_and_single_form_are_kept_alike(thing, rest, kind, item):
    later = {**item, "ts": "2026-11-21T02:00:00.000000Z"}
    nulls = {"corrid": None, "heading": None, "republish": item.get("republish")}
    assert thing.ask(f"{kind}.publish", thingKey=thing.key, **later) == {"success": True}
    assert thing.ask(f"{kind}.batch", thingKey=thing.key, ts=TS, key="x_batch", value="X", state=0, lat="x", lng="y",
                     data=[{**nulls, **item}]) == {"success": True}
    assert told(rest, thing, kind) == [item, later]
    last = thing.ask(f"{kind}.current", thingKey=thing.key, key=item.get("key"))["params"]
    assert last == {name: value for name, value in later.items() if name != "key"}


def test_a_batch_ends_at_its_first_bad_item_and_those_before_it_count(thing, rest):
    data = [{"key": "a", "value": 1, "ts": TS}, {"key": "b", "value": None}, {"key": "c", "value": 3}]
    reply = thing.ask("property.batch", thingKey=thing.key, data=data)
    assert (reply["success"], reply["errorCodes"]) == (False, [-90002]) and "item 2 of 3" in reply["errorMessages"][0]
    assert [row["key"] for row in told(rest, thing, "property")] == ["a"]


@pytest.mark.parametrize("item", [
    {"key": "a", "value": {"b": 1}}, {"key": 7, "value": 1}, {"key": "", "value": 1}, {"key": "k" * 200, "value": 1},
    {"key": "a", "value": 1, "ts": "yesterday"}, {"key": "a", "value": "x" * 20_000}, {"key": "a", "value": 10 ** 60},
    {"key": "a", "value": float("inf")}, {"key": "a", "value": [1]}])
def test_what_is_no_sample_is_refused_with_words(thing, item):
    reply = thing.ask("property.publish", thingKey=thing.key, **item)
    assert reply["errorCodes"] == [-90002] and len(reply["errorMessages"][0]) > 10


def test_a_request_with_several_commands_is_answered_in_one_packet_key_by_key(thing, rest):
    reply = thing.asked(("log.publish", {"thingKey": thing.key, "msg": "one", "ts": TS}), ("no.such", {}),
                        ("log.publish", {"thingKey": thing.key, "msg": "two", "ts": TS}), ("diag.time", {}))
    assert [reply[ident]["success"] for ident in "1234"] == [True, False, True, True]
    assert abs(reply["4"]["params"]["time"] / 1000 - time.time()) < 60
    assert sorted(row["msg"] for row in told(rest, thing, "log")) == ["one", "two"]


def test_a_request_that_comes_twice_is_answered_twice_and_kept_once(thing, rest):
    command = ("property.batch", {"thingKey": thing.key, "data": [{"key": "a", "value": 1, "ts": TS}]})
    assert thing.asked(command, number=7) == thing.asked(command, number=7) == {"1": {"success": True}}
    assert len(told(rest, thing, "property")) == 1


def untimed(key):
    """Three tellings, which after each boot are the same bytes: one without a time, one of a clock that was not set."""
    early = "2000-01-01T00:00:05.000000Z"
    return (("property.publish", {"thingKey": key, "key": "door", "value": 1}),
            ("log.publish", {"thingKey": key, "msg": "boot"}),
            ("property.batch", {"thingKey": key, "data": [{"key": "lid", "value": 0, "ts": early}]}))


def test_after_each_boot_what_is_like_before_and_has_no_time_is_told_anew(cloud, rest, make_thing):
    place = make_thing()
    for _ in range(3):
        with Light(cloud.port, *place) as light:
            for command in untimed(light.key):
                assert light.asked(command) == {"1": {"success": True}}
    assert [row["msg"] for row in told(rest, light, "log")] == ["boot"] * 3
    assert sorted(row["key"] for row in told(rest, light, "property")) == ["door"] * 3 + ["lid"] * 3


def test_a_replay_without_times_is_kept_once_with_the_time_of_its_first_telling(cloud, rest, make_thing):
    place = make_thing()
    with Light(cloud.port, *place) as light:
        for number, command in enumerate(untimed(light.key), 1):
            light.asked(command, number=number)
    before = [told(rest, light, kind) for kind in ("property", "log")]
    for _ in range(2):
        with Light(cloud.port, *place) as light:
            for number, command in enumerate(untimed(light.key), 1):
                assert light.asked(command, number=number, is_dup=True) == {"1": {"success": True}}
            assert light.asked(untimed(light.key)[0], number=9, is_dup=True)["1"]["success"]     # never sent before
            assert light.asked(untimed(light.key)[0], number=9, is_dup=True)["1"]["success"]
    rows = [told(rest, light, kind) for kind in ("property", "log")]
    assert [len(row) for row in rows] == [3, 1] and all(row in rows[0] for row in before[0]) and rows[1] == before[1]


def test_a_thing_speaks_for_itself_only(thing):
    for name, params in (("property.publish", {"thingKey": "other", "key": "a", "value": 1}),
                         ("property.current", {"thingKey": "other", "key": "a"}), ("thing.update", {"key": "other"}),
                         ("file.get", {"thingKey": "other", "fileName": "x"})):
        assert thing.ask(name, **params)["errorCodes"] == [-90003], name
    assert thing.ask("method.exec", thingKey=thing.key, method="x")["errorCodes"] == [-90003]


def test_what_nobody_has_told_is_not_found(thing):
    assert thing.ask("property.current", thingKey=thing.key, key="x")["errorCodes"] == [-90008]
    assert thing.ask("mailbox.ack", id="0" * 24, errorCode=0)["errorCodes"] == [-90008]


def test_a_things_details_are_set_and_unset(thing, rest):
    assert thing.ask("thing.update", key=thing.key, name="Pump", iccid="89", imei=None, unset=[])["success"]
    assert thing.ask("thing.update", key=thing.key, desc="in the cellar", unset=["iccid", "nothing"])["success"]
    row = rest.get(f"/api/v1/things/{thing.key}").json()
    assert (row["name"], row["desc"], row["details"]) == ("Pump", "in the cellar", {})
    assert thing.ask("thing.find", key=thing.key)["params"]["name"] == "Pump"


def test_a_role_and_limits_bound_a_thing(cloud, rest, make_thing):
    with Light(cloud.port, *make_thing("tell", keys=2)) as light:
        assert light.ask("mailbox.check")["errorCodes"] == light.ask("file.put", fileName="x")["errorCodes"] == [-90003]
        codes = [light.ask("property.publish", key=key, value=1).get("errorCodes") for key in ("a", "b", "c", "a")]
        assert codes == [None, None, [-90002], None]
    with Light(cloud.port, *make_thing("act", mails=1, files=1)) as light:
        path = f"/api/v1/things/{light.key}/actions"
        assert [rest.post(path, json={"method": "x"}).status_code for _ in range(2)] == [201, 429]
        assert light.ask("file.put", fileName="x", **{"global": True})["errorCodes"] == [-90003]
    with Light(cloud.port, *make_thing(rate_hz=50, burst=1)) as light:
        begun = time.monotonic()
        for _ in range(11):
            light.ask("diag.ping")
        assert time.monotonic() - begun > 0.15          # read more slowly, not refused


def test_every_payload_that_the_public_agent_sent_is_understood(cloud, rest):
    key = f"{VECTORS['device_id']}-golden-app"
    token = rest.post("/api/v1/thing-tokens", json={"things": key}).json()["token"]
    refused = []
    with Light(cloud.port, key, token) as light:
        for step in VECTORS["steps"]:
            for row in step["exchange"]:
                if row.get("mqtt") == "PUBLISH" and row["dir"] == "device->cloud":
                    light.session.publish(row["topic"], row["payload"], 1)
                    light._flush()
                    answer = light.heard(row["topic"].replace("api", "reply"))
                    if b'"success":false' in answer:
                        refused.append((step["step"][:2], answer))
    assert all(b"-90008" in answer for _, answer in refused)           # mails and files that we do not have
    last = rest.get(f"/api/v1/things/{key}").json()["last"]
    assert last["alarm"]["software_update"]["state"] in (5, 6) and "place" in last["location"] and last["property"]
    assert eventually(lambda: rest.get("/api/v1/things").json())
