"""`devToolKit.py --gateway`: its first start, its tokens, what it needs, and the files that run it as a service."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.toolkit.foreign import free_port
from toolkit import commands
from toolkit.commands import gateway as command
from toolkit.errors import UsageError
from toolkit.gateway import extra

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROS_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_it_serves_until_it_is_told_to_end_and_no_secret_goes_into_a_pipe(own, capsys):
    assert commands.main(["--gateway", "--token", "admin"]) == 0
    token, port = capsys.readouterr().out.strip(), free_port()
    process = subprocess.Popen([sys.executable, ROOT / "devToolKit.py", "-gw", "--port", str(port), "--engine", "off",
                                "--no-search"],
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    try:
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            assert client.get("/list/").status_code == 401
            told = client.get("/api/v1/gateway", headers={"Authorization": f"Bearer {token}"}).json()
    finally:
        process.send_signal(signal.SIGINT)
        said, trouble = process.communicate(timeout=30)
    assert {"classic", "api", "metrics", "docs"} <= set(told["parts"]) and told["role"] == "admin"
    assert process.returncode == 130 and "Traceback" not in trouble and token not in said + trouble


def test_without_a_terminal_the_first_start_says_how_to_get_in(own, capsys):
    from toolkit.gateway.access import Access

    command._welcome(Access(own / "gateway"), print)
    assert capsys.readouterr().out == "nobody can enter yet: make a token with devToolKit.py --gateway --token admin\n"


def test_tokens_are_made_listed_and_revoked(own, capsys):
    assert commands.main(["-gw", "--token", "view", "--label", "prometheus", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["role"] == "view" and made["token"].startswith("micros_")
    commands.main(["-gw", "--tokens", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert [(row["role"], row["label"]) for row in rows] == [("view", "prometheus")]
    assert commands.main(["-gw", "--revoke", rows[0]["ident"]]) == 0
    commands.main(["-gw", "--tokens"])
    assert capsys.readouterr().out == "no token yet\n"
    assert commands.main(["-gw", "--revoke", "00000000"]) == 2


def test_a_taken_port_is_named(own, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert commands.main(["-gw", "--port", str(port), "--engine", "off"]) == 2
    assert re.search(rf"cannot listen at 127.0.0.1:{port}: .*choose another with --port", capsys.readouterr().err)
    assert commands.main(["-gw", "--port", "70000"]) == 2


def test_the_extra_is_what_pyproject_says_and_is_here():
    assert any(row.startswith("fastapi") for row in extra.requirements())
    assert extra.missing() == []


def test_outside_an_environment_nothing_is_installed_and_a_line_says_what_to_type(monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    with pytest.raises(UsageError, match=r"pip install 'micrOSDevToolKit\[gateway\]'"):
        extra.install()


def test_the_service_and_the_compose_file_call_the_command():
    assert re.search(r"^ExecStart=.*/devToolKit.py --gateway", (ROOT / "env/micros-gateway.service").read_text(), re.M)
    assert '["--gateway", ' in (ROOT / "env/compose.yml").read_text()


def test_every_metric_of_the_dashboard_is_one_of_the_gateway(api):
    dashboard = json.loads((ROOT / "env/grafana/dashboards/micros.json").read_text())
    asked = {name for panel in dashboard["panels"] for target in panel["targets"]
             for name in re.findall(r"\b(?:micros|process)_\w+", target["expr"])}
    asked |= set(re.findall(r"\bmicros_\w+", (ROOT / "env/prometheus/rules.yml").read_text()))
    page = api.get("/metrics").text
    assert asked and not [name for name in asked if f"# TYPE {name} " not in page]
