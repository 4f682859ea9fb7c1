"""--fleet and /api/v1/jobs, end to end: a gateway with its engine, fakes, nodes of 1.20 and a virtual board."""
import asyncio
import io
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.device.wire import eventually
from tests.gateway.fleet_fakes import FakeFleet
from tests.gateway.running import Running, running_gateway
from toolkit import commands
from toolkit.gateway.job_rules import Claim
from toolkit.gateway.job_work import Work
from toolkit.gateway.jobs import Spec, Target
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
QUICK = ("--tries", "2", "--backoff", "0", "--json")


@pytest.fixture(scope="module")
def fleet() -> Iterator[FakeFleet]:
    with FakeFleet(6, old=OLD) as fakes:
        yield fakes


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    with VirtualBoard(name="real", config={"ntphost": "n/a", "socmax": 6, "devfid": "real"}) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(fleet: FakeFleet, board: VirtualBoard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    uid = board.shell("hello").rpartition(":")[2]
    rows = [*fleet.devices, Device(uid, board.address, board.shell_port, "real")]
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
    code, told = cli("run", "name=fake*", "tally", "hit", *QUICK, "--id", "hits")       # as if the answer had been lost
    assert (code, told["done"]) == (0, 6) and [node.hits for node in fleet.nodes] == [1] * 6


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
    loop = gateway.app.state.fleet.crew._task.get_loop()
    for name, again, (result, words), hits in ONCE:
        node = next(each for each in fleet.nodes if each.name == name)
        node.hits = hits - (not again)
        target = Target(node.device.uid, name, "127.0.0.1", node.port)
        outcome = asyncio.run_coroutine_threadsafe(
            work.execute(target, Spec("once", "command", {"command": "tally hit"}, [target]), Claim(0, 1, 0, again)),
            loop).result(20)
        assert (outcome.result, node.hits) == (result, hits) and words in outcome.text


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
def test_without_the_engine_lists_and_commands_go_on(fleet, tmp_path, monkeypatch, engine, words):
    monkeypatch.setattr("toolkit.gateway.engine.PATIENCE_S", 0.1)
    with ExitStack() as stack:
        running = stack.enter_context(running_gateway(tmp_path, parts=(*PARTS, "history"), engine=engine,
                                                      rows=fleet.devices[:3]))
        client = stack.enter_context(running.client())
        assert len(client.get("/api/v1/devices").json()) == 3
        assert client.post("/api/v1/devices/fake0002/commands", json={"command": "version"}).json()["text"] == "2.1.0-0"
        assert [row["name"] for row in client.get("/api/v1/selection?expression=fake0002").json()] == ["fake0002"]
        assert client.get("/api/v1/engine").json()["state"] == engine.replace("nats://127.0.0.1:9", "down")
        order = {"kind": "command", "selection": "all", "command": "version"}
        for verb, path, body in (("GET", "/api/v1/jobs", None), ("GET", "/api/v1/history/devices/fake0002", None),
                                 ("POST", "/api/v1/jobs", order)):
            told = client.request(verb, path, json=body)
            assert told.status_code == 503 and told.json()["detail"].startswith(words)


@pytest.mark.skipif(not os.environ.get("FLEET_KILLS"), reason="long: FLEET_KILLS=20")
@pytest.mark.timeout(300)
def test_an_update_brings_what_differs_and_leaves_the_current_alone(tmp_path):
    with VirtualBoard(mpy=True, config={"ntphost": "n/a"}) as board:
        device = Device(board.shell("hello").rpartition(":")[2], board.address, board.shell_port, "node01")
        (board.dir / "modules" / "LM_rgb.mpy").unlink()
        with running_gateway(tmp_path, parts=PARTS, engine=None, rows=[device]) as running, running.client() as client:
            eventually(lambda: running.gateway.engine.state, lambda state: state == "up", 20)
            for number, word in enumerate(("done", "current")):
                client.post("/api/v1/jobs", json={"kind": "update", "selection": "all", "id": f"update-{number}"})
                report = eventually(lambda: client.get(f"/api/v1/jobs/update-{number}").json(),     # noqa: B023
                                    lambda told: told["status"] != "running", 120)
                assert report[word] == 1
        assert (board.dir / "modules" / "LM_rgb.mpy").exists()
