"""The example programs, run as a reader would run them."""
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cloud.conftest import settings
from tests.cloud.responder import Responder, eventually
from toolkit.simulator import VirtualBoard

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@contextmanager
def running(name, folder, cloud, *words):
    """Thing key of an example that runs; it ends by Ctrl-C."""
    (folder / f"{name}-connect.cfg").write_text(json.dumps(settings(cloud, loop_time=0.2)))
    (folder / "device_id").write_text("example")
    program = [sys.executable, str(ROOT / "examples" / f"cloud_{words[0]}.py"), *words[1:]]
    process = subprocess.Popen(program, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
                               stderr=subprocess.PIPE, text=True)
    try:
        cloud.wait_connected()
        yield f"example-{name}"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_telemetry_tells_the_load_and_takes_an_interval(tmp_path):
    with Responder() as cloud, running("telemetry", tmp_path, cloud, "telemetry") as thing:
        assert eventually(cloud.samples)[0]["key"] == "load"
        assert cloud.do(thing, "interval", {"seconds": 2}) == {"errorCode": 0, "errorMessage": "every 2 s"}
        assert cloud.do(thing, "interval", {"seconds": 0})["errorCode"] == 2


def test_files_keeps_a_folder(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    with Responder() as cloud, running("files", tmp_path, cloud, "files", str(folder)) as thing:
        eventually(lambda: cloud.files.get("a") == b"1")
        cloud.files["b"] = b"2"
        assert cloud.do(thing, "fetch", {"name": "b"})["errorCode"] == 0 and (folder / "b").read_bytes() == b"2"
        assert cloud.do(thing, "fetch", {"name": "../b"})["errorCode"] == 2


def test_gateway_makes_a_node_a_thing(tmp_path):
    with Responder() as cloud, VirtualBoard() as board, \
            running("node", tmp_path, cloud, "gateway", f"{board.address}:{board.shell_port}", "version") as thing:
        version = eventually(cloud.samples)[0]
        assert version["key"] == "version" and version["value"]
        assert cloud.do(thing, "call", {"line": "version"})["params"] == {"result": version["value"]}
        assert cloud.do(thing, "call")["errorCode"] == 19
