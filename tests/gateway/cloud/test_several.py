"""Two gateways of one engine: a thing is at one of them, whoever asks may be at the other."""
import threading
import zlib

import pytest

from tests.cloud.responder import eventually
from tests.gateway.cloud.light import Light, running_cloud
from tests.gateway.cloud.test_mailbox import post, seen


@pytest.fixture(scope="module")
def pair(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    with running_cloud(folder, engine=None) as one, running_cloud(folder, engine=None) as other:
        yield one, other


@pytest.fixture(scope="module")
def rest(pair):
    with pair[0].client() as client:
        yield client


@pytest.fixture(scope="module")
def token(rest):
    return rest.post("/api/v1/thing-tokens", json={"things": "t-*"}).json()["token"]


def test_two_gateways_share_things_mail_and_files(pair, rest, token):
    one, other = pair
    with other.client() as far, Light(other.port, "t-app", token) as light:
        found = []
        asking = threading.Thread(target=lambda: found.append(post(rest, light, wait_s=15)))
        asking.start()
        light.notified()
        light.ask("mailbox.ack", id=light.mails()[0]["id"], errorCode=0)
        asking.join(30)
        assert found[0]["state"] == "done"
        assert light.ask("property.publish", key="k", value=5)["success"]
        assert rest.get("/api/v1/things/t-app").json()["last"]["property"]["k"]["value"] == 5
        action = post(rest, light)
        assert rest.delete(f"/api/v1/things/t-app/actions/{action['ident']}").json()["state"] == "cancelled"
        assert light.mails() == [] and seen(far, action)["state"] == "cancelled"
        assert light.ask("file.put", fileName="x")["success"]
        door = ("property.publish", {"key": "door", "value": 1})
        light.asked(door, number=500)
        with Light(one.port, "t-app", token) as newer:
            assert light.is_shut() and newer.ask("diag.ping")["success"]
            for is_dup, count in ((True, 1), (False, 2)):        # a replay, and one that is like it
                assert newer.asked(door, number=500, is_dup=is_dup)["1"]["success"]
                rows = rest.get("/api/v1/things/t-app/samples", params={"name": "door"}).json()
                assert [row["value"] for row in rows] == [1] * count
            eventually(lambda: rest.get("/api/v1/things/t-app").json()["connected"])
            assert not far.get("/api/v1/things/t-app").json()["connected"]


def test_an_id_of_a_file_is_good_at_each_gateway_for_300_s_then_nowhere(pair, token, monkeypatch):
    one, other = pair
    clock = [one.cloud.files._clock()]
    for gateway in pair:
        monkeypatch.setattr(gateway.cloud.files, "_clock", lambda: clock[0])
    with Light(other.port, "t-file", token) as light, one.client(None) as near, other.client(None) as far:
        way_in = light.ask("file.put", fileName="x", crc32=zlib.crc32(b"bytes"))["params"]["fileId"]
        assert near.post(f"/file/{way_in}", content=b"bytes").status_code == 200
        way_out = light.ask("file.get", fileName="x")["params"]["fileId"]
        clock[0] += 299
        for client in (near, far):
            told = client.get(f"/file/{way_out}", headers={"Range": "bytes=2-"})
            assert (told.status_code, told.content) == (206, b"tes")
        assert far.post(f"/file/{way_in}", content=b"bytes").status_code == 200
        clock[0] += 2
        for client in (near, far):
            assert client.get(f"/file/{way_out}").status_code == client.post(f"/file/{way_in}").status_code == 404
    engine = one.cloud.vault
    assert one.do(engine.js.stream_info("micros_cloud_tickets")).config.max_age == 300       # then it forgets them, too
