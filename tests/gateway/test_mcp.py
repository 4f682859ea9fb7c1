"""A stock MCP client at /mcp and over stdio: it sees the tools, and may do what its token may."""
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.device.wire import ROOT, eventually
from tests.gateway.fakes import FakeNode
from tests.gateway.fakes import running as running_fakes
from tests.gateway.fleet_fakes import FakeFleet
from tests.gateway.running import Running, running_gateway
from toolkit.inventory import Device

TOOLS = {"list_nodes", "node_help", "run_command", "node_status", "recent_events", "start_job", "job_report",
         "control_job"}


@pytest.fixture(scope="module")
def fleet() -> Iterator[FakeFleet]:
    with FakeFleet(3) as fakes:
        yield fakes


@pytest.fixture(scope="module")
def hall() -> Iterator[FakeNode]:
    """A node that knows more words than those of the fleet."""
    node = FakeNode("hall", "micrhallOS")
    node.answers["help lm"] = "   rgb\n      color\n      help\n   servo\n      sduty\n      help"
    with running_fakes(node):
        yield node


@pytest.fixture(scope="module")
def gateway(fleet: FakeFleet, hall: FakeNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    rows = [*fleet.devices, Device(hall.uid, hall.address, hall.port, hall.name)]
    with running_gateway(tmp_path_factory.mktemp("mcp"), parts=("api", "engine", "jobs", "history", "mcp_server"),
                         engine=None, rows=rows) as running:
        eventually(lambda: running.gateway.engine.state, lambda state: state == "up", 20)
        yield running


@pytest.fixture(scope="module")
def tokens(gateway: Running) -> dict[str, str]:
    return {role: gateway.gateway.access.make(role) for role in ("view", "operate")}


@pytest.fixture
def speak(gateway: Running, tokens: dict[str, str]) -> Callable[..., list]:
    """speak(role, (tool, arguments), ...) -> [(is it an error, text)], for "tools" their names."""
    def as_role(role: str, *calls: tuple[str, dict]) -> list:
        async def talk() -> list:
            async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {tokens[role]}"}) as http:
                async with Client(streamable_http_client(f"{gateway.url}/mcp", http_client=http)) as client:
                    return [await spoken(client, *call) for call in calls]

        return asyncio.run(talk())

    return as_role


async def spoken(client: Client, name: str, arguments: dict) -> object:
    if name == "tools":
        return {tool.name for tool in (await client.list_tools()).tools}
    answer = await client.call_tool(name, arguments)
    return bool(answer.is_error), answer.content[0].text


def test_a_stock_client_lists_the_tools(speak):
    assert speak("view", ("tools", {})) == [TOOLS]


def test_view_may_look_and_is_refused_to_operate(speak, fleet):
    nodes, version, hit = speak("view", ("list_nodes", {}),
                                  ("run_command", {"node": "fake0000", "command": "version"}),
                                  ("run_command", {"node": "fake0000", "command": "tally hit"}))
    assert [node["name"] for node in json.loads(nodes[1])] == ["fake0000", "fake0001", "fake0002", "hall"]
    assert json.loads(version[1])["text"] == "2.1.0-0"
    assert hit[0] and "takes the role operate, and the token shown has view" in hit[1]
    assert fleet.nodes[0].hits == 0


def test_operate_may_run_commands_and_jobs(speak, fleet):
    hit, job, refused = speak("operate", ("run_command", {"node": "fake0001", "command": "tally hit"}),
                                ("start_job", {"selection": "name=fake0002", "command": "tally hit"}),
                                ("start_job", {"selection": "name=", "command": "tally hit"}))
    assert not hit[0] and json.loads(hit[1])["text"] == "1" and fleet.nodes[1].hits == 1
    assert not job[0] and json.loads(job[1])["nodes"] == 1
    assert refused[0] and "no node fits" in refused[1]
    report = speak("view", ("job_report", {"job": json.loads(job[1])["id"]}))[0]
    assert not report[0] and json.loads(report[1])["kind"] == "command"


def test_view_learns_what_a_node_offers_and_how_it_is(speak, hall):
    everything, one, none, status, silent = speak(
        "view", ("node_help", {"node": "hall"}), ("node_help", {"node": "hall", "module": "servo"}),
        ("node_help", {"node": "hall", "module": "no/such"}), ("node_status", {"node": hall.uid}),
        ("node_status", {"node": "nobody"}))
    assert [row["name"] for row in json.loads(everything[1])] == ["rgb", "servo"]
    assert [each["name"] for each in json.loads(one[1])["functions"]] == ["sduty", "help"]
    assert "servo help" not in hall.heard                  # reading has loaded nothing
    assert none[0] and "no/such" not in json.dumps(hall.heard)
    assert json.loads(status[1])["cpu_temp_c"] == 41.5 and json.loads(status[1])["heap_used_pct"] == 36.1
    assert silent[0] and "no node goes by" in silent[1]


def test_operate_pauses_and_ends_a_job_view_does_not_and_the_events_tell_of_it(gateway, speak):
    slow = {"kind": "command", "selection": "name=fake*", "command": "tally hit", "id": "slow",
            "rules": {"per_minute": 1}}
    with gateway.client() as client:
        assert client.post("/api/v1/jobs", json=slow).status_code == 201
    refused, = speak("view", ("control_job", {"job": "slow", "word": "pause"}))
    assert refused[0] and "takes the role operate" in refused[1]
    words = ("slow", "pause"), ("slow", "abort"), ("slow", "resume"), ("slow", "../.."), ("no-such", "pause")
    paused, ended, late, nonsense, none = speak(
        "operate", *(("control_job", {"job": job, "word": word}) for job, word in words))
    assert [json.loads(each[1])["status"] for each in (paused, ended)] == ["paused", "aborted"]
    assert late[0] and nonsense[0] and none[0] and "no-such" in none[1]

    def topics() -> set[str]:
        (is_error, text), = speak("view", ("recent_events", {"topics": "job.*", "most": 100}))
        assert not is_error, text
        return {row["topic"] for row in json.loads(text) if row["data"].get("job") == "slow"}

    eventually(topics, lambda told: told >= {"job.paused", "job.aborted"}, 30)


def test_nobody_comes_in_without_a_token(gateway):
    assert httpx.post(f"{gateway.url}/mcp", json={}).status_code == 401
    assert httpx.post(f"{gateway.url}/mcp", json={}, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_stdio_has_the_role_of_its_token(gateway, tokens, tmp_path: Path):
    (tmp_path / "token").write_text(tokens["view"] + "\n")
    parameters = StdioServerParameters(
        command=sys.executable, args=[str(ROOT / "devToolKit.py"), "--mcp", "--gateway-at", gateway.url],
        env={**os.environ, "MICROS_GATEWAY_TOKEN_FILE": str(tmp_path / "token")})

    async def talk() -> list:
        async with Client(stdio_client(parameters)) as client:
            return [await spoken(client, *call) for call in (
                ("tools", {}), ("run_command", {"node": "fake0000", "command": "tally hit"}))]

    tools, hit = asyncio.run(talk())
    assert tools == TOOLS
    assert hit[0] and "takes the role operate" in hit[1]
