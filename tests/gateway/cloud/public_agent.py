"""The public agent, device-cloud 18.6.19, in a virtual environment of its own, driven line by line."""
import asyncio
import json
import os
import queue
import ssl
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


class CuttingProxy:
    """TLS on port 443 of ADDRESS, before the gateway's HTTPS. cut_at: bytes after which the next long answer ends.

    heads: the first line of each request. Raises OSError where 443 may not be had.
    """

    def __init__(self, port, certificate):
        self.cut_at = None
        self.heads = []
        self._port, self._certificate = port, certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)
        except BaseException:
            self._end()
            raise

    async def _begin(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._certificate)
        return await asyncio.start_server(self._come, ADDRESS, 443, ssl=context)

    def close(self):
        self._loop.call_soon_threadsafe(self._server.close)
        asyncio.run_coroutine_threadsafe(self._over(), self._loop).result(10)
        self._end()

    def _end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _over(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.02)

    async def _come(self, reader, writer):
        context = ssl.create_default_context(cafile=str(self._certificate[0]))
        far_reader, far = await asyncio.open_connection(ADDRESS, self._port, ssl=context, server_hostname=ADDRESS)
        ways = [asyncio.ensure_future(self._pump(reader, far, False)),
                asyncio.ensure_future(self._pump(far_reader, writer, True))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in (far, writer):
                each.close()

    async def _pump(self, reader, writer, is_answer):
        passed = 0
        while data := await reader.read(4096):
            if not is_answer and data[:4] in (b"GET ", b"POST"):
                self.heads.append(data.decode("latin-1"))
            passed += len(data)
            if is_answer and self.cut_at is not None and passed > self.cut_at:
                self.cut_at = None
                return
            writer.write(data)
            await writer.drain()
