"""Our own agents and our own cloud: a program on a host and on a virtual board, and the walk of `--cloud validate`."""
import json
import re
import zlib

import pytest

from device_cloud import Client
from tests.cloud.conftest import APP, KINDS, THING
from tests.cloud.responder import eventually
from tests.gateway.cloud.gates import Gate
from tests.gateway.cloud.light import kept
from tests.gateway.cloud.test_mailbox import seen

pytestmark = pytest.mark.slow
BODY = bytes(range(256)) * 40


def place(cloud, token):
    """Where a thing of ours finds this cloud, nothing of it encrypted."""
    port = int(cloud.url.rpartition(":")[2])
    return {"host": "localhost", "port": cloud.port, "token": token, "file_xfer_host": "http://localhost",
            "file_xfer_port": port}


def secure_place(cloud, token, transport):
    """All of it encrypted. transport: tls, wss"""
    ports = cloud.cloud.door.ports
    return {"host": "localhost", "port": ports["mqtts" if transport == "tls" else "https"], "transport": transport,
            "token": token, "file_xfer_host": "localhost", "file_xfer_port": ports["https"]}


@pytest.fixture
def gates(cloud):
    """(before MQTT, before the files)"""
    with Gate(cloud.port) as mqtt, Gate(int(cloud.url.rpartition(":")[2])) as files:
        yield mqtt, files


@pytest.fixture(params=KINDS)
def agent(request, cloud, rest, gates, tmp_path):
    token = rest.post("/api/v1/thing-tokens", json={"things": THING}).json()["token"]
    where = place(cloud, token) | {"port": gates[0].port, "file_xfer_port": gates[1].port}
    made = KINDS[request.param](tmp_path, {"cloud": where})
    try:
        assert made.begin() == 0
        yield made
    finally:
        made.stop()
        eventually(lambda: not row(rest)["connected"])
        rest.delete(f"/api/v1/things/{THING}")


def test_a_program_of_ours_and_our_cloud(agent, cloud, rest, gates):
    for step, answer in (("s02", [0, 0, 0, 2]), ("s03", 0), ("s04", [0, 0]), ("s05", [0, 0]), ("s06", [0, 2]),
                         ("s07", 0), ("s09", [0, 0]), ("s10", [0, 15])):
        assert agent.call(step) == answer, step
    eventually(lambda: {"property", "attribute", "alarm", "location"} <= set(row(rest)["last"]))
    temp, fw = agent.call("s08")
    assert (temp[:2], fw[:2]) == ([0, 23], [0, "1.2.3"])
    path = f"/api/v1/things/{THING}/actions"
    for method, code, message in (("cb0", 0, "ok0"), ("cbfail", 4, "it failed"), ("cbraise", 19, "ERROR: boom"),
                                  ("nothing", 12, "ERROR: 'Action \"nothing\" does not have a callback'")):
        done = rest.post(path, json={"method": method, "wait_s": 15}).json()
        assert [done[name] for name in ("code", "message", "tries")] == [code, message, 1]
    invoked = rest.post(path, json={"method": "cbinvoked"}).json()
    assert eventually(lambda: (row := seen(rest, invoked))["state"] == "invoked" and row["progress"][0]["text"])
    agent.write("here.bin", BODY)
    assert agent.call("upload", agent.path("here.bin"), "there.bin") == 0
    assert rest.get(f"/api/v1/things/{THING}/files").json()[0]["crc32"] == zlib.crc32(BODY)
    assert agent.call("download", "there.bin", agent.path("back.bin")) == 0 and agent.read("back.bin") == BODY
    assert agent.call("download", "nope.bin", agent.path("nope.bin")) == 12
    gates[1].cut_at = 5000
    assert agent.call("download", "there.bin", agent.path("cut.bin")) == 0 and agent.read("cut.bin") == BODY
    starts = [int(found) for found in re.findall(rb"Range: bytes=(\d+)-", b"".join(gates[1].said))]
    assert len(starts) == 1 and 0 < starts[0] <= 5000
    drop_and_replay(agent, cloud, rest, gates[0])


def drop_and_replay(agent, cloud, rest, gate):
    """First the cloud is not heard, then it is away: what was told comes again, and counts once."""
    def off():
        return kept(cloud, THING, "off")

    gate.is_deaf = True
    for at in range(2):
        assert agent.call("s30", at)[0] == 0
    eventually(lambda: off() == [0, 1])
    gate.shut()
    eventually(lambda: not row(rest)["connected"] and not agent.call("state")[1])
    for at in range(2, 4):
        assert agent.call("s30", at) == [0, False]
    waiting = rest.post(f"/api/v1/things/{THING}/actions", json={"method": "cb0"}).json()
    assert off() == [0, 1]
    gate.open()
    eventually(lambda: seen(rest, waiting)["ended_at"])
    assert [seen(rest, waiting)[name] for name in ("code", "tries")] == [0, 1]
    eventually(lambda: len(off()) >= 4)
    assert off() == [0, 1, 2, 3]
    assert gate.replayed()


def row(rest):
    return rest.get(f"/api/v1/things/{THING}").json()


@pytest.mark.parametrize("transport", ["tls", "wss"])
def test_a_program_of_a_host_and_our_cloud_with_nothing_in_clear(cloud, rest, certificate, tmp_path, transport):
    token = rest.post("/api/v1/thing-tokens", json={"things": f"host-{transport}"}).json()["token"]
    (tmp_path / "device_id").write_text("host")
    (tmp_path / f"{transport}-connect.cfg").write_text(json.dumps(
        {"cloud": secure_place(cloud, token, transport), "ca_bundle_file": str(certificate[0])}))
    client = Client(transport, {"config_dir": str(tmp_path), "loop_time": 0.05, "quiet": True})
    client.initialize()
    client.action_register_command("say", "echo")
    try:
        assert client.connect(20) == 0
        assert client.telemetry_publish("t", 7, True) == 0 and client.telemetry_read_last_sample("t")[:2] == (0, 7)
        action = rest.post(f"/api/v1/things/host-{transport}/actions",
                           json={"method": "say", "params": {"v": "1 2", "flag": True}, "wait_s": 20}).json()
        assert action["code"] == 0 and "--v=1 2" in action["message"] and "--flag" in action["message"]
        (tmp_path / "up.bin").write_bytes(BODY)
        assert client.file_upload(str(tmp_path / "up.bin"), "there.bin", True, timeout=20) == 0
        assert client.file_download("there.bin", str(tmp_path / "back.bin"), True, timeout=20) == 0
        assert (tmp_path / "back.bin").read_bytes() == BODY
    finally:
        client.disconnect()


def test_the_walk_of_validate_finds_every_door_open(cloud, rest, tmp_path):
    from toolkit.cloud_operator import Operator
    from toolkit.cloud_walk import Walk

    token = rest.post("/api/v1/thing-tokens", json={"things": f"walk-{APP}"}).json()["token"]
    operator = Operator(cloud.url, "me", cloud.gateway.access.make("operate"))
    walk = Walk(APP, {"cloud": place(cloud, token)}, "walk", tmp_path, operator)
    rows = list(walk.rows())
    assert [(row.check, row.detail) for row in rows if row.result != "ok"] == []
