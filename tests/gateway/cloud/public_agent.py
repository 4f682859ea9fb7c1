"""The public agent, device-cloud 18.6.19, in a virtual environment of its own, driven line by line."""
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PARTS = ("paho-mqtt==1.6.1", "requests", "websocket-client", "PySocks", "certifi")
PUBLIC = "device-cloud==18.6.19"
SHIM = "import inspect\ninspect.getargspec = inspect.getfullargspec\n"
INSTALL_S, ANSWER_S = 240, 60
ADDRESS = "127.0.98.1"                     # on whose port 443 its uploads go


def interpreter(folder):
    """Path of its python, made where it is not there. Skips with a word when it cannot be."""
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=INSTALL_S, capture_output=True)
        for words in (PARTS, ("--no-deps", PUBLIC)):
            subprocess.run([str(python), "-m", "pip", "-q", "install", *words], check=True, timeout=INSTALL_S,
                           capture_output=True)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"{PUBLIC} cannot be installed here: {error}")
    site = subprocess.run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True,
                          capture_output=True, text=True).stdout.strip()
    (Path(site) / "sitecustomize.py").write_text(SHIM)
    (folder / "ready").write_text("")
    return python


class PublicAgent:
    """One process with one Client. call("telemetry_publish", "t", 1) -> status"""

    def __init__(self, python, folder, app, cloud, certificate, more=None):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        config = {"cloud": cloud, "ca_bundle_file": str(certificate), **(more or {})}
        (folder / f"{app}-connect.cfg").write_text(json.dumps(config))
        (folder / "device_id").write_text("public")
        (folder / "command.sh").write_text("#!/bin/sh\necho args: $*\nexit 0\n")
        (folder / "command.sh").chmod(0o755)
        trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE", "SSL_CERT_FILE"), str(certificate))
        environment = {name: value for name, value in os.environ.items()
                       if "proxy" not in name.lower() and name != "PYTHONPATH"}           # or it finds our device_cloud
        self._log = (folder / "log").open("w")
        words = [str(python), str(HERE / "agent_program.py")]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
                                         text=True, env={**environment, **trust}, cwd=folder)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def do(self, name, *words):
        self._process.stdin.write(json.dumps([name, *words]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._lines.get(timeout=ANSWER_S))

    def call(self, name, *words):
        return self.do("call", name, *words)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)
