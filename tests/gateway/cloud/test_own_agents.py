"""Our own agents and our own cloud: a program on a host and on a virtual board, and the walk of `--cloud validate`."""
import zlib

import pytest

from tests.cloud.conftest import APP, KINDS, THING
from tests.cloud.responder import eventually
from tests.gateway.cloud.test_mailbox import seen

pytestmark = pytest.mark.slow
BODY = bytes(range(256)) * 40


def place(cloud, token):
    port = int(cloud.url.rpartition(":")[2])
    return {"host": "localhost", "port": cloud.port, "token": token, "file_xfer_host": "http://localhost",
            "file_xfer_port": port}


@pytest.fixture(params=KINDS)
def agent(request, cloud, rest, tmp_path):
    token = rest.post("/api/v1/thing-tokens", json={"things": THING}).json()["token"]
    made = KINDS[request.param](tmp_path, {"cloud": place(cloud, token)})
    try:
        assert made.begin() == 0
        yield made
    finally:
        made.stop()
        eventually(lambda: not row(rest)["connected"])
        rest.delete(f"/api/v1/things/{THING}")


def test_a_program_of_ours_and_our_cloud(agent, cloud, rest):
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
    cloud.kick(THING)
    for at in range(3):
        assert agent.call("s30", at)[0] == 0
    done = rest.post(path, json={"method": "cb0", "wait_s": 20}).json()
    assert (done["code"], done["tries"]) == (0, 1)
    eventually(lambda: len(off(rest)) >= 3)
    assert off(rest) == [0, 1, 2]


def row(rest):
    return rest.get(f"/api/v1/things/{THING}").json()


def off(rest):
    rows = rest.get(f"/api/v1/things/{THING}/samples", params={"kind": "property", "name": "off"}).json()
    return [row["value"] for row in rows]


def test_the_walk_of_validate_finds_every_door_open(cloud, rest, tmp_path):
    from toolkit.cloud_operator import Operator
    from toolkit.cloud_walk import Walk

    token = rest.post("/api/v1/thing-tokens", json={"things": f"walk-{APP}"}).json()["token"]
    operator = Operator(cloud.url, "me", cloud.gateway.access.make("operate"))
    walk = Walk(APP, {"cloud": place(cloud, token)}, "walk", tmp_path, operator)
    rows = list(walk.rows())
    assert [(row.check, row.detail) for row in rows if row.result != "ok"] == []
