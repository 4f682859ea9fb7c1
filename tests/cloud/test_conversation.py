"""What the public agent said when it was recorded, our agents say too: the same program on a board and on a host.

Times and ids are left out of the comparison; samples may come in more than one batch.
"""
import json
import re
import zlib
from typing import Any

import pytest

from tests.cloud.conftest import THING
from tests.cloud.responder import Responder, eventually, recorded, rows

pytestmark = pytest.mark.slow
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
BODY = bytes(range(256)) * 40
GIANT = {"board": 100_000, "host": 2 << 20}         # more than it takes in


def plain(value: Any) -> Any:
    """value with `T` for each time, and without the id of a mail."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name != "id"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return "T" if isinstance(value, str) and TIME.match(value) else value


def golden(step: str) -> list[tuple[str, Any]]:
    """[(command, params)] of the recording, batches joined."""
    return joined([(entry["command"], entry.get("params")) for payload in recorded(step) for entry in payload.values()])


def joined(rows: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for command, params in plain([list(row) for row in rows]):
        if found and found[-1][0] == command and "data" in (params or {}):
            found[-1][1]["data"] += params["data"]
        else:
            found.append((command, params or {}))
    return found


def said(cloud: Responder, since: int, count: int) -> list[tuple[str, Any]]:
    """The commands that came since then, once the batches have so many items."""
    def rows() -> list[tuple[str, Any]]:
        return joined([(row[2], row[3]) for row in cloud.requests[since:]])

    eventually(lambda: sum(len((params or {}).get("data", "1")) for _, params in rows()) >= count)
    return rows()


@pytest.mark.parametrize(("step", "answer"), [
    ("02", [0, 0, 0, 2]), ("03", 0), ("04", [0, 0]), ("05", [0, 0]), ("06", [0, 2]), ("07", 0),
    ("08", [[0, 12.5, "2026-11-21T01:00:00.000Z"], [0, "abc", "2026-11-21T01:00:00.000Z"]]), ("09", [0, 0]),
    ("10", [0, 15])])
def test_a_call_says_what_was_recorded(thing, cloud, step, answer):
    since, wanted = len(cloud.requests), golden(step)
    assert thing.call("s" + step) == answer
    assert said(cloud, since, sum(len((params or {}).get("data", "1")) for _, params in wanted)) == wanted


@pytest.mark.parametrize(("step", "method"), [
    ("17", "cb0"), ("18", "cb2"), ("19", "cb4"), ("20", "cbint"), ("21", "cbfail"), ("22", "cbraise"), ("23", "cbbad"),
    ("24", "cbinvoked"), ("29", "unregistered")])
def test_an_action_ends_as_recorded(thing, cloud, step, method):
    since, wanted = len(cloud.requests), golden(step)
    mail = recorded(step, "device")[1]["1"]["params"]["messages"][0]
    assert mail["params"]["method"] == method
    cloud.post(THING, method, mail["params"].get("params"))
    assert said(cloud, since, len(wanted)) == wanted
    cloud.mails.clear()                  # nobody acknowledges what was only invoked


def test_files_go_both_ways_as_recorded(thing, cloud):
    thing.write("here.bin", BODY)
    since = len(cloud.requests)
    assert thing.call("upload", thing.path("here.bin"), "cloud-name.bin") == 0
    assert cloud.files["cloud-name.bin"] == BODY
    assert thing.call("download", "cloud-name.bin", thing.path("back.bin")) == 0 and thing.read("back.bin") == BODY
    assert thing.call("download", "nope.bin", thing.path("nope.bin")) == 12
    assert thing.call("upload", thing.path("nothing"), "x") == thing.call("upload", "relative", "x") == 12
    wanted = golden("11") + golden("12") + golden("13")
    wanted[0][1]["crc32"] = zlib.crc32(BODY)
    assert said(cloud, since, 3) == wanted


# of 512 and of 4096 bytes is a chunk of a board and of a host; 0 comes first: the second try has no Range
CUTS = [0, 1, 511, 512, 513, 700, 4095, 4096, 4097, 8192, len(BODY) - 1]


def test_a_download_goes_on_wherever_it_was_cut_and_asks_as_recorded(thing, cloud):
    cloud.files["cloud-name.bin"] = BODY
    cloud.cuts = list(CUTS)
    since, published = len(cloud.heads), len(cloud.published)
    assert thing.call("download", "cloud-name.bin", thing.path("cut.bin")) == 0
    assert thing.read("cut.bin") == BODY and cloud.cuts == []
    heads = cloud.heads[since:]
    ranges = [int(place) for head in heads for place in re.findall(r"(?m)^Range: bytes=(\d+)-\r$", head)]
    assert ranges == CUTS[1:] and [head.count("Range") for head in heads[:2]] == [0, 0]
    assert {shape(head) for head in heads} == {shape(row["request_head"]) for row in rows("14", conn="https")}
    assert_published(cloud.published[published:], "14")


def shape(head: str) -> tuple[str, bool]:
    """The line that begins a request, without its id, and whether the host is told."""
    return re.sub(r"/file/[0-9a-f]{24} ", "/file/ID ", head.split("\r\n")[0]), "\r\nHost: localhost" in head


def assert_published(published: list[tuple[Any, ...]], step: str) -> None:
    """The first packet is that of the recording: its words in any order, but not a byte more; its number is its own."""
    wanted = rows(step, mqtt="PUBLISH", dir="device->cloud")[0]
    _, ident, is_dup, topic, payload = published[0]
    assert json.loads(payload) == json.loads(wanted["payload"]) and len(payload) == len(wanted["payload"])
    assert re.fullmatch(r"api/\d{4}", topic) and len(topic) == len(wanted["topic"])
    assert (bool(ident), is_dup) == (wanted["qos"] == 1, wanted["dup"])


def test_what_is_no_answer_to_a_download_leaves_the_file_that_is_there(thing, cloud):
    cloud.files["keep.txt"] = b"new"
    thing.write("keep.txt", b"precious")
    cloud.is_vague, cloud.hiccups = True, [302, 404]
    try:
        assert thing.call("download", "keep.txt", thing.path("keep.txt")) == 19
        assert thing.read("keep.txt") == b"precious"
        assert thing.call("download", "keep.txt", thing.path("keep.txt")) == 0 and thing.read("keep.txt") == b"new"
    finally:
        cloud.is_vague, cloud.hiccups = False, []


def test_a_file_that_does_not_arrive_as_told_is_no_file(thing, cloud):
    cloud.files["cloud-name.bin"] = cloud.files["wrong.bin"] = BODY
    cloud.crc_offset = -1
    since, published = len(cloud.heads), len(cloud.published)
    try:
        assert thing.call("download", "cloud-name.bin", thing.path("wrong.bin")) == 8
    finally:
        cloud.crc_offset = 0
    # the public agent goes on asking behind the end for ever; ours asks for all of it once more
    assert [shape(head) for head in cloud.heads[since:]] == [shape(rows("15", conn="https")[0]["request_head"])] * 2
    assert_published(cloud.published[published:], "15")
    cloud.get_status = 503
    try:
        assert thing.call("download", "wrong.bin", thing.path("wrong.bin")) == 19
    finally:
        cloud.get_status = None
    assert not {name for name in thing.names() if name.startswith("wrong")}


def test_strange_messages_harm_nobody(thing, cloud, kind):
    before, links = thing.call("state"), len(cloud.connects)
    for topic, payload in (("reply/0001", b'{"1":{"success":true}}'), ("reply/0001", b"no json"), ("notify/other", b""),
                           ("notify/mailbox_activity", b""), ("reply/9999", b"[]"), ("x", b"\xff"),
                           ("reply/0002", b"x" * GIANT[kind])):
        cloud.say(topic, payload)
    assert thing.call("s09") == [0, 0]
    after = thing.call("state")
    assert after[:2] == [True, True] and sum(after[2:4]) >= sum(before[2:4]) + 5
    assert len(cloud.connects) == links


def test_what_was_said_without_a_link_comes_in_order_and_mail_is_looked_for(thing, cloud):
    begun = len(cloud.requests)
    assert thing.call("s09") == [0, 0]
    cloud.end()
    eventually(lambda: not thing.call("state")[1])
    since = len(cloud.requests)
    for at in range(3):
        assert thing.call("s30", at) == [0, False]
    assert thing.call("s30event") == 0
    ident = cloud.post(THING, "cb0", is_told=False)
    cloud.begin()
    assert cloud.ack(ident)["errorMessage"] == "ok0"
    eventually(lambda: len(cloud.samples(since=since)) >= 3)
    assert [(item["key"], item["value"]) for item in cloud.samples(since=since)] == [("off", at) for at in range(3)]
    assert cloud.requests[since][2] == "mailbox.check"
    told = joined([row[2:] for row in cloud.requests[since:] if not row[2].startswith("mailbox")])
    assert sorted(told, key=str) == sorted(golden("30"), key=str)
    numbers = [int(row[1][4:]) for row in cloud.requests]
    assert min(numbers[since:]) > max(numbers[begun:since])      # a new connection begins no new count


def test_a_callback_runs_once_though_it_calls_wrongly_itself(thing, cloud):
    before = thing.call("ran")
    answer = cloud.do(THING, "cbtwice")
    assert answer["errorCode"] == 19 and "4 were given" in answer["errorMessage"] and thing.call("ran") == before + 1


def test_an_outcome_and_a_look_for_mail_find_room_where_progress_has_none(thing, cloud, kind):
    cloud.end()
    eventually(lambda: not thing.call("state")[1])
    since, outcome = len(cloud.updates), f"id-{kind}"
    assert thing.call("flood", 40, outcome) == [32, 8, 0]
    mail = cloud.post(THING, "cb0", is_told=False)
    cloud.begin()
    assert cloud.ack(outcome) == {"errorCode": 0, "errorMessage": "fin"}
    assert len(cloud.updates) == since + 32 and cloud.ack(mail)["errorMessage"] == "ok0"


def test_what_no_cloud_would_take_is_a_bad_parameter(thing, kind):
    assert thing.call("unsound", 1024 if kind == "board" else 16384) == [2] * 14


def test_a_bad_sample_costs_no_other(thing, cloud):
    cloud.bad_names, cloud.kept = {"evil", "worse"}, []
    names = ["a", "evil", "b", "c", "d", "worse", "e"]
    try:
        assert thing.call("tell", *names) == [0] * len(names)
        eventually(lambda: {item["key"] for item in cloud.kept} >= {"a", "b", "c", "d", "e"})
        eventually(lambda: thing.call("refused") == 2)
    finally:
        cloud.bad_names = set()
    told = {(item["key"], item["ts"]) for item in cloud.kept if len(item["key"]) == 1}
    assert len(told) == 5                # a twin has the time of its sibling


def test_the_first_and_the_last_packet_are_those_of_the_recording(thing, cloud):
    thing.call("end")
    hello, again, bye = rows("01", mqtt="CONNECT")[0], rows("30", mqtt="CONNECT")[0], rows("35")[0]
    eventually(lambda: not cloud.connections)
    assert {first.hex() for first in cloud.firsts} == {hello["hex"]} == {again["hex"]}
    assert cloud.lasts[-1].hex() == bye["hex"]
    first = cloud.firsts[-1]
    assert (first[4:8].decode(), first[8], hex(first[9]), int.from_bytes(first[10:12])) == (
        hello["protocol"], hello["level"], hello["connect_flags"], hello["keepalive"])
