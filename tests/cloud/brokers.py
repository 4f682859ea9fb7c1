"""Brokers that nobody here wrote, on loopback ports of their own, and what hears and speaks at them."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
import pytest

from tests.cloud.responder import eventually
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.nats_server import EmbeddedServer

PATHS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin:/opt/homebrew/bin"


def program(name: str) -> str:
    found = shutil.which(name, path=PATHS)
    if found is None:
        pytest.skip(f"no {name}")
    return found


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


class Mosquitto:
    """lines: of the configuration, beside the first port that anybody may use; users: {name: password}

    Retained messages and sessions outlive stop(), not kill().
    """

    keeps_order = True

    def __init__(self, folder: Path, lines: tuple[str, ...] = (), users: dict[str, str] | None = None) -> None:
        self.port, self._folder = free_port(), folder
        self._program = program("mosquitto")
        self._process: subprocess.Popen[bytes] | None = None
        if users is not None:
            (folder / "users").write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
            subprocess.run([program("mosquitto_passwd"), "-U", str(folder / "users")], check=True, capture_output=True)
        who = ["allow_anonymous true"] if users is None else [f"password_file {folder}/users"]
        (folder / "conf").write_text("\n".join([
            # else, run by root, it becomes a user who may not enter a temporary folder
            *(["user root"] if os.geteuid() == 0 else []),
            "per_listener_settings true", "persistence true", f"persistence_location {folder}/",
            f"listener {self.port} 127.0.0.1", *who, *lines, ""]))

    def start(self) -> Self:
        self._process = subprocess.Popen([self._program, "-c", str(self._folder / "conf")], stdout=subprocess.DEVNULL,
                                         stderr=(self._folder / "log").open("ab"))
        eventually(lambda: _is_open(self.port))
        return self

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.stop()


class Engine:
    """The gateway's own engine by its MQTT listener. users: {name: password}

    What it keeps outlives stop(), in the same folder and behind the same port.
    """

    keeps_order = False        # what was under way when a link broke it says again after its ack_wait, 30 s

    def __init__(self, folder: Path, users: dict[str, str]) -> None:
        self.port = free_port()
        self._server = EmbeddedServer(folder / "engine", f"127.0.0.1:{self.port}", users)

    def start(self) -> Self:
        try:
            self._server.ensure()
        except UnavailableError as error:
            pytest.skip(str(error))
        eventually(lambda: _is_open(self.port))
        return self

    def stop(self) -> None:
        self._server.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.stop()


class Way:
    """A way to a port of this machine: it can be cut, which both ends see at once, or held, which nobody is told."""

    def __init__(self, port: int) -> None:
        self._to, self._is_over = port, False
        self._links: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._is_over:
            try:
                here = self._door.accept()[0]
                there = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                continue
            self._links += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                self._flows.wait()
                sink.sendall(data)
        for link in (source, sink):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)      # close() alone waits for whoever reads from it
            link.close()

    def cut(self) -> None:
        """All connections break; new ones come through."""
        links, self._links = self._links, []
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._flows.set()

    def hold(self) -> None:
        """Not a byte from now on, until cut()."""
        self._flows.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)      # who waits for a newcomer wakes
        self._door.close()
        self.cut()


def _is_open(port: int) -> bool:
    with socket.socket() as link:
        link.settimeout(1)
        return not link.connect_ex(("127.0.0.1", port))


class Ear:
    """A client that has heard everything under its filters: heard is [(topic, payload as text, is retained)]."""

    def __init__(self, port: int, *filters: str, user: str | None = None, password: str | None = None,
                 name: str = "", is_clean: bool = True) -> None:
        self.heard: list[tuple[str, str, bool]] = []
        self._ready, self._filters = threading.Event(), filters or ("#",)
        self._taken: set[int] = set()        # numbers of publications that the broker has
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, name, clean_session=is_clean)
        if user is not None:
            self.client.username_pw_set(user, password)
        self.client.on_message = self._keep
        self.client.on_connect = lambda *_: self.client.subscribe([(name, 1) for name in self._filters])
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_publish = lambda _, __, ident, *___: self._taken.add(ident)
        self.client.reconnect_delay_set(0.2, 1)      # type: ignore[arg-type]
        self.client.connect("127.0.0.1", port, 30)
        self.client.loop_start()
        assert self._ready.wait(10)

    def _keep(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        self.heard.append((message.topic, message.payload.decode(), bool(message.retain)))

    def say(self, topic: str, payload: Any = "", retain: bool = False, patience_s: float = 30) -> None:
        """Returns when the broker has it."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        ident = self.client.publish(topic, text, 1, retain).mid      # without a link it goes out with the next
        eventually(lambda: ident in self._taken, patience_s)
        self._taken.discard(ident)

    def all(self, topic: str, since: int = 0) -> list[str]:
        return [payload for heard, payload, _ in self.heard[since:] if heard == topic]

    def next(self, topic: str, since: int = 0) -> str:
        """The first payload on a topic from then on."""
        return str(eventually(lambda: [(payload,) for payload in self.all(topic, since)])[0][0])

    def value(self, topic: str, fact: Any, since: int = 0) -> Any:
        """The first JSON value on a topic of which fact() holds."""
        return eventually(lambda: [(value,) for value in self.values(topic, since) if fact(value)])[0][0]

    def values(self, topic: str, since: int = 0) -> list[Any]:
        return [json.loads(payload) for payload in self.all(topic, since) if payload]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextlib.contextmanager
def ear(port: int, *filters: str, **how: Any) -> Iterator[Ear]:
    made = Ear(port, *filters, **how)
    try:
        yield made
    finally:
        made.close()


def retained(port: int, **who: str) -> dict[str, str]:
    """What the broker keeps: a newcomer is told it at once, before anything else. who: user, password"""
    with ear(port, **who) as newcomer:
        newcomer.say("end-of-retained")
        newcomer.next("end-of-retained")
        return {topic: payload for topic, payload, is_retained in newcomer.heard if is_retained}
