"""The public agent, which nobody here wrote, and our cloud: the whole conversation."""
import contextlib
import io
import json
import re
import socket
import tarfile
import threading
import zlib

import pytest

from tests.cloud.responder import eventually
from tests.gateway.cloud.conftest import made_certificate
from tests.gateway.cloud.gates import Gate
from tests.gateway.cloud.light import kept, running_cloud
from tests.gateway.cloud.public_agent import ADDRESS, PublicAgent, interpreter

pytestmark = pytest.mark.slow
APP = "agent-app"
THING = f"public-{APP}"
BODY = bytes(range(256)) * 1200


@pytest.fixture(scope="module")
def python(request):
    return interpreter(request.config.cache.mkdir("device-cloud-18.6.19"))


@pytest.fixture(scope="module")
def place(data, certificates, python, tmp_path_factory):
    """A gateway whose HTTPS is at port 443 of an address of its own; before its MQTT door is a gate."""
    cert, key = certificates
    with running_cloud(tmp_path_factory.mktemp("public"), engine=None, host=ADDRESS, certificate=cert, key=key,
                       public=ADDRESS) as running:
        try:
            running.proxy = Gate(running.cloud.door.ports["https"], ADDRESS, 443, (cert, key))
        except OSError as error:
            pytest.skip(f"port 443 of {ADDRESS} cannot be had: {error}")
        with running.proxy, Gate(running.port, ADDRESS) as running.gate:
            yield running


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return made_certificate(tmp_path_factory.mktemp("keys"), f"IP:{ADDRESS}")


@pytest.fixture(scope="module")
def rest(place):
    with place.client() as client:
        yield client


@pytest.fixture(scope="module")
def token(rest):
    wish = {"things": "public-*", "role": "share"}
    return rest.post("/api/v1/thing-tokens", json=wish).json()["token"]


@pytest.fixture(scope="module")
def agent(place, rest, token, python, certificates, tmp_path_factory):
    made = PublicAgent(python, tmp_path_factory.mktemp("agent"), APP,
                       {"host": ADDRESS, "port": place.gate.port, "token": token}, certificates[0])
    try:
        assert made.do("begin", str(made.folder), APP) == 0
        yield made
        assert made.do("end") == 0
    finally:
        made.close()


def act(rest, method, params=None, wait_s=20):
    told = rest.post(f"/api/v1/things/{THING}/actions", json={"method": method, "params": params, "wait_s": wait_s})
    return told.json()


def samples(rest, kind):
    return rest.get(f"/api/v1/things/{THING}/samples", params={"kind": kind, "since": 1}).json()


def ended(rest, action, timeout_s=30):
    path = f"/api/v1/things/{THING}/actions/{action['ident']}"
    return eventually(lambda: (row := rest.get(path, params={"wait_s": 5}).json())["ended_at"] and row, timeout_s)


def test_what_it_tells_is_kept_and_read_back(agent, rest):
    assert agent.do("telemetry", "temp", 12.5) == 0
    for name, words in (("attribute_publish", ["fw", "1.2"]), ("alarm_publish", ["door", 2, "open"]),
                        ("event_publish", ["hello"]), ("location_publish", [47.5, 19.0])):
        assert agent.call(name, *words) == 0
    assert [row["value"] for row in eventually(lambda: samples(rest, "property"))] == [12.5]
    assert eventually(lambda: samples(rest, "alarm"))[0]["msg"] == "open"
    assert eventually(lambda: samples(rest, "log"))[0]["msg"] == "hello"
    assert eventually(lambda: samples(rest, "location"))[0]["lat"] == 47.5
    eventually(lambda: samples(rest, "attribute"))
    # it takes the reply to something else, when that comes in between, for a failure
    eventually(lambda: agent.call("telemetry_read_last_sample", "temp")[:2] == [0, 12.5])
    eventually(lambda: agent.call("attribute_read_last_sample", "fw")[:2] == [0, "1.2"])
    assert agent.call("diag_ping") == agent.call("diag_time") == agent.call("update_thing_details", "Pump") == 0
    assert eventually(lambda: rest.get(f"/api/v1/things/{THING}").json()["name"]) == "Pump"


@pytest.mark.parametrize(("method", "params", "code", "message", "out"), [
    ("ok", {"a": 1}, 0, "fine", {"echo": {"a": 1}}), ("fail", None, 4, "it failed", None),
    ("broken", None, 19, "ERROR: no luck", None),
    ("nothing", None, 12, "ERROR: 'Action \"nothing\" does not have a callback'", None)])
def test_an_action_ends_as_it_should(agent, rest, method, params, code, message, out):
    done = act(rest, method, params)
    assert [done[name] for name in ("state", "code", "message", "out", "tries")] == ["done", code, message, out, 1]


def test_a_command_runs_with_its_words(agent, rest):
    done = act(rest, "command", {"v": "1 2", "flag": True})
    assert done["code"] == 0 and "stdout: b'args: " in done["message"] and "--v=1 2" in done["message"]


def test_files_go_both_ways_and_a_broken_download_goes_on(agent, place, rest):
    (agent.folder / "up.bin").write_bytes(BODY)
    assert agent.do("transfer", "upload", str(agent.folder / "up.bin"), "cloud.bin") == 0
    assert rest.get(f"/api/v1/things/{THING}/files").json()[0]["crc32"] == zlib.crc32(BODY)
    down = agent.folder / "down.bin"
    assert agent.do("transfer", "download", "cloud.bin", str(down)) == 0 and down.read_bytes() == BODY
    place.proxy.cut_at = 100_000
    cut = agent.folder / "cut.bin"
    assert agent.do("transfer", "download", "cloud.bin", str(cut)) == 0 and cut.read_bytes() == BODY
    starts = [int(found) for found in re.findall(rb"Range: bytes=(\d+)-", b"".join(place.proxy.said))]
    assert len(starts) == 1 and 50_000 < starts[0] <= 100_000
    assert agent.do("transfer", "download", "nope.bin", str(agent.folder / "nope")) == 12


def package(**manifest):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        body = json.dumps({"name": "p", "version": "1", "description": "d", "reboot": "no", **manifest}).encode()
        row = tarfile.TarInfo("update.json")
        row.size = len(body)
        archive.addfile(row, io.BytesIO(body))
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "manifest", "code", "state", "last"), [
    ("good.tar.gz", {"pre_install": "echo pre", "install": "echo in", "post_install": "echo post"}, 0, 5,
     "Update Successful"),
    ("bad.tar.gz", {"install": "false", "error_action": "echo oops"}, 4, 6, "Update Failed")])
def test_an_update_runs_and_ends(agent, rest, place, name, manifest, code, state, last):
    body = package(**manifest)
    way = rest.post("/api/v1/things/all/files", json={"name": name, "crc32": zlib.crc32(body)}).json()
    with place.client(None) as client:
        assert client.post(way["path"], content=body).status_code == 200
    action = rest.post(f"/api/v1/things/{THING}/updates", json={"package": name}).json()
    done = ended(rest, action)
    assert (done["code"], done["tries"]) == (code, 1), done
    texts = {"Invoked", "Started OTA Update", last}
    eventually(lambda: texts <= {row["text"] for row in ended(rest, action)["progress"]})
    eventually(lambda: {0, state} <= {row["state"] for row in samples(rest, "alarm") if name in row["msg"]})
    eventually(lambda: "ota_install.log" in [row["name"] for row in rest.get(f"/api/v1/things/{THING}/files").json()])


def test_what_it_said_without_a_link_comes_once_and_mail_is_fetched_after_it(agent, rest, place):
    def off():
        return sorted(kept(place, THING, "off"))

    place.gate.is_deaf = True                        # it is kept, and its acknowledgement is lost
    try:
        for at in range(2):
            assert agent.call("telemetry_publish", "off", at) == 0
        eventually(lambda: off() == [0, 1], 60)
        place.gate.shut()
        path = f"/api/v1/things/{THING}"
        eventually(lambda: not agent.call("is_connected") and not rest.get(path).json()["connected"], 60)
        for at in range(2, 5):
            assert agent.call("telemetry_publish", "off", at) == 0
        assert off() == [0, 1]
        waiting = act(rest, "ok", {"n": 7}, 0)
    finally:
        place.gate.open()
    done = ended(rest, waiting, 60)
    assert (done["code"], done["tries"]) == (0, 1)
    eventually(lambda: len(off()) >= 5, 60)
    assert off() == [0, 1, 2, 3, 4]
    assert place.gate.replayed()
    assert [params for name, params in agent.do("runs") if name == "ok"].count({"n": 7}) == 1


def test_a_relay_reaches_a_port_behind_it(agent, rest, place):
    from websockets.sync.client import connect

    links = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        echo = threading.Thread(target=echoing, args=(server, links), daemon=True)
        echo.start()
        made = rest.post(f"/api/v1/things/{THING}/relays",
                         json={"port": server.getsockname()[1], "host": "127.0.0.1"}).json()
        headers = {"Authorization": f"Bearer {place.admin}"}
        with connect(place.url.replace("http", "ws") + made["path"], additional_headers=headers) as terminal:
            heard = b""
            for _ in range(10):                      # it drops what comes before its own end is open
                terminal.send(b"hello\xff\0")
                with contextlib.suppress(TimeoutError):
                    while len(heard) < 12:
                        heard += terminal.recv(2)
                if heard:
                    break
        assert heard.startswith(b"echo:hello\xff\0")
        links[0].shutdown(socket.SHUT_RDWR)          # the agent leaves its own end of it open
        echo.join(10)


def echoing(server, links):
    link, _ = server.accept()
    links.append(link)
    with link:
        while data := link.recv(4096):
            link.sendall(b"echo:" + data)


def test_it_comes_by_websocket_too(place, token, rest, python, certificates, tmp_path):
    made = PublicAgent(python, tmp_path / "agent", "ws-app", {"host": ADDRESS, "port": 443, "token": token},
                       certificates[0])
    try:
        assert made.do("begin", str(made.folder), "ws-app") == 0
        assert made.do("telemetry", "t", 1) == 0
        assert any(said.startswith(b"GET /mqtt") for said in place.proxy.said)
        assert rest.get("/api/v1/things/public-ws-app").json()["last"]["property"]["t"]["value"] == 1
    finally:
        made.close()


def test_a_wrong_token_is_status_19(place, python, certificates, tmp_path):
    made = PublicAgent(python, tmp_path / "agent", "no-app", {"host": ADDRESS, "port": place.port, "token": "guess"},
                       certificates[0])
    try:
        assert made.do("begin", str(made.folder), "no-app") == 19
    finally:
        made.close()
