"""A virtual board at a broker that plays Tencent IoT Explorer: signing in by HMAC, properties, actions, events.

The broker knows the user and the password that the public recipe gives, computed by CPython's hmac; who answers is a
verifier beside it. Sources: pure/tencent.py names the documents.
"""
import base64
import hashlib
import hmac
import json

import pytest

from tests.cloud.brokers import Mosquitto, ear
from tests.cloud.packages import package, served
from tests.cloud.responder import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PRODUCT, DEVICE, KEY = "U1BZWHF7F9", "dev_01", base64.b64encode(b"0123456789abcdef").decode()
TAIL = f"{PRODUCT}/{DEVICE}"
USER = f"{PRODUCT}{DEVICE};12010126;O3I57;9223372036854775807"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    token = hmac.new(base64.b64decode(KEY), USER.encode(), hashlib.sha256).hexdigest()
    users = {USER: f"{token};hmacsha256", "verifier": "v"}
    with Mosquitto(tmp_path_factory.mktemp("broker"), users=users) as running:
        yield running


@pytest.fixture(scope="module")
def verifier(broker):
    with ear(broker.port, "$thing/#", "$ota/#", user="verifier", password="v") as made:
        yield made


@pytest.fixture(scope="module")
def board(broker, verifier):
    config = {"product_id": PRODUCT, "device_name": DEVICE, "device_key": KEY, "host": "127.0.0.1", "port": broker.port,
              "connection": "O3I57", "every": 0.2, "modules": ["dimmer"]}
    files = {"tencent-connect.cfg": json.dumps(config)}
    with VirtualBoard(config={"ntphost": "n/a"}, files=files, mpy=True) as running:
        assert running.shell("mqtt connect tencent") == f"connected to 127.0.0.1:{broker.port}"
        yield running


def test_the_firmware_s_version_is_told_first(board, verifier):
    told = json.loads(verifier.next(f"$ota/report/{TAIL}"))
    assert told["type"] == "report_version" and told["report"]["version"] in board.shell("version")


def test_properties_are_reported_and_set(board, verifier):
    board.shell("dimmer set_value 250 smooth=False")
    report = verifier.value(f"$thing/up/property/{TAIL}", lambda said: said.get("params", {}).get("dimmer__X") == 250)
    assert report["method"] == "report" and report["clientToken"]
    since = len(verifier.heard)
    verifier.say(f"$thing/down/property/{TAIL}", {"method": "report_reply", "clientToken": "1", "code": 0})
    for token, params, code in (("a", {"dimmer__set_value": {"value": 800, "smooth": False}}, 0), ("b", {"no": 1}, -1)):
        verifier.say(f"$thing/down/property/{TAIL}", {"method": "control", "clientToken": token, "params": params})
        reply = verifier.value(f"$thing/up/property/{TAIL}", lambda said: said["clientToken"] == token, since)  # noqa: B023
        assert (reply["method"], reply["code"]) == ("control_reply", code)
    assert board.pwm["dim_1"].duty == 800


def test_an_action_runs_a_function_and_is_answered(board, verifier):
    verifier.say(f"$thing/down/action/{TAIL}", {"method": "action", "clientToken": "c", "timestamp": 1,
                                                "actionId": "dimmer__toggle",
                                                "params": {"state": False, "smooth": False}})
    reply = verifier.value(f"$thing/up/action/{TAIL}", lambda said: said["clientToken"] == "c")
    assert reply["method"] == "action_reply" and reply["code"] == 0 and "S: 0" in reply["response"]["result"]
    assert board.pwm["dim_1"].duty == 0


def test_words_of_a_program_are_events(board, verifier):
    board.shell("mqtt event door {'open':True}")
    told = verifier.value(f"$thing/up/event/{TAIL}", lambda told: told["eventId"] == "door")
    assert (told["method"], told["type"], told["params"]) == ("event_post", "info", {"open": True})


def test_a_package_that_is_not_the_one_offered_fails_and_says_so(board, verifier):
    with served(package(new=b"x")) as url:
        verifier.say(f"$ota/update/{TAIL}", {"type": "update_firmware", "url": url, "version": "9", "file_size": 1,
                                             "md5sum": "0" * 32})
        told = verifier.value(f"$ota/report/{TAIL}",
                              lambda told: told["report"].get("progress", {}).get("state") == "fail")
    assert told["report"]["version"] == "9" and "md5" in told["report"]["progress"]["result_msg"]
    eventually(lambda: not (board.dir / ".package").exists())


def test_an_update_is_fetched_checked_and_taken_over(board, broker, verifier):
    since, body = len(verifier.heard), package(**{"modules/LM_fresh.py": b"def load():\n    return 'fresh'\n"})
    with served(body) as url:
        verifier.say(f"$ota/update/{TAIL}", {"type": "update_firmware", "url": url, "version": "9",
                                             "file_size": len(body), "md5sum": hashlib.md5(body).hexdigest()})
        verifier.value(f"$ota/report/{TAIL}",
                       lambda told: told["report"].get("progress", {}).get("state") == "done", since)
    told = [value["report"] for value in verifier.values(f"$ota/report/{TAIL}", since)]
    assert {report["version"] for report in told} == {"9"}
    assert [report["progress"]["state"] for report in told] == ["downloading", "burning", "done"]
    assert {report["progress"]["result_code"] for report in told} == {"0"}
    eventually(lambda: (board.dir / "modules/LM_fresh.py").exists())
    board.wait_ready()
    assert board.shell("fresh load") == "fresh"
    since = len(verifier.heard)
    assert board.shell("mqtt connect tencent") == f"connected to 127.0.0.1:{broker.port}"
    assert verifier.value(f"$ota/report/{TAIL}", bool, since)["type"] == "report_version"
