"""Two gateways of one engine: a thing is at one of them, whoever asks may be at the other."""
import threading

from tests.cloud.responder import eventually
from tests.gateway.cloud.light import Light, running_cloud
from tests.gateway.cloud.test_mailbox import post, seen


def test_two_gateways_share_things_mail_and_files(tmp_path, data):
    with running_cloud(tmp_path, engine=None) as one, running_cloud(tmp_path, engine=None) as other, \
            one.client() as rest, other.client() as far:
        token = rest.post("/api/v1/thing-tokens", json={"things": "t-app"}).json()["token"]
        with Light(other.port, "t-app", token) as light:
            found = []
            asking = threading.Thread(target=lambda: found.append(post(rest, light, wait_s=10)))
            asking.start()
            light.notified()
            light.ask("mailbox.ack", id=light.mails()[0]["id"], errorCode=0)
            asking.join(15)
            assert found[0]["state"] == "done"
            assert light.ask("property.publish", key="k", value=5)["success"]
            assert rest.get("/api/v1/things/t-app").json()["last"]["property"]["k"]["value"] == 5
            action = post(rest, light)
            assert rest.delete(f"/api/v1/things/t-app/actions/{action['ident']}").json()["state"] == "cancelled"
            assert light.mails() == [] and seen(far, action)["state"] == "cancelled"
            assert light.ask("file.put", fileName="x")["success"]
            with Light(one.port, "t-app", token) as newer:
                assert light.is_shut() and newer.ask("diag.ping")["success"]
                eventually(lambda: rest.get("/api/v1/things/t-app").json()["connected"])
                assert not far.get("/api/v1/things/t-app").json()["connected"]
