"""--fleet and /api/v1/jobs, end to end: a gateway with its engine, fakes, nodes of 1.20 and a virtual board."""
import asyncio
import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from tests.device.wire import eventually
from tests.gateway.fleet_fakes import FakeFleet, cluster
from tests.gateway.fleet_fakes import running as processes
from tests.gateway.running import Running, running_gateway
from toolkit import commands
from toolkit.gateway.api_fleet import is_private
from toolkit.gateway.job_ledger import Spec, Target
from toolkit.gateway.job_rules import Claim
from toolkit.gateway.job_work import Work
from toolkit.inventory import Device
from toolkit.simulator import VirtualBoard

PARTS = ("api", "engine", "jobs")
OLD = 2                        # fake0000 and fake0001 are of 1.20
TALLY = """
def hit():
    with open("tally", "a") as file:
        file.write("x")
    return "hit"

def help():
    return "hit",
"""
BURST = """
def now():
    with open("burst", "a") as file:
        file.write("x")
    raise ValueError("it burst after it had acted")
"""
QUICK = ("--tries", "2", "--backoff", "0", "--json")


@pytest.fixture(scope="module")
def fleet() -> Iterator[FakeFleet]:
    with FakeFleet(6, old=OLD) as fakes:
        yield fakes


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    with VirtualBoard(name="real", config={"ntphost": "n/a", "socmax": 6, "devfid": "real"},
                      files={"modules/LM_burst.py": BURST}) as running:
        yield running


@pytest.fixture(scope="module")
def real(board: VirtualBoard) -> Device:
    return device_of(board, "real")


def device_of(board: VirtualBoard, name: str) -> Device:
    return Device(board.shell("hello").rpartition(":")[2], board.address, board.shell_port, name)


@pytest.fixture(scope="module")
def gateway(fleet: FakeFleet, real: Device, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    rows = [*fleet.devices, real]
    with running_gateway(tmp_path_factory.mktemp("fleet"), parts=PARTS, engine=None, rows=rows, watch_s=1) as running:
        with running.client() as client:
            eventually(lambda: [node["state"] for node in client.get("/api/v1/devices").json()],
                       lambda states: states == ["up"] * 7, 20)
            eventually(lambda: client.get("/api/v1/engine").json()["state"], lambda state: state == "up", 20)
        yield running


@pytest.fixture
def cli(gateway, monkeypatch, capsys):
    """cli(*words) -> (exit code, what was printed, as JSON where it is)."""
    monkeypatch.setenv("MICROS_GATEWAY", gateway.url)
    monkeypatch.setenv("MICROS_GATEWAY_TOKEN", gateway.admin)
    monkeypatch.setattr("toolkit.commands.fleet.LOOK_S", 0.05)

    def run(*words: str):
        code = commands.main(["--fleet", *words])
        told = capsys.readouterr()
        text = told.out or told.err
        return code, json.loads(text) if text[:1] in "[{" and text else text.strip()

    return run


def in_loop(gateway: Running, work):
    """What a coroutine of the gateway's loop gives."""
    return asyncio.run_coroutine_threadsafe(work, gateway.app.state.fleet.crew._task.get_loop()).result(30)


def typed(gateway: Running, node: str, line: str) -> str:
    """What a console says to a line."""
    with console(gateway, node) as desk:
        return said(desk, line)


def console(gateway: Running, node: str):
    return connect(f"{gateway.url.replace('http', 'ws')}/api/v1/devices/{node}/console", proxy=None,
                   additional_headers={"Authorization": f"Bearer {gateway.admin}"})


def said(desk, line: str) -> str:
    text = desk.recv(20)
    desk.send(line + "\n")
    while text.count(" $ ") < 2:
        text += desk.recv(20)
    return text


def test_a_selection_shows_its_nodes(cli):
    assert cli("tag", "fake0003", "hall", "light") == (0, "fake0003: hall light")
    assert [row["name"] for row in cli("nodes", "tag=hall", "--json")[1]] == ["fake0003"]
    assert [row["name"] for row in cli("nodes", "version<2", "--json")[1]] == ["fake0000", "fake0001"]
    assert cli("nodes", "tag=hall")[1].splitlines()[1].split()[0] == "fake0003"
    code, words = cli("nodes", "colour=red")
    assert code == 2 and "a selection knows name, uid, tag" in words


def test_a_command_runs_once_on_each_node(cli, fleet):
    code, told = cli("run", "name=fake*", "tally", "hit", *QUICK, "--canary", "2", "--id", "hits")
    assert (code, told["status"], told["done"], told["phases"]) == (0, "done", 6, [2, 6])
    assert [node.hits for node in fleet.nodes] == [1] * 6
    assert {row["text"] for row in told["rows"]} == {"1"}
    again = ("name=fake*", "tally", "hit", *QUICK, "--canary", "2", "--id", "hits")      # the answer had been lost
    code, told = cli("run", *again)
    assert (code, told["done"]) == (0, 6) and [node.hits for node in fleet.nodes] == [1] * 6
    code, words = cli("run", *again[:2], "burst", *again[3:])
    assert code == 5 and "there is another order under the id hits" in words


@pytest.mark.parametrize("node, command", [("real", "burst now"), ("fake0000", "tally burst")], ids=["ours", "of 1.20"])
def test_a_command_that_acts_and_fails_is_not_run_again(cli, board, fleet, node, command):
    before = fleet.nodes[0].hits
    code, told = cli("run", node, *command.split(), "--tries", "5", "--backoff", "0", "--json")
    runs = len((board.dir / "burst").read_text()) if node == "real" else fleet.nodes[0].hits - before
    assert (code, told["failed"], runs) == (1, 1, 1)
    assert "it burst after it had acted" in told["rows"][0]["text"]


def test_an_id_that_a_node_knows_from_another_job_is_new_to_it(cli):
    assert cli("run", "real", "burst", "now", *QUICK, "--abort-pct", "100", "--id", "used")[1]["failed"] == 1
    assert cli("forget", "used")[0] == 0
    told = cli("run", "real", "version", *QUICK, "--id", "used")[1]
    assert (told["done"], told["rows"][0]["text"][:2]) == (1, "2.")
    assert cli("run", "real", "version", *QUICK, "--id", "a-later-one")[0] == 0
    assert [job["id"] for job in cli("list", "--json")[1]][:2] == ["a-later-one", "used"]


def test_a_real_node_takes_commands_settings_and_files(cli, board, tmp_path):
    module = tmp_path / "LM_tally.py"
    module.write_text(TALLY)
    assert cli("drop", "real", str(module), *QUICK)[1]["rows"][0]["text"] == "sent modules/LM_tally.py"
    assert cli("drop", "real", str(module), *QUICK)[1]["current"] == 1
    assert cli("run", "real", "tally", "hit", *QUICK)[1]["rows"][0]["text"] == "hit"
    assert (board.dir / "tally").read_text() == "x"
    assert cli("config", "real", "soctout", "77", *QUICK)[1]["done"] == 1
    assert cli("config", "real", "soctout", "77", *QUICK)[1]["current"] == 1
    code, told = cli("config", "real", "soctout", "-3", *QUICK)
    assert (code, told["status"], told["failed"]) == (1, "stopped", 1)
    assert told["rows"][0]["text"].startswith("Failed to save")


ONCE = (
    # node, an earlier try may have run, (result, words), how often it ran then
    ("fake0004", False, ("ok", "1"), 1),
    ("fake0004", True, ("ok", "1"), 1),                                       # it knows the id
    ("fake0001", True, ("unknown", "keeps no ids of jobs, and may have run it before"), 0),
    ("fake0001", False, ("ok", "1"), 1),
)


def test_a_second_try_runs_nothing_again(gateway, fleet):
    work = Work(gateway.gateway.nodes, gateway.gateway.events)
    for name, again, (result, words), hits in ONCE:
        node = next(each for each in fleet.nodes if each.name == name)
        node.hits = hits - (not again)
        target = Target(node.device.uid, name, "127.0.0.1", node.port)
        spec = Spec("once", "command", {"command": "tally hit"}, [target], mark="aa")
        outcome = in_loop(gateway, work.execute(target, spec, Claim(0, 1, 0, again)))
        assert (outcome.result, node.hits) == (result, hits) and words in outcome.text


def test_a_job_sets_keys_as_a_person_does(cli, gateway, board):
    uid = board.shell("hello").rpartition(":")[2]
    with gateway.client() as client, gateway.gateway.events.subscribe("config") as news:
        assert cli("config", uid, "devfid", "renamed", *QUICK)[1]["done"] == 1
        told = in_loop(gateway, anext(aiter(news))).data
        assert (told["uid"], told["key"]) == (uid, "devfid") and told["by"]
        client.post(f"/api/v1/devices/{uid}/commands", json={"command": "tally made"})
        assert client.get(f"/api/v1/devices/{uid}").json()["name"] == "renamed"
        assert cli("config", uid, "devfid", "real", *QUICK)[1]["done"] == 1
        client.post(f"/api/v1/devices/{uid}/commands", json={"command": "tally made"})
        assert client.get(f"/api/v1/devices/{uid}").json()["name"] == "real"


def test_a_module_with_a_fault_is_not_sent(cli, tmp_path):
    module = tmp_path / "LM_bad.py"
    module.write_text("import no_such_module\n\ndef go(:\n    pass\n")
    code, words = cli("drop", "all", str(module))
    assert code == 2 and "LM_bad.py:3" in words


def test_a_secret_is_not_told(cli, monkeypatch, gateway):
    monkeypatch.setattr("sys.stdin", io.StringIO("Geheim-99\n"))
    code, told = cli("config", "real", "appwd", "-", *QUICK, "--id", "secret")
    assert (code, told["what"]["value"]) == (0, "***") and "Geheim" not in json.dumps(told)
    with gateway.client("view") as client:
        assert "Geheim" not in client.get("/api/v1/jobs").text + client.get("/api/v1/jobs/secret/nodes").text
    ledger = gateway.app.state.fleet.crew.ledger
    eventually(lambda: in_loop(gateway, ledger.work("secret")).whole["value"], lambda value: value == "***", 20)
    monkeypatch.setattr("sys.stdin", io.StringIO("ADmin123\n"))
    assert cli("config", "real", "appwd", "-", *QUICK)[0] == 0


def test_failures_stop_the_job_and_are_named(cli):
    code, told = cli("run", "name=fake*", "fly", "--canary", "1", *QUICK)
    assert (code, told["status"], told["failed"], told["waiting"]) == (1, "stopped", 1, 5)
    ident = told["id"]
    assert cli("show", ident, "--no-wait")[1].splitlines()[-1].endswith("failed  SHELL: no such command")
    assert "paused" not in cli("abort", ident)[1]
    assert cli("resume", ident) == (2, "a job that is aborted cannot be told to resume")
    assert cli("forget", ident)[0] == 0
    assert cli("show", ident)[0] == 3


@pytest.mark.parametrize("words, code, text", [
    (("run", "all"), 2, "--fleet run SELECTION COMMAND"),
    (("run", "name=nobody", "version"), 2, "no node fits 'name=nobody'"),
    (("run", "all", "job", "1", "version"), 2, "the gateway gives each node its id"),
    (("run", "all", "conf"), 2, "conf is for a console"),
    (("run", "all", "version", "--phases", "many"), 2, "a phase is a number of nodes"),
    (("run", "all", "version", "--concurrency", "0"), 2, "greater than or equal to 1"),
    (("pause", "no-such-job"), 3, "there is no job 'no-such-job'"),
    (("update", "all", "more"), 2, "--fleet update SELECTION"),
    (("config", "all", "hwuid", "x"), 2, "hwuid is written by the node itself"),
    (("update", "all", "--all"), 2, "only what a node does not have, by SHA-256, is ever sent"),
    (("drop", "all", __file__, "--all"), 2, "a file that a node has, by SHA-256, is never sent again"),
], ids=lambda value: value[0] if isinstance(value, tuple) else None)
def test_what_cannot_be_is_told_in_one_line(cli, words, code, text):
    got, said = cli(*words)
    assert got == code and text in said and "\n" not in said


def test_roles(gateway):
    order = {"kind": "command", "selection": "fake0002", "command": "tally hit"}
    with gateway.client("view") as view, gateway.client("operate") as operate:
        assert view.post("/api/v1/jobs", json=order).status_code == 403
        assert view.get("/api/v1/jobs").status_code == 200
        for more in ({"command": "lmpacman download x"}, {"kind": "update"}, {"kind": "drop", "files": {"a.txt": ""}},
                     {"kind": "config", "key": "devfid", "value": "x"}):
            told = operate.post("/api/v1/jobs", json={**order, **more})
            assert told.status_code == 403 and "takes the role admin" in told.json()["detail"]
        assert operate.put("/api/v1/devices/fake0002/tags", json=["a b"]).status_code == 422


@pytest.mark.parametrize("engine, is_safe", [
    (None, True), ("off", True), ("nats://127.0.0.1:4222,nats://[::1]:4222", True), ("tls://a:4222,tls://b:4222", True),
    ("nats://localhost", True), ("nats://127.0.0.1,nats://10.0.0.7", False), ("nats://a,tls://b", False)])
def test_a_secret_goes_only_through_an_engine_that_nobody_listens_to(engine, is_safe):
    assert is_private(engine) == is_safe


def test_no_gateway_and_no_token_are_told(monkeypatch, capsys):
    monkeypatch.setattr("toolkit.commands.fleet.GONE_S", 0)
    monkeypatch.delenv("MICROS_GATEWAY_TOKEN", raising=False)
    assert commands.main(["--fleet", "list"]) == 2
    assert "MICROS_GATEWAY_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("MICROS_GATEWAY_TOKEN", "x")
    assert commands.main(["--fleet", "list", "--gateway-at", "http://127.0.0.1:9"]) == 4
    assert "no gateway answers at http://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize("engine, words", [
    ("off", "the engine is off: switched off: start the gateway without --engine off"),
    ("nats://127.0.0.1:9", "the engine is down: ")])
def test_without_the_engine_all_that_is_for_one_node_goes_on(fleet, real, tmp_path, monkeypatch, engine, words):
    monkeypatch.setattr("toolkit.gateway.engine.PATIENCE_S", 0.1)
    with ExitStack() as stack:
        running = stack.enter_context(running_gateway(tmp_path, parts=(*PARTS, "history"), engine=engine,
                                                      rows=[*fleet.devices[:3], real]))
        client = stack.enter_context(running.client())
        assert len(client.get("/api/v1/devices").json()) == 4
        assert "$ 2." in typed(running, "real", "version")
        sent = client.post("/api/v1/devices/real/files", files=[("files", ("note.txt", engine.encode()))])
        assert sent.json()["files"][0]["sent"]
        assert client.post("/api/v1/devices/fake0002/commands", json={"command": "version"}).json()["text"] == "2.1.0-0"
        assert [row["name"] for row in client.get("/api/v1/selection?expression=fake0002").json()] == ["fake0002"]
        assert client.get("/api/v1/engine").json()["state"] == engine.replace("nats://127.0.0.1:9", "down")
        order = {"kind": "command", "selection": "all", "command": "version"}
        for verb, path, body in (("GET", "/api/v1/jobs", None), ("GET", "/api/v1/history/devices/fake0002", None),
                                 ("POST", "/api/v1/jobs", order)):
            told = client.request(verb, path, json=body)
            assert told.status_code == 503 and told.json()["detail"].startswith(words)


def test_the_engine_dies_amid_an_upload_and_a_console_and_both_go_on(real, board, tmp_path):
    engine, servers = cluster(tmp_path, 1)
    data = os.urandom(400_000)
    with ExitStack() as stack:
        stack.enter_context(processes(*servers))
        running = stack.enter_context(running_gateway(tmp_path, parts=PARTS, engine=engine, rows=[real]))
        client, pool = stack.enter_context(running.client()), stack.enter_context(ThreadPoolExecutor())
        eventually(lambda: running.gateway.engine.state, lambda state: state == "up", 30)
        desk = stack.enter_context(console(running, "real"))
        with running.gateway.events.subscribe("drop.progress") as news:
            sending = pool.submit(client.post, "/api/v1/devices/real/files", files=[("files", ("large.bin", data))])
            in_loop(running, anext(aiter(news)))
        servers[0].kill()
        assert "$ 2." in said(desk, "version")
        assert sending.result(40).json()["files"][0]["sent"] and (board.dir / "large.bin").read_bytes() == data
        assert eventually(lambda: client.get("/api/v1/engine").json(), lambda told: told["state"] == "down", 20)["why"]


@pytest.mark.timeout(180)
def test_an_update_stops_at_a_canary_that_refuses_it_and_goes_on_when_that_is_mended(tmp_path):
    """The whole way: order, job, --OTA, the node's file service. up1 has a password that nobody here knows."""
    quiet, own = {"ntphost": "n/a", "socmax": 6}, {"up1": {"appwd": "changed-by-hand"}}
    with ExitStack() as stack:
        boards = {name: stack.enter_context(VirtualBoard(name=name, mpy=True, config={
            **quiet, "devfid": name, **own.get(name, {})})) for name in ("up1", "up2", "up3")}
        old = {name: board.dir / "modules" / "LM_rgb.mpy" for name, board in boards.items() if name != "up3"}
        for path in old.values():
            path.unlink()
        rows = [device_of(board, name) for name, board in boards.items()]
        running = stack.enter_context(running_gateway(tmp_path, parts=PARTS, engine=None, rows=rows))
        client = stack.enter_context(running.client())
        eventually(lambda: running.gateway.engine.state, lambda state: state == "up", 30)

        def rest() -> dict:
            return eventually(lambda: client.get("/api/v1/jobs/update").json(),
                              lambda told: told["status"] != "running" and not told["running"], 120)

        order = {"kind": "update", "selection": "all", "id": "update",
                 "rules": {"phases": ["1"], "tries": 1, "concurrency": 20}}
        assert client.post("/api/v1/jobs", json=order).status_code == 201
        stopped = rest()
        assert (stopped["status"], stopped["phase"], stopped["failed"], stopped["waiting"]) == ("stopped", 1, 1, 2)
        assert "password" in client.get("/api/v1/jobs/update/nodes?state=failed").json()[0]["text"]
        assert not any(path.exists() for path in old.values())
        assert boards["up1"].shell("conf", "appwd ADmin123", "noconf").strip() == "Saved"
        assert client.post("/api/v1/jobs/update/resume").status_code == 200
        ended = rest()
        assert (ended["status"], ended["done"], ended["current"]) == ("done", 2, 1), client.get(
            "/api/v1/jobs/update/nodes").text
        assert all(path.exists() for path in old.values())
