"""--cloud things, run, files, update: the words of the command line against a gateway."""
import io
import json
import threading
import zipfile

import pytest

from toolkit.commands import main


@pytest.fixture
def cli(cloud, monkeypatch, capsys):
    """cli("run", key, "x") -> (exit code, what it printed)"""
    monkeypatch.setenv("MICROS_GATEWAY", cloud.url)
    monkeypatch.setenv("MICROS_GATEWAY_TOKEN", cloud.admin)

    def call(*words):
        code = main(["--cloud", *words])
        told = capsys.readouterr()
        return code, told.out + told.err

    return call


def answering(thing, code=0, *words):
    """A thing that takes one mail, says words of progress and ends it."""
    def work():
        thing.notified()
        for mail in thing.mails():
            for word in words:
                thing.ask("mailbox.update", id=mail["id"], msg=word)
            out = mail["params"].get("params")
            thing.ask("mailbox.ack", id=mail["id"], errorCode=code, errorMessage="said", params=out)

    hand = threading.Thread(target=work)
    hand.start()
    return hand


def test_things_are_listed_with_what_they_told(cli, thing):
    assert thing.ask("property.publish", thingKey=thing.key, key="temp", value=21.5)["success"]
    assert thing.key in cli("things")[1] and "up" in cli("things")[1]
    assert "21.5" in cli("things", thing.key)[1]
    code, told = cli("things", thing.key, "--samples", "property", "--json")
    assert code == 0 and json.loads(told)[0]["value"] == 21.5
    assert cli("things", "no-such")[0] == 3


def test_tokens_are_made_listed_and_revoked(cli):
    code, told = cli("things", "--new", "cli-*", "--most", "3", "--limit", "rate_hz=5", "--json")
    made = json.loads(told)
    assert code == 0 and made["token"].startswith("thing_") and made["limits"] == {"rate_hz": 5}
    assert made["ident"] in cli("things", "--tokens")[1]
    assert cli("things", "--revoke", made["ident"])[0] == 0
    assert made["ident"] not in cli("things", "--tokens")[1]
    assert cli("things", "--new", "x", "--limit", "speed=5")[0] == 2


def test_an_action_runs_and_its_status_is_the_exit_code(cli, thing):
    hand = answering(thing)
    code, told = cli("run", thing.key, "blink", "n=3", "text=hello", "--json")
    hand.join(10)
    assert code == 0 and json.loads(told)["out"] == {"n": 3, "text": "hello"}
    hand = answering(thing, 4)
    assert cli("run", thing.key, "blink") == (1, "done status 4 said\n")
    hand.join(10)
    assert cli("run", thing.key, "blink", "--wait", "0") == (0, "waiting\n")
    assert cli("run", thing.key, "blink", "nothing")[0] == 2


def test_files_go_there_and_back(cli, thing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    assert cli("files", thing.key, "--put", "a.bin", "--name", "../b.bin")[0] == 0
    assert "../b.bin" in cli("files", thing.key)[1]
    assert cli("files", thing.key, "--get", "../b.bin") == (0, "b.bin\n")
    assert (tmp_path / "b.bin").read_bytes() == bytes(range(256))
    assert cli("files", thing.key, "--remove", "../b.bin")[0] == 0
    assert cli("files", thing.key, "--get", "../b.bin")[0] == 3


def test_an_update_is_watched_to_its_end_and_a_bad_package_goes_nowhere(cli, thing, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("update.json", json.dumps({"name": "p", "version": "1", "install": "true"}))
    (tmp_path / "p.zip").write_bytes(buffer.getvalue())
    hand = answering(thing, 0, "Running Install", "Install Successful")
    code, told = cli("update", str(tmp_path / "p.zip"), thing.key, "--wait", "10")
    hand.join(10)
    assert code == 0 and told.splitlines()[:2] == [f"{thing.key}: Running Install", f"{thing.key}: Install Successful"]
    (tmp_path / "p.zip").write_bytes(b"x")
    code, told = cli("update", str(tmp_path / "p.zip"), thing.key)
    assert code == 2 and "cannot be unpacked" in told
