"""The operator's REST, `/api`: what is asked there beside actions, and who is in the way of whom."""
import asyncio
import time
from dataclasses import replace

import pytest

from tests.gateway.cloud.light import Light
from toolkit.gateway.cloud import files, operator
from toolkit.gateway.cloud.operator import routes


@pytest.fixture
def say(cloud):
    """say("log.list", thingKey=...) -> the entry of the reply, for somebody who may look"""
    with cloud.client(None) as client:
        def ask(command, **params):
            return client.post("/api", json={"cmd": {"command": command, "params": params}}).json()["cmd"]

        told = ask("api.authenticate", username="me", password=cloud.gateway.access.make("view"))
        client.headers["sessionId"] = told["params"]["sessionId"]
        yield ask


def test_the_log_of_a_thing_is_listed_the_last_of_it_in_order(say, thing):
    for second, text in enumerate(("one", "two", "three")):
        assert thing.ask("log.publish", msg=text, ts=f"2026-11-21T01:00:0{second}.000000Z")["success"]
    told = say("log.list", thingKey=thing.key)["params"]
    assert (told["count"], [row["msg"] for row in told["logs"]]) == (3, ["one", "two", "three"])
    assert told["logs"][0] == {"thingKey": thing.key, "msg": "one", "ts": "2026-11-21T01:00:00.000000Z"}
    assert [row["msg"] for row in say("log.list", thingKey=thing.key, limit=2)["params"]["logs"]] == ["two", "three"]
    assert say("log.list", thingKey="nobody-app")["errorCodes"] == [-90008]
    for params in ({}, {"thingKey": thing.key, "limit": -1}, {"thingKey": thing.key, "limit": "x"}):
        assert say("log.list", **params)["errorCodes"] == [-90002]
    assert thing.ask("log.list")["errorCodes"] == [-90003]


def test_the_one_organisation_there_is_can_be_switched_to(say, cloud, thing):
    assert say("session.org.switch", key="ours") == {"success": True}
    assert say("thing.find", key=thing.key)["success"]         # the session goes on
    assert thing.ask("session.org.switch", key="ours")["errorCodes"] == [-90003]
    with cloud.client(None) as stranger:
        told = stranger.post("/api", json={"cmd": {"command": "session.org.switch"}}).json()
    assert told["cmd"]["errorCodes"] == [-90003]


def test_many_logins_end_the_oldest_session_and_refuse_nobody(cloud, monkeypatch):
    monkeypatch.setattr(operator, "SESSIONS", replace(operator.SESSIONS, max_bytes=400))
    login = {"command": "api.authenticate", "params": {"username": "me", "password": cloud.gateway.access.make("view")}}
    with cloud.client(None) as client:
        told = [client.post("/api", json={"1": login}).json()["1"] for _ in range(40)]
        idents = [row["params"]["sessionId"] for row in told]
        asked = [client.post("/api", json={"1": {"command": "diag.ping"}}, headers={"sessionId": ident}).json()["1"]
                 for ident in (idents[0], idents[-1])]
    assert [row["success"] for row in asked] == [False, True]


@pytest.mark.parametrize(("end", "status"), [({"type": "http.disconnect"}, 400), (None, 408)])
def test_a_body_that_does_not_come_is_no_request(cloud, monkeypatch, end, status):
    monkeypatch.setattr(cloud.cloud, "settings", replace(cloud.cloud.settings, send_s=0.05))
    route = routes(cloud.cloud)[0]
    said = []

    async def receive():
        return end or await asyncio.Event().wait()

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api", "headers": [], "query_string": b""}
    asyncio.run(route.app(scope, receive, send))
    assert said[0]["status"] == status


def test_a_thing_is_not_quicker_over_http(cloud, make_thing):
    key, token = make_thing(rate_hz=50, burst=1)
    login = {"command": "api.authenticate", "params": {"appToken": token, "appId": "a", "thingKey": key}}
    begun = time.monotonic()
    with cloud.client(None) as client:
        for _ in range(11):
            assert client.post("/api", json={"1": login, "2": {"command": "diag.ping"}}).json()["2"]["success"]
    assert time.monotonic() - begun > 0.15          # read more slowly, not refused


def test_one_thing_does_not_take_the_ids_of_files_from_the_others(cloud, monkeypatch, thing, make_thing):
    monkeypatch.setattr(files, "MOST_IDS", 3)
    codes = [thing.ask(name, fileName="x").get("errorCodes") for name in ("file.put", "file.get") * 2]
    assert codes == [None, [-90008], None, [-90004]]
    with Light(cloud.port, *make_thing()) as other:
        assert other.ask("file.put", fileName="x")["success"]
    monkeypatch.setattr(cloud.cloud.files, "_given_since", -1e9)
    assert thing.ask("file.put", fileName="x")["success"]
