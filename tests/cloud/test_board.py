"""What a board does for the cloud by itself: module calls, rules, relays to its shell, updates."""
import hashlib

import pytest

from tests.cloud.conftest import APP, THING, BoardThing, settings
from tests.cloud.responder import eventually

pytestmark = pytest.mark.slow
COUNTER = '"""Counts."""\nseen = [0]\ndef up():\n    seen[0] += 1\n    return {"n": seen[0]}\n'


@pytest.fixture(scope="module")
def board(cloud, tmp_path_factory):
    """Connected by `cloud connect`. All parts of the agent in turn, and this file's own modules, take a larger heap."""
    thing = BoardThing(tmp_path_factory.mktemp("thing"), settings(cloud, loop_time=0.2), heap="320K")
    (thing.board.dir / "modules" / "LM_counter.py").write_text(COUNTER)
    try:
        assert thing.board.shell(f"cloud connect {APP}") == f"connected as {THING}"
        yield thing.board
    finally:
        thing.stop()


def test_the_shell_tells_the_cloud_and_moves_files(board, cloud):
    since = len(cloud.requests)
    said = board.shell("cloud telemetry temp 21.5", 'cloud alarm door 2 "wide open"', "cloud attribute fw 1",
                       "cloud event hello", "cloud location 47.5 19.0", "cloud upload device_id x.txt",
                       "cloud download x.txt copy.txt", "cloud download nothing")
    assert said.splitlines() == ["queued"] * 5 + ["done", "done", "Not Found"]
    assert (board.dir / "copy.txt").read_bytes() == (board.dir / "device_id").read_bytes()
    assert eventually(lambda: cloud.samples("location", since))[0]["lng"] == 19.0
    assert cloud.samples("property", since)[0]["value"] == 21.5
    assert cloud.samples("alarm", since)[0]["msg"] == "wide open"


def test_a_rule_publishes_what_a_module_gives(board, cloud):
    since = len(cloud.requests)
    assert board.shell('cloud rule n "counter up" every=0.2 key=n') == "rule n"
    eventually(lambda: len([item for item in cloud.samples(since=since) if item["key"] == "n"]) >= 3)
    assert board.shell("cloud rules") == "n: `counter up` every 0.2 s"
    assert board.shell('cloud rule t "help" every=0') .startswith("exec_lm_core LM_cloud->rule: a rule takes every=")
    assert board.shell("cloud unrule n", "cloud rules") == "no rule n\nnone"
    values = [item["value"] for item in cloud.samples(since=since) if item["key"] == "n"]
    assert values[:3] == list(range(values[0], values[0] + 3))


def test_a_rule_on_change_is_silent_while_nothing_changes(board, cloud):
    since = len(cloud.requests)
    board.shell("cloud rule still 'system version' every=0.2 change=True", "cloud rule n 'counter up' every=0.2 key=n")
    eventually(lambda: len([item for item in cloud.samples(since=since) if item["key"] == "n"]) >= 4)
    assert len([item for item in cloud.samples(since=since) if item["key"] == "still"]) <= 1
    board.shell("cloud unrule still", "cloud unrule n")


def test_the_cloud_runs_load_modules(board, cloud):
    answer = cloud.do(THING, "counter.up")
    assert answer["errorCode"] == 0 and answer["params"]["result"].strip().startswith("n: ")
    assert cloud.do(THING, "counter.down")["errorCode"] == 4
    assert cloud.do(THING, "nothing")["errorCode"] == 12 and cloud.do(THING, "a.b.c")["errorCode"] == 12
    assert cloud.do(THING, "ping")["params"]["response"] == "acknowledged"
    assert cloud.do(THING, "file_upload", {"file_path": "device_id", "file_name": "up"})["errorCode"] == 0
    assert cloud.do(THING, "file_download", {"file_name": "up", "file_path": "down"})["errorCode"] == 0
    assert (board.dir / "down").read_bytes() == cloud.files["up"]


def relay(cloud, port=None, **params):
    since = cloud.relays.qsize()
    params.update({"url": f"ws://localhost:{cloud.file_port}/relay?x=1", "host": "localhost"})
    params.update({} if port is None else {"protocol": str(port)})
    assert cloud.do(THING, "remote-access", params)["errorCode"] == 0
    eventually(lambda: cloud.relays.qsize() > since)
    return cloud.relays.get_nowait()


def test_one_channel_leads_to_the_shell(board, cloud):
    way = relay(cloud)
    way.say(b"CONNECTED-129812", 1)
    eventually(lambda: b"".join(data for _, data in way.heard).endswith(b"$ "))
    way.say(b"hello\n")
    eventually(lambda: b"hello:node01:" in b"".join(data for _, data in way.heard))
    way.say(b"exit\n")
    eventually(lambda: way.is_over)
    assert way.heard[-1][0] == 8


def test_two_channels_are_two_sessions_and_one_may_begin_anew(board, cloud):
    way = relay(cloud, 9008, reconnect=True)
    way.say(b"\0CONNECTED-581273")
    way.say(b"\1CONNECTED-581273", 1)

    def heard(number):
        return b"".join(data[1:] for _, data in way.heard if data[0] == number)

    eventually(lambda: heard(0).endswith(b"$ ") and heard(1).endswith(b"$ "))
    way.say(b"\1conf\n")
    eventually(lambda: heard(1).endswith(b"[configure] node01 $ "))
    way.say(b"\0exit\n")
    eventually(lambda: heard(0).endswith(b"DISCONNECTED-581273"))
    way.say(b"\0CONNECTED-581273")
    eventually(lambda: heard(0).endswith(b"$ "))
    way.say(b"\7to nobody")
    way.say(b"DISCONNECTED-581273")
    eventually(lambda: way.is_over)
    assert heard(1).endswith(b"[configure] node01 $ ")


def test_a_relay_leads_to_this_node_only(board, cloud):
    answer = cloud.do(THING, "remote-access", {"url": "ws://localhost:1/", "host": "192.168.1.1", "protocol": 22})
    assert answer == {"errorCode": 10, "errorMessage": "a node relays to itself only"}


def package(**files):
    rows = b"".join(f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}\n".encode() for name, data in files.items())
    return b"micrOS set 1\n" + rows + b"\n" + b"".join(files.values())


@pytest.mark.parametrize("wrong", [
    b"zip", b"micrOS set 1\nx 1\n\n", b"micrOS set 1\n../x 1 00\n\na", b"micrOS set 1\nx 9 00\n\na",
    package(x=b"a")[:-1] + b"b", package(x=b"a") + b"c"])
def test_a_package_that_does_not_hold_changes_nothing(board, cloud, wrong):
    cloud.files["bad.set"] = wrong
    ident = cloud.post(THING, "software_update", {"package": "bad.set"})
    assert cloud.ack(ident)["errorCode"] == 15
    assert (ident, "Invoked") in cloud.updates and (ident, "Install Failed") in cloud.updates
    assert not (board.dir / "x").exists() and not (board.dir / ".staged").exists()


def test_an_unknown_package_is_status_12(board, cloud):
    assert cloud.ack(cloud.post(THING, "software_update", {"package": "nothing"}))["errorCode"] == 12
    assert cloud.do(THING, "software_update")["errorCode"] == 2


def test_an_update_takes_over_after_the_last_word(board, cloud):
    since = len(cloud.requests)
    module = b'def word():\n    return "new"\n'
    cloud.files["good.set"] = package(**{"modules/LM_fresh.py": module})
    ident = cloud.post(THING, "software_update", {"package": "good.set"})
    assert cloud.ack(ident) == {"errorCode": 0, "errorMessage": ""}
    eventually(lambda: (board.dir / "modules" / "LM_fresh.py").exists())
    board.wait_ready()
    assert board.shell("fresh word") == "new"
    states = [item["state"] for item in cloud.samples("alarm", since) if item["msg"] == "package: good.set"]
    assert states == [0, 2, 5]
    assert [row[3]["id"] for row in cloud.requests[since:] if row[2] == "mailbox.ack"] == [ident]
    assert board.shell(f"cloud connect {APP}") == f"connected as {THING}"


def test_a_reboot_is_acknowledged_before_and_done_once(board, cloud):
    ups = board.shell("cloud status")
    boots = board.console().count("rst:")
    ident = cloud.post(THING, "reboot_device")
    assert cloud.ack(ident)["errorCode"] == 0 and "up: True" in ups
    eventually(lambda: board.console().count("rst:") == boots + 1, 20.0)
    board.wait_ready()
    assert board.shell(f"cloud connect {APP}") == f"connected as {THING}"
    assert "up: True" in board.shell("cloud status")
