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
from tests.gateway.fleet_fakes import FakeFleet
from tests.gateway.running import Running, running_gateway

TOOLS = {"list_nodes", "node_help", "run_command", "node_status", "recent_events", "start_job", "job_report",
         "control_job"}


@pytest.fixture(scope="module")
def fleet() -> Iterator[FakeFleet]:
    with FakeFleet(3) as fakes:
        yield fakes


@pytest.fixture(scope="module")
def gateway(fleet: FakeFleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_gateway(tmp_path_factory.mktemp("mcp"), parts=("api", "engine", "jobs", "mcp_server"), engine=None,
                         rows=fleet.devices) as running:
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
    assert [node["name"] for node in json.loads(nodes[1])] == ["fake0000", "fake0001", "fake0002"]
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
