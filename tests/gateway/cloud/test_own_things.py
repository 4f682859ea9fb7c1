"""Our own things and our own cloud: updates and relays of a board, and of the device manager on a host."""
import hashlib
import json
import socket
import subprocess
import threading
import zlib

import pytest

from device_cloud.manager import APP as MANAGER_APP
from device_cloud.manager import DEFAULTS, Effects, Manager
from tests.cloud.conftest import APP, THING, BoardThing
from tests.cloud.responder import eventually
from tests.cloud.test_host_ota import package as host_package
from tests.gateway.cloud.test_mailbox import seen
from tests.gateway.cloud.test_own_agents import secure_place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
MODULE = b'def word():\n    return "new"\n'


def token_for(rest, key):
    return rest.post("/api/v1/thing-tokens", json={"things": key}).json()["token"]


def connected(rest, key):
    return lambda: rest.get(f"/api/v1/things/{key}").json().get("connected")


def brought(cloud, rest, name, body):
    """A file for all things."""
    way = rest.post("/api/v1/things/all/files", json={"name": name, "crc32": zlib.crc32(body)}).json()
    with cloud.client(None) as client:
        assert client.post(way["path"], content=body).status_code == 200


def updated(cloud, rest, key, name, body):
    """The outcome of an update with a package that all things share."""
    brought(cloud, rest, name, body)
    action = rest.post(f"/api/v1/things/{key}/updates", json={"package": name}).json()
    return eventually(lambda: (row := seen(rest, action))["ended_at"] and row, 60.0)


def relayed(cloud, rest, key, port, typed, wanted):
    """What comes out of a remote terminal, up to what is wanted."""
    from websockets.sync.client import connect

    made = rest.post(f"/api/v1/things/{key}/relays", json={"port": port, "host": "localhost"}).json()
    headers = {"Authorization": f"Bearer {cloud.admin}"}
    with connect(cloud.url.replace("http", "ws") + made["path"], additional_headers=headers) as terminal:
        terminal.send(typed)
        heard = b""
        while wanted not in heard:
            piece = terminal.recv(20)
            heard += piece if isinstance(piece, bytes) else piece.encode()
    return heard


@pytest.fixture
def board(cloud, rest, certificate, tmp_path):
    words = ["-in", certificate[0], "-outform", "DER", "-out", tmp_path / "ca.der"]
    subprocess.run(["openssl", "x509", *words], check=True)
    where = secure_place(cloud, token_for(rest, THING), "tls")
    config = {"cloud": where, "loop_time": 0.2, "ca_bundle_file": "ca.der"}
    thing = BoardThing(tmp_path, config, heap="320K")
    try:
        assert thing.board.shell(f"cloud connect {APP}") == f"connected as {THING}"
        yield thing.board
    finally:
        thing.stop()
        eventually(lambda: not connected(rest, THING)(), 30.0)
        rest.delete(f"/api/v1/things/{THING}")


def board_set(digest):
    return b"micrOS set 1\n" + f"modules/LM_fresh.py {len(MODULE)} {digest}\n".encode() + b"\n" + MODULE


def test_a_board_is_updated_and_its_shell_is_reached(board, cloud, rest):
    assert b"hello:node01:" in relayed(cloud, rest, THING, 9008, b"hello\n", b"hello:node01:")
    refused_by_the_board(board, cloud, rest)
    done = updated(cloud, rest, THING, "good.set", board_set(hashlib.sha256(MODULE).hexdigest()))
    assert (done["code"], done["tries"]) == (0, 1)
    eventually(lambda: (board.dir / "modules" / "LM_fresh.py").exists())
    board.wait_ready()
    assert board.shell("fresh word") == "new"


def refused_by_the_board(board, cloud, rest):
    """A package that our cloud would not send: it comes by an action that anybody may ask for."""
    name, path = "bad.set", f"/api/v1/things/{THING}"
    brought(cloud, rest, name, board_set("0" * 64))
    assert rest.post(f"{path}/updates", json={"package": name}).status_code == 422
    action = rest.post(f"{path}/actions", json={"method": "software_update", "params": {"package": name}}).json()
    done = eventually(lambda: (row := seen(rest, action))["ended_at"] and row, 60.0)
    assert (done["code"], done["tries"]) == (15, 1) and "modules/LM_fresh.py" in done["message"]

    def states():
        rows = rest.get(f"{path}/samples", params={"kind": "alarm", "name": "software_update"}).json()
        return [row["state"] for row in rows if name in row["msg"]]

    eventually(lambda: len(states()) >= 4)
    assert states() == [0, 2, 4, 6]
    assert seen(rest, action)["progress"][-1]["text"] == "Update Failed"
    assert not (board.dir / "modules" / "LM_fresh.py").exists()


@pytest.fixture
def service():
    with socket.create_server(("127.0.0.1", 0)) as server:
        def echo():
            link, _ = server.accept()
            with link:
                link.sendall(b"echo:" + link.recv(64))
        threading.Thread(target=echo, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def manager(cloud, rest, service, certificate, tmp_path):
    """Key of the thing that a running device manager is."""
    name = "bench-of-ours"
    key = f"{name}-{MANAGER_APP}"
    (tmp_path / f"{MANAGER_APP}-connect.cfg").write_text(json.dumps(
        {"cloud": secure_place(cloud, token_for(rest, key), "wss"), "quiet": True, "loop_time": 0.05,
         "ca_bundle_file": str(certificate[0])}))
    (tmp_path / "device_id").write_text(name)
    (tmp_path / "iot.cfg").write_text(json.dumps({
        "actions_enabled": dict.fromkeys(DEFAULTS["actions_enabled"], True), "log_level": "ERROR",
        "remote_access_support": [{"name": "echo", "port": str(service), "session_timeout": "30"}]}))
    running = Manager(tmp_path, Effects(*[lambda *words: None] * 4))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        eventually(connected(rest, key), 30.0)
        yield key
    finally:
        running.leave()
        thread.join(20)


def test_the_device_manager_is_updated_and_reaches_a_service(manager, cloud, rest, service, tmp_path):
    assert relayed(cloud, rest, manager, service, b"hi", b"echo:hi") == b"echo:hi"
    for name, install, code in (("ours.tar.gz", f"touch {tmp_path}/installed", 0), ("ours-bad.tar.gz", "false", 4)):
        orders = json.dumps({"name": "n", "version": "1", "install": install}).encode()
        done = updated(cloud, rest, manager, name, host_package(name, {"update.json": orders}))
        assert (done["code"], done["tries"]) == (code, 1)
        eventually(lambda: "software_update" not in [each.name for each in threading.enumerate()])      # its last words
    assert (tmp_path / "installed").exists()
