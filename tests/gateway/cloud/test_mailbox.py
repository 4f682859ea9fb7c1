"""Actions: from whoever asks to the thing and back, handed out once, and what becomes of them when a link breaks."""
import threading

import pytest

from tests.cloud.responder import eventually
from tests.gateway.cloud.light import Light


def post(rest, thing, method="blink", **more):
    told = rest.post(f"/api/v1/things/{thing.key}/actions", json={"method": method, **more})
    assert told.status_code == 201, told.text
    return told.json()


def seen(rest, action):
    return rest.get(f"/api/v1/things/{action['thing']}/actions/{action['ident']}").json()


def test_an_action_is_notified_fetched_and_answered(thing, rest):
    action = post(rest, thing, params={"n": 3})
    assert thing.notified()["thingKey"] == thing.key
    assert thing.mails() == [{"id": action["ident"], "thingKey": thing.key, "command": "method.exec",
                              "params": {"method": "blink", "params": {"n": 3}}}]
    assert thing.mails() == []
    told = {"errorCode": "4", "errorMessage": "it failed", "params": {"a": 1}}
    assert thing.ask("mailbox.ack", id=action["ident"], **told)["success"]
    row = [seen(rest, action)[name] for name in ("state", "code", "message", "out", "tries")]
    assert row == ["done", 4, "it failed", {"a": 1}, 1]


def test_whoever_waits_for_the_outcome_gets_it(thing, rest):
    found = []
    asking = threading.Thread(target=lambda: found.append(post(rest, thing, wait_s=10)))
    asking.start()
    thing.notified()
    thing.ask("mailbox.ack", id=thing.mails()[0]["id"], errorCode=0, errorMessage="ok")
    asking.join(10)
    assert (found[0]["state"], found[0]["code"], found[0]["message"]) == ("done", 0, "ok")


def test_mail_waits_for_a_thing_that_is_away_and_it_is_told_when_it_comes(cloud, rest, make_thing):
    place = make_thing()
    with Light(cloud.port, *place) as light:
        pass
    actions = [post(rest, light, f"m{number}") for number in range(3)]
    with Light(cloud.port, *place) as light:
        light.notified()
        assert [mail["id"] for mail in light.mails()] == [action["ident"] for action in actions]


def test_a_mail_whose_reply_was_acknowledged_does_not_come_again(cloud, rest, make_thing):
    place = make_thing()
    with Light(cloud.port, *place) as light:
        action = post(rest, light)
        light.notified()
        assert len(light.mails()) == 1
        light.ask("diag.ping")
        eventually(lambda: seen(rest, action)["state"] == "taken")
    with Light(cloud.port, *place) as light:
        assert light.mails() == []
        assert light.ask("mailbox.ack", id=action["ident"], errorCode=0)["success"]
    assert (seen(rest, action)["state"], seen(rest, action)["tries"]) == ("done", 1)


def test_a_mail_whose_reply_was_not_acknowledged_comes_again_and_is_marked(cloud, rest, make_thing):
    place = make_thing()
    with Light(cloud.port, *place) as light:
        action = post(rest, light)
        light.notified()
        light.is_acking = False
        assert len(light.mails()) == 1
    with Light(cloud.port, *place) as light:
        light.notified()
        assert [mail["id"] for mail in light.mails()] == [action["ident"]]
        light.ask("mailbox.ack", id=action["ident"], errorCode=0)
    assert seen(rest, action)["tries"] == 2


def test_progress_is_kept_and_the_first_outcome_counts(thing, rest):
    action = post(rest, thing)
    thing.mails()
    for text in ("Invoked", "half", "half", "more"):
        assert thing.ask("mailbox.update", id=action["ident"], msg=text)["success"]
    assert seen(rest, action)["state"] == "invoked"
    assert [row["text"] for row in seen(rest, action)["progress"]] == ["Invoked", "half", "more"]
    assert thing.ask("mailbox.ack", id=action["ident"], errorCode=0)["success"]
    assert thing.ask("mailbox.ack", id=action["ident"], errorCode=19)["success"]
    assert (seen(rest, action)["state"], seen(rest, action)["code"]) == ("done", 0)


def test_a_thing_gets_as_many_mails_as_it_can_have_and_the_rest_when_it_has_answered(thing, rest):
    actions = [post(rest, thing, f"m{number}") for number in range(15)]
    first = thing.mails()
    assert len(first) == 12 and thing.mails() == []
    thing.received.clear()
    thing.ask("mailbox.ack", id=first[0]["id"], errorCode=0)
    thing.notified()
    assert [mail["id"] for mail in thing.mails()] == [actions[12]["ident"]]


def test_what_nobody_answers_is_unknown_and_a_late_outcome_is_marked(thing, rest):
    action = post(rest, thing, timeout_s=0.2)
    thing.mails()
    thing.ask("diag.ping")                    # its acknowledgement of the mail is through
    row = eventually(lambda: (found := seen(rest, action))["ended_at"] and found)
    assert (row["state"], row["code"]) == ("unknown", 16)
    assert thing.ask("mailbox.ack", id=action["ident"], errorCode=0)["success"]
    assert [seen(rest, action)[name] for name in ("state", "code", "late")] == ["done", 0, True]


def test_what_nobody_fetches_expires(thing, rest):
    action = post(rest, thing, ttl_s=0.1)
    assert eventually(lambda: (row := seen(rest, action))["ended_at"] and row["state"]) == "expired"
    assert thing.mails() == []


def test_what_the_thing_has_not_got_can_be_taken_back(thing, rest):
    action, other = post(rest, thing), post(rest, thing)
    assert rest.delete(f"/api/v1/things/{thing.key}/actions/{action['ident']}").json()["state"] == "cancelled"
    assert [mail["id"] for mail in thing.mails()] == [other["ident"]]
    assert rest.delete(f"/api/v1/things/{thing.key}/actions/{other['ident']}").status_code == 422
    assert [row["state"] for row in rest.get(f"/api/v1/things/{thing.key}/actions").json()][-1] == "cancelled"


@pytest.mark.parametrize("body", [{}, {"method": ""}, {"method": "x", "params": 7}, {"method": "x", "ttl_s": -1},
                                  {"method": "x", "params": {"a": "x" * 70_000}}])
def test_what_is_no_action_is_refused(thing, rest, body):
    assert rest.post(f"/api/v1/things/{thing.key}/actions", json=body).status_code == 422


def test_a_viewer_looks_and_does_not_act(cloud, thing):
    with cloud.client("view") as viewer:
        assert viewer.get("/api/v1/things").status_code == 200
        assert viewer.post(f"/api/v1/things/{thing.key}/actions", json={"method": "x"}).status_code == 403
        assert viewer.get("/api/v1/thing-tokens").status_code == 403
    with cloud.client(None) as stranger:
        assert stranger.get("/api/v1/things").status_code == 401


def test_an_operator_logs_in_runs_and_lists_over_tr50(cloud, thing):
    def say(session, **commands):
        with cloud.client(None) as client:
            return client.post("/api", json=commands, headers={"sessionId": session} if session else {}).json()

    wrong = say("", auth={"command": "api.authenticate", "params": {"username": "me", "password": "guess"}})
    assert wrong["auth"]["success"] is False
    assert say("", cmd={"command": "thing.list"})["cmd"]["errorCodes"] == [-90003]
    token = cloud.gateway.access.make("operate")
    session = say("", auth={"command": "api.authenticate", "params": {"username": "me", "password": token}})
    session = session["auth"]["params"]["sessionId"]
    rows = say(session, cmd={"command": "thing.list"})["cmd"]["params"]["result"]
    assert thing.key in [row["key"] for row in rows]
    told = []
    run = {"command": "method.exec", "params": {"thingKey": thing.key, "method": "x", "ackTimeout": 10}}
    asking = threading.Thread(target=lambda: told.append(say(session, cmd=run)))
    asking.start()
    thing.notified()
    thing.ask("mailbox.ack", id=thing.mails()[0]["id"], errorCode=0, params={"a": 1})
    asking.join(10)
    assert told[0]["cmd"]["params"] == {"a": 1}
    run["params"]["ackTimeout"] = 0.05
    assert say(session, cmd=run)["cmd"]["errorCodes"] == [16]
    ident = next(row.ident for row in cloud.gateway.access.tokens()
                 if cloud.gateway.access.caller(token).ident == row.ident)
    cloud.gateway.access.revoke(ident)
    assert say(session, cmd={"command": "thing.list"})["cmd"]["errorCodes"] == [-90003]


def test_a_thing_may_speak_over_http_too(cloud, rest, make_thing):
    key, token = make_thing()
    with cloud.client(None) as client:
        login = {"command": "api.authenticate", "params": {"appToken": token, "appId": "a", "thingKey": key}}
        session = client.post("/api", json={"auth": login}).json()["auth"]["params"]["sessionId"]
        post = rest.post(f"/api/v1/things/{key}/actions", json={"method": "x"}).json()
        said = client.post("/api", headers={"sessionId": session}, json={
            "1": {"command": "property.publish", "params": {"thingKey": key, "key": "t", "value": 5}},
            "2": {"command": "mailbox.check"}, "3": {"command": "thing.list"}}).json()
        assert said["1"]["success"] and said["2"]["params"]["messages"][0]["id"] == post["ident"]
        assert said["3"]["errorCodes"] == [-90003]
