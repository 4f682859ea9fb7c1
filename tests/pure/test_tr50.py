"""TR50 requests and replies, both sides, against what the public agent said; runs on CPython and on MicroPython."""
import json

from micrOS.source.pure import tr50, tr50_cloud, tr50_status
from micrOS.source.pure.tr50 import Requests, Tr50Error

with open("tests/cloud/hdc_vectors.json") as file:
    VECTORS = json.load(file)
THING = VECTORS["device_id"] + "-golden-app"


def refusal(function, *args):
    try:
        function(*args)
    except Tr50Error as error:
        return str(error)
    return None


def recorded(step):
    """[(topic, parsed payload)] that the agent published in a step."""
    steps = [row["exchange"] for row in VECTORS["steps"] if row["step"][:2] == step]
    return [(entry["topic"], json.loads(entry["payload"])) for entry in steps[0]
            if entry.get("mqtt") == "PUBLISH" and entry["dir"] == "device->cloud"]


def times(payload):
    """(time of the batch, those of its items)"""
    params = payload["1"]["params"]
    return params["ts"], [item["ts"] for item in params.get("data", ())]


def said(*commands):
    return json.loads(tr50.request(commands))


def test_batches_are_those_of_the_recording():
    payload = recorded("02")[0][1]
    ts, (one, two, three) = times(payload)
    items = [tr50.sample("temp", 21.5, one), tr50.sample("temp", 22, two), tr50.sample("flag", True, three)]
    assert said(tr50.batch("property", THING, ts, items)) == payload
    payload = recorded("03")[0][1]
    ts, (one,) = times(payload)
    assert said(tr50.batch("attribute", THING, ts, [tr50.attribute("fw", "1.2.3", one)])) == payload
    payload = recorded("04")[0][1]
    ts, (one, two) = times(payload)
    items = [tr50.alarm("overheat", 2, one, "too hot"), tr50.alarm("door", 0, two, None, True)]
    assert said(tr50.batch("alarm", THING, ts, items)) == payload
    payload = recorded("06")[0][1]
    ts, (one,) = times(payload)
    item = tr50.location(45.35, -75.91, one, 12.3, 1.0, 2.0, 3.0, "gps")
    assert said(tr50.batch("location", THING, ts, [item])) == payload
    payload = recorded("07")[0][1]
    ts, (one,) = times(payload)
    assert said(tr50.batch("property", THING, ts, [tr50.sample("temp", 23, one, "c-1")])) == payload


def test_the_other_commands_are_those_of_the_recording():
    topic, payload = recorded("05")[0]
    ts = [payload[ident]["params"]["ts"] for ident in "12"]
    assert said(tr50.event(THING, "started", ts[0]), tr50.event(THING, "second", ts[1])) == payload
    assert topic == tr50.api_topic(4)
    rows = (("08", (tr50.current("property", THING, "temp"), tr50.current("attribute", THING, "fw"))),
            ("09", (tr50.diag_ping(), tr50.diag_time())),
            ("10", (tr50.thing_update(THING, {"name": "My thing", "desc": "d", "imei": "1", "esn": None}, ["iccid"]),)),
            ("11", (tr50.file_put(THING, "cloud-name.bin", 3150855069),)),
            ("12", (tr50.file_get(THING, "cloud-name.bin"),)),
            ("17", (tr50.mailbox_check(), tr50.mailbox_ack("888d8962ceca4fe3adf4d826", 0, "ok0"))))
    for step, commands in rows:
        assert [said(command) for command in commands] == [payload for _, payload in recorded(step)], step
    ack = tr50.mailbox_ack("7c91f4f1b72243e1af85fbd8", 0, "", {"out": {"a": 1, "b": "x"}})
    assert said(ack) == recorded("18")[1][1]


def test_a_request_is_compact_and_in_order():
    wire = tr50.request([("diag.ping",)] * 11)
    assert wire.startswith(b'{"1":{"command":"diag.ping"},"2":') and wire.endswith(b',"11":{"command":"diag.ping"}}')
    assert [row[0] for row in tr50_cloud.requests(wire)] == [str(at) for at in range(1, 12)]
    assert tr50.api_topic(1) == "api/0001" and tr50.api_topic(10000) == "api/10000"


def test_replies_find_who_asked_in_any_order_and_in_parts():
    desk = Requests()
    first = desk.ask([tr50.diag_ping(), tr50.diag_time()], "a")
    assert first[0] == "api/0001" and desk.ask([tr50.mailbox_check()], "b")[0] == "api/0002"
    assert desk.answered("reply/0002", b'{"1":{"success":true,"params":{"messages":[]}}}')[0][:4] == (
        "b", 0, 0, {"messages": []})
    assert desk.answered("reply/0001", b'{"2":{"success":true,"params":{"time":1}}}')[0][:4] == ("a", 1, 0, {"time": 1})
    assert desk.answered("reply/0001", b'{"1":{"success":false,"errorCodes":[-90008]}}')[0][:4] == ("a", 0, 12, None)
    assert desk.strange == 0


def test_replies_for_nothing_are_counted_and_harm_nobody():
    desk = Requests()
    desk.ask([tr50.diag_ping()], "a")
    for topic, payload in (("reply/0009", b'{"1":{"success":true}}'), ("reply/0001", b'{"7":{"success":true}}'),
                           ("reply/x", b"{}"), ("other", b"{}")):
        assert desk.answered(topic, payload) == []
    assert desk.strange == 4
    assert desk.answered("reply/0001", b'{"1":{"success":true}}') and not desk.answered("reply/0001", b"{}")


def test_what_is_no_json_object_is_refused_and_the_request_waits_on():
    desk = Requests()
    desk.ask([tr50.diag_ping()], "a")
    for wrong in (b"", b"oops", b"[1]", b"1", b"\xff\xfe", b"{[]:1}", b"[" * 100_000, b'{"1":'):
        assert "JSON object" in refusal(desk.answered, "reply/0001", wrong), wrong[:9]
    rows = ((b'{"1":5}', 19), (b'{"1":{"success":1}}', 19), (b'{"1":{"success":false}}', 19),
            (b'{"1":{"success":false,"errorCodes":[-1,-90008]}}', 12), (b'{"1":{"success":true,"params":[1]}}', 0))
    for payload, status in rows:
        desk = Requests()
        desk.ask([tr50.diag_ping()], "a")
        assert desk.answered("reply/0001", payload)[0][:4] == ("a", 0, status, None), payload


def test_a_reply_too_large_for_us_ends_the_wait():
    desk = Requests()
    desk.ask([tr50.diag_ping(), tr50.diag_ping()], "a")
    assert desk.answered("reply/0001", None) == [("a", at, tr50.NO_MEMORY, None, None) for at in range(2)]
    assert desk.answered("reply/0001", b"{}") == [] and desk.strange == 1


def test_the_requests_that_wait_are_bounded_and_the_oldest_is_dropped():
    desk = Requests(2)
    tags = [object() for _ in range(3)]
    for tag in tags:
        desk.ask([tr50.diag_ping()], tag)
    assert desk.dropped == 1 and desk.answered("reply/0001", b'{"1":{"success":true}}') == []
    desk.forget(tags[1])
    assert desk.answered("reply/0002", b'{"1":{"success":true}}') == []
    assert desk.answered("reply/0003", b'{"1":{"success":true}}')[0][0] is tags[2]


def test_mail_that_is_no_action_is_left_out():
    mail = tr50_cloud.mail("id1", THING, "cb2", {"a": 1})
    params = {"messages": [mail, 5, {"command": "other"}, {"id": "x", "command": "method.exec"}]}
    assert tr50.mails(params) == [("id1", "cb2", {"a": 1})]
    assert tr50.mails({"messages": [tr50_cloud.mail("i", THING, "m")]}) == [("i", "m", None)]
    for wrong in (None, {}, {"messages": None}, {"messages": 5}):
        assert tr50.mails(wrong) == []


def test_values_are_what_json_can_carry():
    rows = ((1, True), (1.5, True), (True, True), ("x", True), (float("nan"), False), (float("inf"), False),
            (None, False), ([1], False), (b"x", False))
    for value, wanted in rows:
        assert tr50.is_value(value) is wanted, value


def test_times_go_both_ways():
    rows = (((0, 0), "2000-01-01T00:00:00.000000Z"), ((848539692, 613143), "2026-11-21T01:28:12.613143Z"),
            ((762566399, 999999), "2024-02-29T23:59:59.999999Z"))
    for (seconds, us), text in rows:
        assert tr50.stamp(seconds, us) == text and tr50.moment(text) == (seconds, us)
    for text, wanted in (("2000-01-01T00:00:01Z", (1, 0)), ("2000-01-01T00:00:01.5Z", (1, 500000)),
                         ("2000-01-01T00:00:01.1234567Z", (1, 123456))):
        assert tr50.moment(text) == wanted
    for wrong in ("", "now", None, 5, "2000-01-01 00:00:00Z", "2000-01-01T00:00:00", "2000-13-01T00:00:00Z",
                  "2000-02-30T00:00:00Z", "2000-01-01T24:00:00Z", "2000-01-01T00:00:00.-5Z",
                  "2000-01-0\u00b2T00:00:00Z"):
        assert refusal(tr50.moment, wrong), wrong


def test_the_cloud_takes_every_request_of_the_recording():
    count = 0
    for step in VECTORS["steps"]:
        for topic, payload in recorded(step["step"][:2]):
            for ident, command, params in tr50_cloud.requests(json.dumps(payload)):
                assert tr50_cloud.fault(command, params) is None and payload[ident]["command"] == command
                count += 1
            assert tr50_cloud.reply_topic(topic) == topic.replace("api", "reply")
    assert count > 100


def test_samples_have_one_form_whatever_was_sent():
    rows = (("property.batch", {"thingKey": "t", "key": "property_batch", "ts": "T", "corrId": "C", "data": [
                {"key": "a", "value": 1, "ts": None, "corrid": None},
                {"key": "b", "value": 0, "ts": "U", "corrid": "D"}]},
             "property", [{"key": "a", "value": 1, "ts": "T", "corrId": "C"},
                          {"key": "b", "value": 0, "ts": "U", "corrId": "D"}]),
            ("property.batch", {"data": [{"key": "a", "value": 1}, {"key": "b"}, {"key": "c", "value": 1}]},
             "property", [{"key": "a", "value": 1}]),
            ("alarm.publish", {"key": "a", "state": 0, "msg": None, "corrId": "x"}, "alarm",
             [{"key": "a", "state": 0, "corrId": "x"}]),
            ("location.batch", {"ts": "T", "data": [{"lat": 1.0, "lng": 2.0, "city": None}]}, "location",
             [{"lat": 1.0, "lng": 2.0, "ts": "T"}]),
            ("log.publish", {"msg": "m", "ts": "T"}, "log", [{"msg": "m", "ts": "T"}]),
            ("property.batch", {"data": 5}, "property", []), ("property.current", {"key": "a"}, None, []),
            ("diag.ping", {}, None, []), ("log.batch", {"data": None}, "log", []))
    for command, params, kind, items in rows:
        assert tr50_cloud.samples(command, params) == (kind, items), command


def test_the_cloud_names_what_is_wrong_with_a_command():
    rows = (("mailbox.ack", {"id": "x", "errorCode": 0}, None), ("diag.ping", {}, None),
            ("mailbox.ack", {"id": "x"}, "mailbox.ack needs errorCode"), ("rm", {}, "no such command: rm"),
            ("property.batch", {}, "property.batch needs thingKey data"))
    for command, params, message in rows:
        found = tr50_cloud.fault(command, params)
        assert message is None and found is None or found["errorMessages"] == [message], command
    found = tr50_cloud.requests(b'{"2":5,"10":{"command":"a","params":[]},"x":{"command":7},"\xc2\xb2":{}}')
    assert found == [("2", "", {}), ("10", "a", {}), ("x", "", {}), ("\u00b2", "", {})]
    assert refusal(tr50_cloud.requests, b"oops")


def test_the_cloud_says_what_a_thing_understands():
    desk = Requests()
    topic, _ = desk.ask([tr50.diag_time(), tr50.file_get(THING, "nope"), tr50.diag_ping()], "a")
    payload = tr50_cloud.reply([("1", tr50_cloud.success({"time": 5})), ("2", tr50_cloud.not_found("no file")),
                                ("3", tr50_cloud.failure(-5, "no"))])
    answers = desk.answered(tr50_cloud.reply_topic(topic), payload)
    assert sorted([row[1:4] for row in answers], key=str) == [(0, 0, {"time": 5}), (1, 12, None), (2, 19, None)]
    topic, payload = tr50_cloud.notification("s1", THING)
    assert topic == tr50.MAILBOX and json.loads(payload) == {"sessionId": "s1", "thingKey": THING}
    for wrong in ("api/1", "api/", "api/00x1", "reply/0001", "api/00000000001", "apiz/0001",
                  "api/\u00b2\u00b2\u00b2\u00b2"):
        assert tr50_cloud.reply_topic(wrong) is None, wrong
    assert tr50_cloud.ack_code({"errorCode": "4"}) == 4 and tr50_cloud.ack_code({"errorCode": 0}) == 0
    assert refusal(tr50_cloud.ack_code, {"errorCode": "x"}) and refusal(tr50_cloud.ack_code, {})


def test_statuses_have_their_texts():
    assert [tr50_status.text(code) for code in (0, 12, 19)] == ["Success", "Not Found", "Failure"]
    for wrong in (-1, 20, None, True, "0"):
        assert not tr50_status.is_status(wrong) and tr50_status.text(wrong) == "Unknown Status"
