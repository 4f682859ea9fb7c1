"""What the public agent said when it was recorded, our agents say too: the same program on a board and on a host.

Times and ids are left out of the comparison; samples may come in more than one batch.
"""
import re
import zlib
from typing import Any

import pytest

from tests.cloud.conftest import THING
from tests.cloud.responder import Responder, eventually, recorded

pytestmark = pytest.mark.slow
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
BODY = bytes(range(256)) * 40


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


def test_a_download_goes_on_behind_each_chunk_where_it_was_cut(thing, cloud):
    cloud.files["cut.bin"] = BODY[:3000]
    cloud.cut_at = 700
    since = len(cloud.heads)
    try:
        assert thing.call("download", "cut.bin", thing.path("cut.bin")) == 0
    finally:
        cloud.cut_at = None
    assert thing.read("cut.bin") == BODY[:3000]
    ranges = [int(place) for head in cloud.heads[since:] for place in re.findall(r"bytes=(\d+)-", head)]
    assert ranges == [700, 1400, 2100, 2800]


def test_a_file_that_does_not_arrive_as_told_is_no_file(thing, cloud):
    cloud.files["wrong.bin"] = BODY
    cloud.crc_offset = 1
    try:
        assert thing.call("download", "wrong.bin", thing.path("wrong.bin")) == 8
    finally:
        cloud.crc_offset = 0
    cloud.get_status = 503
    try:
        assert thing.call("download", "wrong.bin", thing.path("wrong.bin")) == 19
    finally:
        cloud.get_status = None
    assert not {name for name in thing.names() if name.startswith("wrong")}


def test_strange_messages_harm_nobody(thing, cloud):
    before = thing.call("state")
    for topic, payload in (("reply/0001", b'{"1":{"success":true}}'), ("reply/0001", b"no json"), ("notify/other", b""),
                           ("notify/mailbox_activity", b""), ("reply/9999", b"[]"), ("x", b"\xff"),
                           ("reply/0002", b"x" * 100_000)):
        cloud.say(topic, payload)
    assert thing.call("s09") == [0, 0]
    after = thing.call("state")
    assert after[:2] == [True, True] and sum(after[2:4]) >= sum(before[2:4]) + 5


def test_what_was_said_without_a_link_comes_in_order_and_mail_is_looked_for(thing, cloud):
    cloud.end()
    eventually(lambda: not thing.call("state")[1])
    since = len(cloud.requests)
    for at in range(3):
        assert thing.call("s30", at) == [0, False]
    ident = cloud.post(THING, "cb0", is_told=False)
    cloud.begin()
    assert cloud.ack(ident)["errorMessage"] == "ok0"
    eventually(lambda: len(cloud.samples(since=since)) >= 3)
    assert [(item["key"], item["value"]) for item in cloud.samples(since=since)] == [("off", at) for at in range(3)]
    assert cloud.requests[since][2] == "mailbox.check"
