"""Updates of a host's software: told as recorded, safe from what a package may want, once only."""
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from device_cloud import ota_handler
from tests.cloud.hosting import connected, made
from tests.cloud.responder import Responder, eventually, recorded

STEPS = {"pre_install": "echo pre > ../pre; exit 0", "install": "sh install.sh", "post_install": "echo done"}


def package(name, files):
    """bytes of an archive. files: {path: bytes}"""
    out = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(out, "w") as archive:
            for path, data in files.items():
                archive.writestr(path, data)
    else:
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for path, data in files.items():
                row = tarfile.TarInfo(path)
                row.size = len(data)
                archive.addfile(row, io.BytesIO(data))
    return out.getvalue()


def orders(**more):
    return json.dumps({"name": "n", "version": "1", **STEPS, **more}).encode()


GOOD = {"update.json": orders(), "install.sh": b"echo installed $HDC_EXTRA_PARAMS; pwd\n"}


class Place:
    """A thing with the action software_update."""

    def __init__(self, cloud, client, runtime):
        self.cloud, self.client, self.runtime = cloud, client, runtime
        self.thing = client.agent.thing
        self.reboots = []
        self.handler = ota_handler.OTAHandler(reboot=lambda client: self.reboots.append(dict(cloud.files)))
        client.action_register_callback("software_update", self.handler.update_callback, [str(runtime)])

    def update(self, name, files, **params):
        """The ack; all the rest has been told then, too."""
        self.cloud.files[name] = package(name, files) if isinstance(files, dict) else files
        answer = self.cloud.do(self.thing, "software_update", {"package": name, **params})
        self.handler.join(20)
        self.client.agent.wake.set()
        eventually(lambda: not self.client.agent.is_busy())
        return answer


@pytest.fixture(scope="module")
def cloud():
    class Stores(Responder):
        """ota.tar.gz lies in the thing's own store."""

        def _file_get(self, thing, params):
            if params["fileName"] == "ota.tar.gz" and params["global"]:
                return {"success": False, "errorCodes": [-90008], "errorMessages": ["File not found"]}
            return super()._file_get(thing, params)

    with Stores() as running:
        yield running


@pytest.fixture
def place(cloud, tmp_path):
    with connected(tmp_path, cloud, "ota") as client:
        yield Place(cloud, client, tmp_path / "runtime")


def told(requests):
    """What requests say of an update, a list a kind, in the order of their times."""
    found = {"updates": [], "events": [], "alarms": [], "acks": [], "files": []}
    for command, params in requests:
        if command == "mailbox.update":
            if params["msg"] not in found["updates"][-1:]:       # a mail that is fetched again is told again
                found["updates"].append(params["msg"])
        elif command == "log.publish":
            found["events"].append((params["ts"], params["msg"]))
        elif command == "alarm.batch":
            found["alarms"] += [(item["ts"], (item["key"], item["state"], item["msg"])) for item in params["data"]]
        elif command == "mailbox.ack":
            found["acks"].append((params["errorCode"], params["errorMessage"]))
        elif command in ("file.get", "file.put"):
            found["files"].append((command, params["fileName"], params["global"]))
    for kind in ("events", "alarms"):
        found[kind] = [row for _, row in sorted(found[kind], key=lambda row: row[0])]
    return found


@pytest.mark.parametrize(("step", "name", "files"), [
    ("32", "ota.tar.gz", GOOD),
    ("33", "bad.tar.gz", {"update.json": json.dumps({"install": "exit 1", "error_action": "echo sorry"}).encode()})])
def test_an_update_is_told_as_recorded(place, cloud, step, name, files):
    wanted = told([(entry["command"], entry.get("params")) for payload in recorded(step)
                   for entry in payload.values()])
    since = len(cloud.requests)
    answer = place.update(name, files, extra_params="X=1")
    assert told([row[2:] for row in cloud.requests[since:]]) == wanted
    assert (answer["errorCode"], answer["errorMessage"]) == wanted["acks"][0]
    said = cloud.files["ota_install.log"].decode()
    assert said == (f"installed X=1\n{place.runtime}/otapackage\ndone\n" if step == "32" else "sorry\n")
    left = sorted(str(path.relative_to(place.runtime)) for path in place.runtime.rglob("*"))
    assert [name for name in left if name != "pre"] == ["download", "message_ids", "ota_install.log"]


@pytest.mark.parametrize(("name", "files", "status"), [
    ("a.zip", GOOD, 0),
    ("a.rpm", b"x", 18),
    ("a.zip", b"no archive", 8),
    pytest.param("a.tar.gz", package("a.tar.gz", GOOD)[:100], 8, id="cut"),      # gzip writes the time into it
    ("a.tar.gz", {"x": b""}, 2),
    ("a.tar.gz", {"update.json": b"{"}, 8),
    ("a.tar.gz", {"update.json": b"{}"}, 2),
    ("a.tar.gz", {"update.json": orders(), "../out": b"x"}, 3),
    ("a.zip", {"update.json": orders(), "/tmp/out": b"x"}, 3),
    ("a.tar.gz", {"update.json": orders(install="sleep 30")}, 16)])
def test_a_package_that_cannot_be_used_changes_nothing(place, name, files, status):
    answer = place.update(name, files, **({"ota_timeout": 0.5} if status == 16 else {}))
    assert answer["errorCode"] == status
    assert not (place.runtime.parent / "out").exists() and not place.handler.is_running()


def test_a_link_in_a_package_is_refused(place):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        row = tarfile.TarInfo("etc")
        row.type, row.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(row)
    assert place.update("link.tar.gz", out.getvalue())["errorCode"] == 3


def test_what_is_no_request_is_a_bad_parameter(place, cloud):
    assert cloud.do(place.thing, "software_update")["errorCode"] == 2
    assert cloud.do(place.thing, "software_update", {"package": "a.zip", "ota_timeout": "soon"})["errorCode"] == 2
    assert place.update("missing.zip", b"")["errorCode"] == 8
    cloud.files.clear()
    assert cloud.do(place.thing, "software_update", {"package": "missing.zip"})["errorCode"] == 12


def test_there_is_one_update_at_a_time(place, cloud):
    gate = place.runtime / "go"
    hold = f"while [ ! -e {gate} ]; do sleep 0.05; done"
    cloud.files["slow.zip"] = package("slow.zip", {"update.json": orders(install=hold)})
    first = cloud.post(place.thing, "software_update", {"package": "slow.zip"})
    eventually(lambda: (place.runtime / ".otalock").exists())
    wanted = {"errorCode": 19, "errorMessage": "Software update already in progress!"}
    assert cloud.do(place.thing, "software_update", {"package": "slow.zip"}) == wanted
    gate.touch()
    assert cloud.ack(first)["errorCode"] == 0
    place.handler.join(20)


def test_a_reboot_comes_after_the_last_word(place, cloud):
    files = {**GOOD, "update.json": orders(reboot="yes")}
    assert place.update("a.zip", files)["errorCode"] == 0
    assert len(place.reboots) == 1 and place.reboots[0]["ota_install.log"].startswith(b"installed")


def test_an_update_that_was_cut_off_is_told_after_the_restart_and_not_run_again(cloud, tmp_path):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    with connected(tmp_path, cloud, "cut") as client:
        thing = client.agent.thing
    ident = cloud.post(thing, "software_update", {"package": "a.zip"}, is_told=False)
    over = cloud.post(thing, "software_update", {"package": "b.zip"}, is_told=False)
    (runtime / ".otalock").write_text(f"{os.getpid()} {ident}")
    (runtime / "message_ids").write_text(f"{over},0\ntorn")

    client = made(tmp_path, cloud, "cut")
    place = Place(cloud, client, runtime)
    ota_handler.recover(client, runtime)
    since = len(cloud.requests)
    assert client.connect(10) == 0
    assert cloud.ack(ident) == {"errorCode": 19, "errorMessage": "the update was cut off"}
    assert cloud.ack(over)["errorCode"] == 0
    assert client.diag_ping() == 0 and not place.handler.is_running()
    assert [row for row in cloud.requests[since:] if row[2] == "file.get"] == []
    assert sorted(Path(runtime).iterdir()) == []
    client.disconnect()


def test_outcomes_for_which_there_is_no_room_are_kept_for_the_next_start(cloud, tmp_path):
    client = made(tmp_path, cloud, "many")
    (tmp_path / "message_ids").write_text("".join(f"m{number},0\n" for number in range(70)))
    ota_handler.recover(client, tmp_path)
    assert (tmp_path / "message_ids").read_text() == "".join(f"m{number},0\n" for number in range(64, 70))
    client.disconnect()
