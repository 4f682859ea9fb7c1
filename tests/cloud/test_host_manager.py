"""The device manager: each of its actions, each switched off, and what ends it happens once."""
import json
import socket
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from device_cloud.manager import APP, DEFAULTS, Effects, Manager, ManagerError, forget, settings
from micrOS.source.pure import tr50_cloud
from tests.cloud import conftest
from tests.cloud.responder import eventually
from tests.cloud.test_host_ota import orders, package

ALL = dict.fromkeys(DEFAULTS["actions_enabled"], True)
SWITCHED = [("file_download", "file_transfers"), ("file_upload", "file_transfers"),
            ("shutdown_device", "shutdown_device"), ("reboot_device", "reboot_device"),
            ("remote-access", "remote_login"), ("get_remote_access_info", "remote_login"),
            ("decommission_device", "decommission_device"), ("reset_agent", "reset_agent"), ("quit", "reset_agent"),
            ("software_update", "software_update")]


class Host:
    """A manager in a thread. done: effects that came"""

    def __init__(self, folder, cloud, **more):
        self.folder, self.cloud, self.done = folder, cloud, []
        self.name = folder.name[-40:]
        self.thing = f"{self.name}-{APP}"
        (folder / f"{APP}-connect.cfg").write_text(json.dumps(conftest.settings(cloud, quiet=True, loop_time=0.05)))
        (folder / "device_id").write_text(self.name)
        (folder / "iot.cfg").write_text(json.dumps({"actions_enabled": ALL, "log_level": "ERROR", **more}))
        self.begin()

    def begin(self):
        effects = Effects(*(lambda *words, name=name: self.done.append((name, *words))
                            for name in ("shutdown", "reboot", "restart", "decommission")))
        self.manager = Manager(self.folder, effects)
        self.codes = []
        self.thread = threading.Thread(target=lambda: self.codes.append(self.manager.run()))
        self.thread.start()

    def do(self, name, **params):
        return self.cloud.do(self.thing, name, params)

    def over(self):
        """Exit code."""
        self.thread.join(20)
        return self.codes[0]

    def stop(self):
        self.manager.leave()
        return self.over()


@pytest.fixture(scope="module")
def host(cloud, tmp_path_factory):
    service = socket.create_server(("127.0.0.1", 0))
    port = service.getsockname()[1]
    running = Host(tmp_path_factory.mktemp("manager"), cloud, upload_remove_on_success=True,
                   thing_friendly_name="Bench",
                   remote_access_support=[{"name": "echo", "port": str(port), "session_timeout": "30"}])
    running.service, running.port = service, port
    yield running
    assert running.stop() == 0
    service.close()


def test_it_introduces_itself(host, cloud):
    eventually(lambda: len(cloud.samples("attribute")) == 9)
    facts = {item["key"]: item["value"] for item in cloud.samples("attribute")}
    assert list(facts) == ["os_name", "os_version", "architecture", "hostname", "kernel", "hdc_version", "mac_address",
                           "relay_version", "remote_access_support"]
    assert facts["relay_version"] == "2.0.0" and len(facts["mac_address"]) == 17 and facts["os_name"]
    assert cloud.sent("thing.update")[0]["name"] == "Bench"


def test_ping_and_the_table_of_services(host):
    answer = host.do("ping")
    assert answer["errorCode"] == 0 and answer["params"]["response"] == "acknowledged"
    assert answer["params"]["time_stamp"].endswith("Z")
    told = json.loads(host.do("get_remote_access_info")["params"]["remote_access_support"])
    assert told == [{"name": "echo", "port": str(host.port), "session_timeout": "30"}]


def test_files_come_and_go(host, cloud, tmp_path):
    cloud.files["letter.txt"] = b"dear host"
    assert host.do("file_download", file_name="letter.txt")["errorCode"] == 0
    assert (host.manager.runtime / "download" / "letter.txt").read_bytes() == b"dear host"
    assert host.do("file_download", file_name="letter.txt", file_path=str(tmp_path / "a" / "b"))["errorCode"] == 0
    assert (tmp_path / "a" / "b").read_bytes() == b"dear host"
    assert host.do("file_download", file_name="none") == {"errorCode": 12, "errorMessage": "Not Found"}
    assert host.do("file_download")["errorCode"] == host.do("file_download", file_path="x")["errorCode"] == 2
    assert host.do("file_upload", file_path=str(tmp_path / "a" / "b"), file_name="back")["errorCode"] == 0
    assert cloud.files["back"] == b"dear host" and (tmp_path / "a" / "b").exists()
    assert host.do("file_upload", file_path="/no/such")["errorCode"] == 12


def test_a_folder_goes_up_as_one_archive_and_is_emptied(host, cloud, tmp_path):
    folder = host.manager.runtime / "upload"
    (folder / "deep").mkdir()
    (folder / "deep" / "x").write_bytes(b"1")
    assert host.do("file_upload", file_name="all.tar.gz")["errorCode"] == 0
    (tmp_path / "all").write_bytes(cloud.files["all.tar.gz"])
    with tarfile.open(tmp_path / "all") as archive:
        assert [row.name for row in archive if row.isfile()] == ["./deep/x"]
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert list(host.manager.runtime.glob("*.tar.gz")) == []


def test_a_relay_has_two_channels_at_a_time(host, cloud):
    assert host.do("remote-access", url=f"ws://localhost:{cloud.file_port}/relay?x=1", host="localhost",
                   protocol=str(host.port), reconnect=True)["errorCode"] == 0
    eventually(lambda: cloud.relays.qsize())
    way = cloud.relays.get_nowait()
    doors = []
    for number in (b"\x00", b"\x01"):
        way.say(number + b"CONNECTED-581273", 1)
        doors.append(host.service.accept()[0])
    way.say(b"\x01second")
    way.say(b"\x00first")
    assert doors[0].recv(100) == b"first" and doors[1].recv(100) == b"second"
    doors[1].sendall(b"two")
    eventually(lambda: (2, b"\x01two") in way.heard)
    doors[0].sendall(b"one")
    eventually(lambda: (2, b"\x00one") in way.heard)
    doors[0].close()
    eventually(lambda: (2, b"\x00DISCONNECTED-581273") in way.heard)
    way.say(b"DISCONNECTED-581273", 1)
    eventually(lambda: way.is_over)
    assert doors[1].recv(1) == b""
    doors[1].close()


@pytest.mark.parametrize(("params", "status"), [
    ({"protocol": "1", "url": "wss://x"}, 10), ({"protocol": "ssh", "url": "wss://x"}, 2),
    ({"host": "10.0.0.1", "url": "wss://x"}, 10), ({"url": "https://x"}, 2), ({"url": ""}, 2)])
def test_a_relay_leads_to_a_listed_service_only(host, params, status):
    assert host.do("remote-access", **{"protocol": host.port, **params})["errorCode"] == status


def test_a_transfer_may_be_answered_when_it_is_over(cloud, tmp_path):
    host = Host(tmp_path, cloud, wait_for_file_transfer=False)
    cloud.files["later"] = b"x"
    since = len(cloud.updates)
    assert host.do("file_download", file_name="later")["errorCode"] == 0
    assert host.do("file_download", file_name="none")["errorCode"] == 12
    assert [text for _, text in cloud.updates[since:]] == ["Invoked"] * 2
    assert (host.manager.runtime / "download" / "later").read_bytes() == b"x" and host.stop() == 0


@pytest.mark.parametrize(("name", "effect"), [
    ("shutdown_device", "shutdown"), ("reboot_device", "reboot"), ("reset_agent", "restart"), ("quit", None),
    ("decommission_device", "decommission")])
def test_what_ends_the_manager_is_told_first_and_never_done_twice(cloud, tmp_path, name, effect):
    host = Host(tmp_path, cloud)
    ident = cloud.post(host.thing, name)
    assert cloud.ack(ident) == {"errorCode": 0, "errorMessage": ""}
    assert host.over() == 0
    words = [(effect, tmp_path)] if effect == "decommission" else [(effect,)] if effect else []
    assert host.done == words and not host.manager.client.is_connected()
    # the ack was lost, so the cloud asks again
    del cloud.acks[ident]
    cloud.mails[host.thing] = [tr50_cloud.mail(ident, host.thing, name)]
    host.begin()
    assert cloud.ack(ident)["errorCode"] == 0 and host.do("ping")["errorCode"] == 0
    assert host.done == words and host.stop() == 0


def test_a_software_update_may_end_in_a_reboot(cloud, tmp_path):
    host = Host(tmp_path, cloud)
    cloud.files["new.zip"] = package("new.zip", {"update.json": orders(install="echo new", reboot="yes")})
    assert host.do("software_update", package="new.zip") == {"errorCode": 0, "errorMessage": ""}
    assert host.over() == 0 and host.done == [("reboot",)]
    assert b"new" in cloud.files["ota_install.log"]


def test_each_action_can_be_switched_off(cloud, tmp_path):
    host = Host(tmp_path, cloud, actions_enabled=dict.fromkeys(ALL, False))
    wanted = {"errorCode": 18, "errorMessage": "This method is disabled by its iot.cfg setting"}
    assert {name: host.do(name) for name, _ in SWITCHED} == {name: wanted for name, _ in SWITCHED}
    assert {key for _, key in SWITCHED} == set(ALL) and host.do("ping")["errorCode"] == 0
    assert host.stop() == 0


def test_a_service_of_this_host_is_found(cloud, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as service:
        monkeypatch.setattr("device_cloud.manager.SERVICES", (("web", service.getsockname()[1]), ("none", 1)))
        host = Host(tmp_path, cloud, discover_services_on_init=True)
        told = json.loads(host.do("get_remote_access_info")["params"]["remote_access_support"])
        assert [row["name"] for row in told] == ["SSH", "web"] and host.stop() == 0


def test_to_decommission_removes_what_makes_the_host_a_thing(tmp_path):
    (tmp_path / "runtime" / "download").mkdir(parents=True)
    for name in ("device_id", f"{APP}-connect.cfg", "iot.cfg", "other"):
        (tmp_path / name).write_text("{}")
    (tmp_path / f".{APP}-queue").mkdir()
    forget(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["iot.cfg", "other"]


@pytest.mark.parametrize("text", ["{", "[]", '{"actions_enabled": 1}', '{"shutdown": true}',
                                  '{"actions_enabled": {"fly": true}}', '{"remote_access_support": [{"name": "x"}]}'])
def test_settings_that_cannot_be_used_are_told(tmp_path, text):
    (tmp_path / "iot.cfg").write_text(text)
    with pytest.raises(ManagerError, match="iot.cfg"):
        settings(tmp_path)


@pytest.mark.slow
def test_it_stands_alone_and_leaves_by_sigterm(cloud, tmp_path):
    words = [sys.executable, "-m", "device_cloud.manager", "--dir", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, cwd=Path(__file__).parents[2])
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--cloud config" in done.stderr
    (tmp_path / f"{APP}-connect.cfg").write_text(json.dumps(conftest.settings(cloud)))
    (tmp_path / "device_id").write_text("alone")
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    try:
        assert cloud.do(f"alone-{APP}", "ping")["errorCode"] == 0
        running.terminate()
        _, said = running.communicate(timeout=20)
    finally:
        running.kill()
    assert running.returncode == 0 and "connected" in said and conftest.TOKEN not in said
