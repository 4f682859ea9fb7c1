"""A gateway in a thread of the test, on a free loopback port, that looks for no node but those it is told of."""
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from toolkit.gateway import app as assembly
from toolkit.gateway import server
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.settings import Settings
from toolkit.inventory import Inventory

PARTS = ("classic", "api", "metrics", "docs")


@dataclass
class Running:
    """url: http://127.0.0.1:<port>; admin: a token."""

    app: FastAPI
    url: str
    admin: str

    @property
    def gateway(self) -> Gateway:
        return self.app.state.gateway

    def client(self, role="admin", **options):
        """An httpx client that shows a token of a role; None for one without."""
        secret = self.admin if role == "admin" else role and self.gateway.access.make(role)
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False, **options)


@contextmanager
def running_gateway(folder, hosts=(), parts=PARTS, rows=(), **settings):
    """hosts: of nodes, address:port. rows: devices of the inventory. Gives a Running."""
    door = socket.create_server(("127.0.0.1", 0))
    inventory = Inventory(folder / "devices.json")
    inventory.keep(*rows)
    chosen = Settings(**{"port": door.getsockname()[1], "folder": folder / "gateway", "engine": "off",
                         "device_hosts": tuple(hosts), "discover": False, **settings})
    try:
        app = assembly.build(chosen, inventory, parts)
    except BaseException:
        door.close()
        raise
    running = server.server(app, chosen)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        url = f"http://127.0.0.1:{chosen.port}"
        admin = app.state.gateway.access.make("admin")
        httpx.get(url, timeout=20, trust_env=False)        # waits until it serves: the door has been open all along
        yield Running(app, url, admin)
    finally:
        running.should_exit = True
        thread.join(20)
        door.close()
