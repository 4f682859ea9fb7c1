"""A gateway with all its parts in a process of its own, as a person starts it, and a browser that has entered it."""
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from toolkit.gateway.access import Access

ROOT = Path(__file__).parents[2]
START_S = 90.0


class OwnGateway:
    """url, api (httpx client, admin), token. stop() and start() at the same port: a gateway that is started again.

    more: further words of the command line; engine: "off", or None for the embedded one
    """

    def __init__(self, folder, *more, engine="off"):
        self.folder = folder
        self._more = (*(("--engine", engine) if engine else ()), *more)
        self.data = folder / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = Access(self.data / "gateway").make("admin", "tests")
        self.api = httpx.Client(base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {self.token}"},
                                timeout=60, trust_env=False)
        self._process = None

    def words(self, *more):
        return [sys.executable, str(ROOT / "devToolKit.py"), *more]

    def environment(self):
        return {**os.environ, "MICROS_DATA": str(self.data), "MICROS_CACHE": str(self.folder / "cache"),
                "BROWSER": "true"}

    def start(self, *more):
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.words("--gateway", "--no-search", "--port", str(self.port), *self._more, *more),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment())
        until = time.monotonic() + START_S
        while True:
            try:
                return self.api.get("/gateway").raise_for_status()
            except httpx.TransportError:
                assert self._process.poll() is None and time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(20)

    def board(self, name, **wanted):
        """A virtual board, started through the API; its row."""
        answer = self.api.post("/virtual", json={"name": name, **wanted})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def uid(self, name):
        return next(row["uid"] for row in self.api.get("/devices").json() if row["name"] == name)

    def ask(self, device, command):
        return self.api.post(f"/devices/{device}/commands", json={"command": command}).json().get("text", "")


@contextmanager
def own_gateway(folder, *more, engine="off"):
    gateway = OwnGateway(folder, *more, engine=engine)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
        gateway.api.close()


def launched(playwright):
    """Debian's Chromium, without the GPU in software, which costs more than the pages do."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"),
                                      args=["--disable-gpu", "--disable-software-rasterizer"])


def entered(chromium, gateway, token="", **options):
    """A page that has entered, and the addresses it asked outside of the gateway, and its errors."""
    context = chromium.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(40_000)
    page.strangers, page.errors = [], []
    page.on("request", lambda request: request.url.startswith((gateway.url, "data:", "blob:"))
            or page.strangers.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(f"{gateway.url}/enter")
    page.fill("#token", token or gateway.token)
    page.click("button")
    page.wait_for_url("**/gui/")
    return page
