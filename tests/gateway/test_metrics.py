"""/metrics as Prometheus reads it: names, units, labels, and a real Prometheus that scrapes it."""
import json
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.gateway.fakes import FakeNode

EACH = ("micros_node_up", "micros_node_last_seen_timestamp_seconds", "micros_node_latency_seconds",
        "micros_node_heap_used_ratio", "micros_node_flash_used_ratio", "micros_node_uptime_seconds",
        "micros_node_cpu_temperature_celsius", "micros_node_alarms")


def page(client, is_whole, path="/metrics", limit_s=20.0):
    deadline = time.monotonic() + limit_s
    while True:
        text = client.get(path).text
        rows = {(sample.name, sample.labels.get("device")): sample.value
                for family in text_string_to_metric_families(text) for sample in family.samples}
        if is_whole(rows):
            return text, rows
        assert time.monotonic() < deadline, text


def test_every_node_has_its_figures_with_units(api):
    text, rows = page(api, lambda rows: all((name, lamp) in rows for name in EACH for lamp in ("lamp0", "lamp1")))
    assert rows["micros_node_up", "lamp0"] == 1
    assert 0 < rows["micros_node_heap_used_ratio", "lamp0"] < 1
    assert abs(rows["micros_node_last_seen_timestamp_seconds", "lamp0"] - time.time()) < 600
    assert rows["micros_node_commands_total", "lamp0"] >= 1
    assert 'micros_nodes{state="up"} 2.0' in text


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not on this machine (Debian: prometheus)")
def test_promtool_accepts_the_page(api):
    checked = subprocess.run(["promtool", "check", "metrics"], input=api.get("/metrics").content, capture_output=True,
                             timeout=30, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_a_value_of_a_module_becomes_a_metric_by_a_row_in_the_config(make_gateway, tmp_path):
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "samples.json").write_text(json.dumps([
        {"command": "dht22 measure", "metric": "air_temperature_celsius", "value": "temp", "help": "Air."}]))
    node = FakeNode('od"d', "micrX1OS")
    node.answers["dht22 measure >json"] = '{"temp": 21.5, "hum": 40}'
    _, client, _ = make_gateway(node, parts=("classic", "api", "metrics"))
    air = ("micros_air_temperature_celsius", 'od"d')
    text, rows = page(client, lambda rows: air in rows)
    assert rows[air] == 21.5 and "# HELP micros_air_temperature_celsius Air." in text


def test_samples_that_are_none_stop_the_start_with_a_line(make_gateway, tmp_path):
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "samples.json").write_text('[{"command": "a b", "metric": "No Name"}]')
    with pytest.raises(Exception, match="is not a list of samples"):
        make_gateway(parts=("api", "metrics"))


def test_any_command_gives_gauges_named_as_in_1_20(api):
    _, rows = page(api, bool, "/metrics/lamp0/rgb+color+10+20+30")
    assert rows["micrOS_lamp0__rgb_color_10_20_30_G", None] == 20
    assert api.get("/metrics/nobody/version").status_code == 404


@contextmanager
def prometheus(gateway, folder):
    (folder / "token").write_text(gateway.admin)
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: micros\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n"
        "  authorization: {credentials_file: token}\n"
        f"  static_configs: [{{targets: ['{gateway.url.removeprefix('http://')}']}}]\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not on this machine (Debian: prometheus)")
def test_a_prometheus_of_debian_scrapes_the_gateway(gateway, tmp_path):
    with prometheus(gateway, tmp_path) as url, httpx.Client(trust_env=False) as client:
        deadline = time.monotonic() + 40
        while True:
            try:
                told = client.get(f"{url}/api/v1/query", params={"query": "micros_node_up"}).json()["data"]["result"]
            except (httpx.TransportError, KeyError, ValueError):
                told = []
            if len(told) == 2:
                break
            assert time.monotonic() < deadline, "nothing was scraped"
            time.sleep(0.1)                        # of a program that has no other way to say that it is ready
        targets = client.get(f"{url}/api/v1/targets").json()["data"]["activeTargets"]
        assert [target["health"] for target in targets] == ["up"]
        assert {row["metric"]["device"] for row in told} == {"lamp0", "lamp1"}
