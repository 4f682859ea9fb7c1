"""What goes wrong between a thing and its cloud: logins, certificates, losses, a clock that nobody has set."""
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.conftest import APP, KINDS, THING, settings
from tests.cloud.responder import TOKEN, Responder, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bare(kind: str, tmp_path_factory: pytest.TempPathFactory, certificate: tuple[str, str]) -> Iterator[Any]:
    """A thing that is not connected; the authorities lie in its folder."""
    folder = tmp_path_factory.mktemp("thing")
    for path in Path(certificate[0]).parent.glob("*.der"):
        shutil.copy(path, folder)
    with Responder() as nobody:
        made = KINDS[kind](folder, settings(nobody))
    yield made
    made.stop()


@pytest.fixture
def thing(bare: Any) -> Iterator[Any]:
    yield bare
    bare.call("end")
    shutil.rmtree(bare.folder / ".golden-app-queue", ignore_errors=True)


def secure(cloud: Responder, kind: str, certificate: tuple[str, str], authority: str = "ca", **place: Any) -> Any:
    """Settings for TLS."""
    ca = f"/{authority}.der" if kind == "board" else str(Path(certificate[0]).with_name(f"{authority}.pem"))
    return settings(cloud, cloud={"transport": "tls", "file_xfer_host": "localhost", **place}, ca_bundle_file=ca)


def test_a_wrong_token_is_status_19_at_once_and_ends_it(thing, cloud):
    tries = len(cloud.connects)
    assert thing.begin(settings(cloud, cloud={"token": "guessed"})) == 19
    assert thing.call("state")[:2] == [False, False] and len(cloud.connects) == tries + 1


def test_tls_by_an_authority_we_know_carries_messages_and_files(thing, kind, certificate):
    with Responder(certificate) as cloud:
        assert thing.begin(secure(cloud, kind, certificate)) == 0 and thing.call("s09") == [0, 0]
        cloud.files["f"] = bytes(5000)
        assert thing.call("download", "f", thing.path("f")) == 0 and thing.read("f") == bytes(5000)
        thing.call("end")


def test_a_certificate_of_another_authority_is_status_19(thing, kind, certificate):
    with Responder(certificate) as cloud:
        assert thing.begin(secure(cloud, kind, certificate, "other")) == 19 and not cloud.connects


def test_a_certificate_of_another_name_is_status_19(thing, kind, certificate):
    name = "127.1"                       # leads there, but is not what the certificate says
    if kind == "board":
        name = "cloud.example"
        thing.board.world[name] = "127.0.0.1"
    with Responder(certificate) as cloud:
        assert thing.begin(secure(cloud, kind, certificate, host=name)) == 19 and not cloud.connects


def test_mqtt_goes_inside_of_a_websocket(thing, kind, certificate):
    with Responder(certificate, is_websocket=True) as cloud:
        assert thing.begin(secure(cloud, kind, certificate, transport="wss")) == 0 and thing.call("s09") == [0, 0]
        assert cloud.heads[0].startswith("GET /mqtt HTTP/1.1") and "Sec-WebSocket-Protocol: mqtt" in cloud.heads[0]
        thing.call("end")


def tell_nobody(thing: Any, cloud: Responder, count: int) -> None:
    """So many samples without a link."""
    cloud.end()
    eventually(lambda: not thing.call("state")[1])
    for first in range(0, count, 200):
        thing.call("many", first, 200)


def test_ten_thousand_samples_without_a_broker_are_bounded_and_the_losses_are_told(thing):
    with Responder() as cloud:
        assert thing.begin(settings(cloud, store_bytes=20_000)) == 0
        tell_nobody(thing, cloud, 10_000)
        cloud.begin()
        eventually(lambda: {9999} & {item["value"] for item in cloud.samples()}, 30.0)
        values = [item["value"] for item in cloud.samples()]
        assert values == list(range(values[0], 10_000)) and 100 < len(values) < 3000
        assert len({item["ts"] for item in cloud.samples()}) == len(values)      # a twin would show
        told = [params["msg"] for params in cloud.sent("log.publish")]
        assert told == [f"dropped {values[0]} samples for want of room: 1-{values[0]}"]


def test_without_acknowledgements_a_full_store_is_sent_piece_by_piece(thing, kind):
    with Responder() as cloud:
        assert thing.begin(settings(cloud, qos_level=0)) == 0
        tell_nobody(thing, cloud, 600)
        since = len(thing.board.console()) if kind == "board" else 0
        cloud.begin()
        eventually(lambda: len(cloud.samples()) >= 600)
        assert [item["value"] for item in cloud.samples()] == list(range(600))
        assert kind == "host" or "MemoryError" not in thing.board.console()[since:]


BOARD = pytest.mark.parametrize("kind", ["board"], indirect=True, scope="module")


@BOARD
def test_a_board_that_knows_no_time_takes_that_of_the_cloud(thing):
    now = thing.board.clock.rtc()
    thing.board.clock.set(946684800)     # as after power-on without a time server
    with Responder() as cloud:
        cloud.time_ms = 1511222400000
        assert thing.begin(settings(cloud)) == 0
        thing.call("s02")
        eventually(lambda: len(cloud.samples()) == 3)
        assert {item["ts"][:13] for item in cloud.samples()} == {"2017-11-21T00"}
        thing.call("end")
    thing.board.clock.set(now)


@BOARD
def test_no_secret_is_told_and_what_is_switched_off_is_status_18(thing):
    _restarted(thing.board)              # what came before has left its heap in pieces
    with Responder() as cloud:
        off = {"remote_login": False, "call_modules": False}
        config = settings(cloud, cloud={"token": "geheim-7"}, actions_enabled=off)
        thing.write(f"{APP}-connect.cfg", json.dumps(config).encode())
        said = thing.board.shell(f"cloud connect {APP}", "cloud status", "dump", "system alarms", "task list")
        assert "not authorised" in said and "geheim" not in said + thing.board.console()
        thing.write(f"{APP}-connect.cfg", json.dumps({**config, "cloud": {**config["cloud"], "token": TOKEN}}).encode())
        _restarted(thing.board)
        assert thing.board.shell(f"cloud connect {APP}") == f"connected as {THING}"
        assert cloud.do(THING, "remote-access", {"url": "x"})["errorCode"] == 18
        assert cloud.do(THING, "system.clock")["errorCode"] == 12 and cloud.do(THING, "ping")["errorCode"] == 0
        assert thing.board.shell("cloud disconnect") == "disconnected"


@BOARD
def test_what_waits_outlives_a_reboot(thing):
    with Responder() as cloud:
        thing.begin(settings(cloud))
        cloud.end()
        eventually(lambda: not thing.call("state")[1])
        thing.call("many", 0, 40)
        queue = thing.folder / ".golden-app-queue"
        eventually(lambda: sum(path.read_bytes().count(b"\n") for path in queue.glob("*")) == 40)
        _restarted(thing.board)
        cloud.begin()
        assert thing.begin(settings(cloud)) == 0
        eventually(lambda: [item["value"] for item in cloud.samples()] == list(range(40)))
        thing.call("end")


def _restarted(board: Any) -> None:
    board.power_cycle()
    board.wait_ready()
