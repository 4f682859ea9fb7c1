"""A virtual board at a broker that plays Aliyun IoT: signing in by HMAC, properties, events, an update.

The broker knows the user and the password that the public recipe gives, computed by CPython's hmac; who answers is a
verifier beside it. Sources: pure/aliyun.py names the documents.
"""
import hashlib
import hmac
import json

import pytest

from tests.cloud.brokers import Mosquitto, ear
from tests.cloud.packages import package, served
from tests.cloud.responder import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PRODUCT, DEVICE, SECRET = "a14Xib5kdYd", "light1983432", "oLyaKqVxtRvjH284LdhqVgVUx1UPy6zq"     # of the document
SYS, TAIL = f"/sys/{PRODUCT}/{DEVICE}/thing", f"{PRODUCT}/{DEVICE}"
CONFIG = {"product_key": PRODUCT, "device_name": DEVICE, "device_secret": SECRET, "client_id": "SN1928339",
          "host": "127.0.0.1", "every": 0.2, "properties": {"Light": {"tells": "dimmer.S", "sets": "dimmer toggle"}}}


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    signed = f"clientIdSN1928339deviceName{DEVICE}productKey{PRODUCT}".encode()
    password = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    users = {f"{DEVICE}&{PRODUCT}": password, "verifier": "v"}
    with Mosquitto(tmp_path_factory.mktemp("broker"), users=users) as running:
        yield running


@pytest.fixture(scope="module")
def verifier(broker):
    with ear(broker.port, user="verifier", password="v") as made:
        yield made


@pytest.fixture(scope="module")
def board(broker, verifier):
    files = {"aliyun-connect.cfg": json.dumps({**CONFIG, "port": broker.port}),
             "wrong-connect.cfg": json.dumps({**CONFIG, "port": broker.port, "connector": "aliyun",
                                              "device_secret": "guessed"})}
    with VirtualBoard(config={"ntphost": "n/a"}, files=files, mpy=True) as running:
        assert running.shell("mqtt connect aliyun") == f"connected to 127.0.0.1:{broker.port}"
        yield running


def test_the_firmware_s_version_is_told_first(board, verifier):
    told = json.loads(verifier.next(f"/ota/device/inform/{TAIL}"))
    assert told["params"]["version"] in board.shell("version")


def test_what_modules_tell_are_properties(board, verifier):
    board.shell("dimmer set_value 250 smooth=False")
    post = verifier.value(f"{SYS}/event/property/post", lambda post: post["params"].get("dimmer__X") == 250)
    assert post["method"] == "thing.event.property.post" and post["version"] == "1.0" and post["params"]["Light"] == 1
    verifier.say(f"{SYS}/event/property/post_reply", {"id": post["id"], "code": 200, "data": {}})


def test_properties_that_are_set_switch_the_lamp(board, verifier):
    since = len(verifier.heard)
    for ident, params, code in (("7", {"dimmer__set_value": {"value": 800, "smooth": False}}, 200),
                                ("8", {"Light": 0}, 200), ("9", {"nothing__here": 1}, 500),
                                ("10", {"strange": 1}, 500)):
        verifier.say(f"{SYS}/service/property/set", {"id": ident, "version": "1.0", "params": params,
                                                     "method": "thing.service.property.set"})
        reply = verifier.value(f"{SYS}/service/property/set_reply", lambda reply: reply["id"] == ident, since)  # noqa: B023
        assert reply["code"] == code, reply
    verifier.value(f"{SYS}/event/property/post", lambda post: post["params"].get("Light") == 0, since)
    eventually(lambda: board.pwm["dim_1"].duty == 0)


def test_alarms_and_words_of_a_program_are_events(board, verifier):
    board.shell("mqtt event door {'open':True}", "robustness raise_error", "mqtt event plain hi")
    assert json.loads(verifier.next(f"{SYS}/event/door/post"))["params"] == {"open": True}
    assert json.loads(verifier.next(f"{SYS}/event/plain/post"))["params"] == {"text": "hi"}


def test_a_package_that_is_not_the_one_offered_is_refused(board, verifier):
    since = len(verifier.heard)
    with served(package(new=b"x")) as url:
        verifier.say(f"/ota/device/upgrade/{TAIL}", {"code": "1000", "id": 1, "data": {
            "url": url, "version": "9", "size": 1, "md5": "0" * 32, "signMethod": "MD5"}})
        verifier.value(f"/ota/device/progress/{TAIL}", lambda told: told["params"]["step"] == "-1", since)
    assert not (board.dir / "new").exists()


def test_a_wrong_secret_does_not_sign_in(board, broker):
    board.shell("mqtt disconnect", "mqtt connect wrong &")
    eventually(lambda: "not authorised" in board.shell("mqtt status"))
    board.shell("mqtt disconnect")


def test_an_update_is_fetched_checked_and_taken_over(board, broker, verifier):
    assert board.shell("mqtt connect aliyun") == f"connected to 127.0.0.1:{broker.port}"
    since, body = len(verifier.heard), package(**{"modules/LM_fresh.py": b"def load():\n    return 'fresh'\n"})
    with served(body) as url:
        verifier.say(f"/ota/device/upgrade/{TAIL}", {"code": "1000", "id": 1, "data": {
            "url": url, "version": "9", "size": len(body), "md5": hashlib.md5(body).hexdigest(), "signMethod": "MD5"}})
        verifier.value(f"/ota/device/progress/{TAIL}", lambda told: told["params"]["step"] == "100", since)
    eventually(lambda: (board.dir / "modules/LM_fresh.py").exists())
    board.wait_ready()
    assert board.shell("fresh load") == "fresh"
