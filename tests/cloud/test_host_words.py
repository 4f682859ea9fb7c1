"""`--cloud`: the table of its words, a configuration by flags and by questions, a walk along every door."""
import http.server
import json
import stat
import threading

import pytest

from device_cloud import Client
from tests.cloud.conftest import settings
from tests.cloud.responder import TOKEN, Responder
from toolkit import cloud_words, commands
from toolkit.cloud_walk import CHECKS

WORDS = list(cloud_words.words())


class Operator(http.server.BaseHTTPRequestHandler):
    """The operator's API: one user, one command, which has a thing run something."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "auth" in body:
            is_right = body["auth"]["params"] == {"username": "op", "password": "secret-9"}
            answer = {"auth": {"success": is_right, **({"params": {"sessionId": "s1"}} if is_right else {})}}
        else:
            assert self.headers["sessionId"] == "s1"
            answer = {"cmd": self._done(**body["cmd"]["params"])}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _done(self, thingKey, method, ackTimeout, params):
        ident = self.server.cloud.post(thingKey, method, params)
        ack = self.server.cloud.ack(ident) if ackTimeout else {"errorCode": 0}
        return {"success": ack["errorCode"] == 0, "params": ack}

    def log_message(self, *words):
        pass


class Remembering(Responder):
    """Gives the last sample back."""

    def _current(self, kind, params):
        values = [item["value"] for item in self.samples(kind) if item["key"] == params["key"]]
        return {"success": True, "params": {"value": values[-1], "ts": "x"}} if values else {"success": False}

    def _property_current(self, thing, params):
        return self._current("property", params)

    def _attribute_current(self, thing, params):
        return self._current("attribute", params)


@pytest.fixture(scope="module")
def cloud():
    with Remembering() as running:
        yield running


@pytest.fixture(scope="module")
def address(cloud):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Operator)
    server.cloud = cloud
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("HDCTOKEN", "HDCADDRESS", "HDCUSERNAME", "HDCPASSWORD", "HDCPROXYPASSWORD"):
        monkeypatch.delenv(name, raising=False)


def prepared(folder, cloud, /, **more):
    (folder / "lamp-connect.cfg").write_text(json.dumps(settings(cloud, **more)))
    (folder / "device_id").write_text("dev")
    return ["--cloud", "validate", "--app", "lamp", "--dir", str(folder)]


@pytest.mark.parametrize(("name", "word"), WORDS, ids=[name for name, _ in WORDS])
def test_a_word_has_help_that_fits_a_screen(name, word, capsys):
    assert word.HELP and "\n" not in word.HELP and word.__doc__
    with pytest.raises(SystemExit) as left:
        commands.main(["--cloud", name, "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and f"--cloud {name}" in said and len(said.splitlines()) <= 60


def test_every_word_stands_in_the_overview(capsys):
    with pytest.raises(SystemExit):
        commands.main(["--cloud", "--help"])
    said = capsys.readouterr().out
    assert {"config", "validate"} <= {name for name, _ in WORDS} and all(word.HELP[:20] in said for _, word in WORDS)


def test_flags_write_what_a_client_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HDCTOKEN", "secret-1")
    monkeypatch.setenv("HDCPROXYPASSWORD", "secret-2")
    words = ["--cloud", "config", "--app", "lamp", "--dir", str(tmp_path / "new"), "--host", "cloud.example"]
    assert commands.main([*words, "--port", "443", "--device-id", "dev", "--proxy", "socks5://paul@10.0.0.1:1080",
                          "--ca", "/ca.pem", "--file-host", "files.example:8443", "--yes"]) == 0
    path = tmp_path / "new" / "lamp-connect.cfg"
    assert json.loads(path.read_text()) == {
        "cloud": {"host": "cloud.example", "port": 443, "token": "secret-1", "file_xfer_host": "files.example",
                  "file_xfer_port": 8443},
        "proxy": {"type": "SOCKS5", "host": "10.0.0.1", "port": 1080, "username": "paul", "password": "secret-2"},
        "ca_bundle_file": "/ca.pem"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and (path.parent / "device_id").read_text() == "dev"
    said = capsys.readouterr().out
    assert "thing key: dev-lamp" in said and "secret" not in said


def test_what_stands_in_the_files_is_kept(tmp_path, capsys):
    (tmp_path / "lamp-connect.cfg").write_text('{"cloud": {"host": "a", "port": 1, "token": "t"}, "loop_time": 5}')
    (tmp_path / "device_id").write_text("kept\n")
    assert commands.main(["--cloud", "config", "--app", "lamp", "--dir", str(tmp_path), "--port", "2", "--json",
                          "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["thing"] == "kept-lamp"
    assert json.loads((tmp_path / "lamp-connect.cfg").read_text()) == {
        "cloud": {"host": "a", "port": 2, "token": "t"}, "loop_time": 5}


def test_questions_ask_for_what_no_flag_tells(tmp_path, monkeypatch):
    answers = iter(["lamp", "cloud.example", ""])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda text: next(answers))
    monkeypatch.setattr("getpass.getpass", lambda text: "typed")
    assert commands.main(["--cloud", "config", "--dir", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "lamp-connect.cfg").read_text())["cloud"] == {
        "host": "cloud.example", "port": 8883, "token": "typed"}


@pytest.mark.parametrize(("words", "text"), [
    ([], "--host is missing"), (["--host", "a"], "HDCTOKEN"),
    (["--host", "a", "--token", "t", "--port", "70000"], "65535"),
    (["--host", "a", "--token", "t", "--proxy", "ftp://x"], "--proxy is"), (["--app", "a/b"], "--app is a name"),
    (["--host", "a", "--token", "t", "--device-id", "x" * 60], "63 characters")])
def test_a_wrong_flag_is_told(tmp_path, capsys, words, text):
    assert commands.main(["--cloud", "config", "--dir", str(tmp_path), "--yes", *words]) == 2
    assert text in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_validate_walks_along_every_door(tmp_path, cloud, address, monkeypatch, capsys):
    monkeypatch.setenv("HDCADDRESS", address)
    monkeypatch.setenv("HDCUSERNAME", "op")
    monkeypatch.setenv("HDCPASSWORD", "secret-9")
    words = prepared(tmp_path, cloud)
    code, said = commands.main([*words, "--json"]), capsys.readouterr().out
    rows = {row["check"]: row for row in json.loads(said)}
    assert code == 0 and {name for name, row in rows.items() if row["result"] != "ok"} == set(), rows
    assert list(rows) == [name for name, _ in CHECKS] and TOKEN not in said and "secret" not in said
    assert "it failed, as it should" in rows["failing action"]["detail"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device_id", "lamp-connect.cfg"]


def test_validate_without_an_operator_tries_no_actions_and_a_fault_is_exit_code_1(tmp_path, cloud, capsys):
    cloud.post_status = 507
    try:
        code, said = commands.main(prepared(tmp_path, cloud)), capsys.readouterr().out
    finally:
        cloud.post_status = 200
    rows = {line[:22].strip(): line[22:].split()[0] for line in said.splitlines()[1:]}
    assert code == 1
    assert [rows[name] for name in ("telemetry with reply", "upload", "action")] == ["ok", "failed", "skipped"]


def test_validate_without_a_cloud_tells_why(tmp_path, cloud, capsys):
    words = prepared(tmp_path, cloud, cloud={"token": "wrong"})
    code, said = commands.main([*words, "--json"]), capsys.readouterr().out
    rows = json.loads(said)
    assert code == 1 and rows[0]["result"] == "failed" and "19" in rows[0]["detail"]
    assert {row["result"] for row in rows[1:]} == {"skipped"}


def test_validate_says_what_is_missing(tmp_path, cloud, address, monkeypatch, capsys):
    assert commands.main(["--cloud", "validate", "--dir", str(tmp_path)]) == 2
    assert commands.main(["--cloud", "validate", "--dir", str(tmp_path), "--thing", "t", "--host", "x"]) == 2
    words = [*prepared(tmp_path, cloud), "--address", address]
    assert commands.main(words) == 2
    monkeypatch.setenv("HDCPASSWORD", "guess")
    assert commands.main([*words, "--username", "op"]) == 5
    assert commands.main([*words[:-1], "http://127.0.0.1:9", "--username", "op"]) == 4
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 5 and "guess" not in str(said)
    assert all(word in line for word, line in zip(
        ("device_id", "HDCTOKEN", "HDCUSERNAME", "does not let op in", "127.0.0.1:9"), said, strict=True))


def test_what_config_writes_connects(tmp_path, cloud, monkeypatch):
    monkeypatch.setenv("HDCTOKEN", TOKEN)
    assert commands.main(["--cloud", "config", "--app", "lamp", "--dir", str(tmp_path), "--host", "localhost",
                          "--port", str(cloud.port), "--yes"]) == 0
    client = Client("lamp", {"config_dir": str(tmp_path), "quiet": True})
    assert client.initialize() == 0 and client.connect(10) == 0 and client.disconnect() == 0
