"""What only hosts have: the package's public names, settings that are obeyed, commands as actions, the log."""
import datetime
import re
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import device_cloud
from device_cloud import Client, osal, ota_handler, relay
from device_cloud.identity import Identity
from device_cloud.manager import Effects
from micrOS.source.cloud import files, ground
from tests.cloud.conftest import THING
from tests.cloud.hosting import certificate_of, connected, made
from tests.cloud.responder import TOKEN, Responder, eventually, recorded

ROOT = Path(__file__).parents[2]
METHODS = """connect disconnect is_connected is_alive initialize telemetry_publish attribute_publish alarm_publish
    event_publish location_publish telemetry_read_last_sample attribute_read_last_sample action_register_callback
    action_register_command action_deregister action_progress_update action_acknowledge file_upload file_download
    diag_ping diag_time update_thing_details log_level log critical error warning info debug"""
SCRIPT = """#!/bin/sh
[ "$1" = --exit ] && exit 1
for word in "$@"; do case $word in --code=*) exit "${word#--code=}";; esac; done
[ $# = 0 ] || { echo "args: $*"; echo err >&2; }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("thing")


@pytest.fixture(scope="module")
def client(folder, cloud):
    with connected(folder, cloud) as running:
        yield running


def test_the_documented_names_are_there():
    assert [name for name in METHODS.split() if not callable(getattr(Client, name, None))] == []
    assert [device_cloud.status_string(code) for code in (0, 12, 19)] == ["Success", "Not Found", "Failure"]
    assert {getattr(device_cloud, name) for name in dir(device_cloud) if name.startswith("STATUS_")} == set(range(20))
    assert device_cloud.LOGERROR == 40 and device_cloud.DEFAULT_THREAD_COUNT == 3
    assert relay.relay_version() == "2.0.0" and callable(relay.create_relay) and callable(relay.stop_relays)
    assert callable(ota_handler.OTAHandler().update_callback) and not ota_handler.OTAHandler().is_running()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}", Identity().get_device_id())
    assert device_cloud.osal.os_name() and device_cloud.osal.os_version() and device_cloud.osal.os_kernel()


@pytest.mark.parametrize(("step", "code"), [("25", None), ("26", 3), ("27", 77)])
def test_a_command_ends_as_recorded(client, cloud, tmp_path, step, code):
    mail = recorded(step, "device")[1]["1"]["params"]["messages"][0]["params"]
    wanted = dict(recorded(step)[1]["1"]["params"])
    path = tmp_path / "cmd"
    path.write_text(f"#!/bin/sh\nexit {code}\n" if code else SCRIPT)
    path.chmod(stat.S_IRWXU)
    assert client.action_register_command(mail["method"], str(path)) == 0
    wanted.pop("id")
    wanted["errorMessage"] = wanted["errorMessage"].replace("/opt/agent/cmd", str(path))
    assert cloud.do(THING, mail["method"], mail["params"]) == wanted
    assert client.action_register_command(mail["method"], "x") == 5
    assert client.action_deregister(mail["method"]) == 0 and client.action_deregister(mail["method"]) == 12


def test_a_command_that_is_missing_or_exits_with_1_is_a_failure(client, cloud):
    client.action_register_command("none", "/no/such")
    client.action_register_command("one", "false")
    wanted = recorded("28")[1]["1"]["params"]["errorMessage"]
    assert cloud.do(THING, "none") == {"errorCode": 19, "errorMessage": wanted}
    assert cloud.do(THING, "one")["errorCode"] == 4


def test_no_more_actions_run_at_a_time_than_thread_count(tmp_path, cloud):
    started, release = [], threading.Event()

    def wait(client, params):
        started.append(params["n"])
        release.wait(10)
        return 0

    with connected(tmp_path, cloud, "two", thread_count=2) as client:
        thing = client.agent.thing
        client.action_register_callback("wait", wait)
        idents = [cloud.post(thing, "wait", {"n": n}) for n in range(3)]
        eventually(lambda: len(started) == 2)
        assert client.diag_ping() == 0 and len(started) == 2
        release.set()
        assert [cloud.ack(ident)["errorCode"] for ident in idents] == [0, 0, 0]


def test_an_action_may_wait_for_a_file_though_all_workers_are_busy(tmp_path, cloud):
    (tmp_path / "x").write_bytes(b"abc")
    said = []
    with connected(tmp_path, cloud, "one", thread_count=1) as client:
        client.action_register_callback("send", lambda: client.file_upload(
            str(tmp_path / "x"), "sent", True, lambda _, name, status: said.append((name, status)), 10))
        assert cloud.do(client.agent.thing, "send")["errorCode"] == 0
    assert cloud.files["sent"] == b"abc" and said == [("sent", 0)]


def test_the_log_goes_where_the_configuration_says_and_tells_no_secret(tmp_path, cloud, capfd):
    place = tmp_path / "agent.log"
    with connected(tmp_path, cloud, "talks", log_file=str(place), quiet=False) as client:
        client.info("hello")
        client.log("WARNING", "careful")
        client.log_level("ERROR")
        client.info("not this")
    text = place.read_text()
    assert capfd.readouterr().err == text and TOKEN not in text and "not this" not in text
    line = r"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d INFO: test_host_client\.py:\d+ - hello$"
    assert re.search(line, text, re.M) and "WARNING: test_host_client.py" in text
    with connected(tmp_path, cloud, "quiet", quiet="true"):
        pass
    assert capfd.readouterr().err == ""


def test_a_text_that_is_no_level_is_told(client):
    with pytest.raises(ValueError, match="a level is CRITICAL, ERROR"):
        client.log_level("LOUD")


def test_quality_of_service_0_is_obeyed(tmp_path, cloud):
    since = len(cloud.published)
    with connected(tmp_path, cloud, "lazy", qos_level=0) as client:
        assert client.telemetry_publish("t", 1, cloud_response=True) == 0
    assert {row[1] for row in cloud.published[since:]} == {0}


def test_with_quality_of_service_0_a_drain_gives_no_more_than_a_window(tmp_path, cloud):
    client = made(tmp_path, cloud, "full", qos_level=0)
    agent = client.agent
    for at in range((ground.WINDOW + 2) * ground.ITEMS):
        agent.put("property", None, "n", at, None)
    agent.link.state = agent.link.session.state = "up"
    agent.drain()
    assert 0 < agent.link.session.take(1 << 30).count(b'"property.batch"') <= ground.WINDOW and agent.store.waiting()
    client.disconnect()


def test_the_system_log_gets_what_the_configuration_sends_there(tmp_path, cloud, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(tmp_path / "log"))
        system.settimeout(20)
        monkeypatch.setattr("device_cloud.logs.SYSLOG", ("/no/such", str(tmp_path / "log")))
        client = made(tmp_path, cloud, "system", use_syslog=True)
        client.warning("careful")
        said = [system.recv(1000) for _ in range(2)]         # initialize() says where the cloud is
        assert b"WARNING: test_host_client.py" in said[1] and said[1].rstrip(b"\0").endswith(b"careful")
        assert TOKEN.encode() not in b"".join(said)


@pytest.fixture
def power(tmp_path, monkeypatch):
    """Function that gives what `shutdown` was told, a list of lines; no other program is to be found here."""
    program = tmp_path / "shutdown"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/told\nexit "${{SHUTDOWN_CODE:-0}}"\n')
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    return lambda: (tmp_path / "told").read_text().splitlines()


def test_restart_and_end_of_a_host_are_up_to_its_shutdown(power, monkeypatch):
    assert [osal.system_reboot(), osal.system_shutdown(), osal.system_reboot(5), osal.system_shutdown(3)] == [0] * 4
    assert power() == ["-r now", "-h now", "-r +5", "-h +3"]
    monkeypatch.setenv("SHUTDOWN_CODE", "1")
    assert osal.system_reboot() == 4
    monkeypatch.setenv("PATH", "/nowhere")
    assert osal.system_shutdown() == 12


def test_what_the_manager_does_to_its_host_unless_others_are_handed_in(power, tmp_path):
    effects = Effects()
    assert effects.shutdown() == effects.reboot() == 0 and power() == ["-h now", "-r now"]
    (tmp_path / "device_id").write_text("x")
    effects.decommission(tmp_path)
    assert not (tmp_path / "device_id").exists()


@pytest.mark.parametrize(("program", "said"), [
    ("from device_cloud import osal; osal.execl('/bin/echo', 'another')", "another\n"),
    ("import sys; sys.argv = ['x', '--help']; from device_cloud.manager import Effects; Effects().restart()",
     "usage: python -m device_cloud.manager")])
def test_a_program_may_become_another(program, said):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0 and done.stdout.startswith(said)


def test_a_file_that_has_not_come_costs_no_other(tmp_path):
    (tmp_path / "keep").write_text("precious")
    with pytest.raises(OSError, match="part"):
        files._renamed(str(tmp_path / "keep.part"), str(tmp_path / "keep"))
    assert (tmp_path / "keep").read_text() == "precious"


def test_an_alarm_does_not_wait_for_loop_time(tmp_path, cloud):
    since = len(cloud.requests)
    with connected(tmp_path, cloud, "slow", loop_time=60) as client:
        client.telemetry_publish("t", 1)
        client.alarm_publish("a", 1)
        eventually(lambda: cloud.samples("alarm", since) and cloud.samples(since=since))


def test_a_sample_may_have_its_own_time(client, cloud):
    since = len(cloud.requests)
    when = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC)
    assert client.telemetry_publish("t", 1, timestamp=when) == 0
    assert client.telemetry_publish("t", 1, timestamp="yesterday") == 2
    assert eventually(lambda: cloud.samples(since=since))[0]["ts"] == "2026-01-02T03:04:05.000006Z"


def test_keep_alive_ends_an_agent_whose_cloud_is_gone(tmp_path):
    with Responder() as cloud, connected(tmp_path, cloud, "mortal", keep_alive=0.2) as client:
        cloud.end()
        eventually(lambda: not client.is_alive())
        assert not client.is_connected()


def test_a_client_connects_again_and_says_what_it_was_told_between(tmp_path, cloud):
    client = made(tmp_path, cloud, "again")
    assert client.telemetry_publish("t", 1) == 0 and client.connect(10) == 0 and client.disconnect() == 0
    since = len(cloud.requests)
    assert client.telemetry_publish("t", 2) == 0
    assert client.connect(10) == 0
    assert [item["value"] for item in eventually(lambda: cloud.samples(since=since))] == [2]
    client.disconnect()


def test_the_error_handler_may_ask_the_cloud(tmp_path):
    class Refusing(Responder):
        def _property_batch(self, thing, params):
            return {"success": False, "errorCodes": [-90001], "errorMessages": ["no"]}

    told, done = [], threading.Event()

    def handler(codes, sent, reply):
        told.append((codes, "property.batch" in sent, reply, client.diag_ping()))
        done.set()

    with Refusing() as cloud, connected(tmp_path, cloud, "wrong", error_handler=handler) as client:
        client.telemetry_publish("t", 1)
        assert done.wait(10) and told == [([-90001], True, "['no']", 0)]
        assert client.telemetry_publish("t", 1, cloud_response=True) == 19


@pytest.mark.parametrize(("more", "error", "text"), [
    ({"proxy": {"type": "SOCKS9", "host": "a", "port": 1}}, KeyError, "proxy.type is SOCKS4, SOCKS5, HTTP"),
    ({"proxy": {"type": "HTTP", "port": 1}}, KeyError, "proxy.host is missing"),
    ({"cloud": {"token": ""}}, KeyError, "cloud.token is missing")])
def test_a_configuration_that_cannot_be_used_is_told_at_once(tmp_path, cloud, more, error, text):
    with pytest.raises(error, match=text):
        made(tmp_path, cloud, **more)


def test_without_a_file_there_is_no_configuration(tmp_path):
    with pytest.raises(OSError, match="lonely-connect.cfg"):
        Client("lonely", {"config_dir": str(tmp_path)}).initialize()
    client = Client("lonely", {"config_dir": str(tmp_path), "quiet": True}, offline=True)
    assert client.initialize() == 0 and client.telemetry_publish("t", 1) == 0 and not client.is_alive()
    client.disconnect()
    assert Client("unborn").connect() == 13


@pytest.mark.parametrize(("begins_h", "text"), [(24, "not yet valid"), (-48, "expired")])
def test_a_certificate_of_another_day_is_status_19_and_the_log_names_the_clock(tmp_path, begins_h, text):
    paths = certificate_of(tmp_path, begins_h)
    with Responder(paths) as cloud:
        client = made(tmp_path, cloud, cloud={"transport": "tls"}, ca_bundle_file=paths[0],
                      log_file=str(tmp_path / "log"))
        assert client.connect(10) == 19 and not client.is_alive()
        client.disconnect()
    said = (tmp_path / "log").read_text()
    assert text in said and "the clock of this host says" in said


def test_without_validation_any_certificate_will_do(tmp_path):
    with Responder(certificate_of(tmp_path)) as cloud, \
            connected(tmp_path, cloud, cloud={"transport": "tls"}, validate_cloud_cert="false") as client:
        assert client.diag_ping() == 0
