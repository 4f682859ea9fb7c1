"""The device manager: a host as a thing of the Device Cloud, with the actions that look after it.

    python -m device_cloud.manager --dir /etc/micros-cloud

The folder has device_manager-connect.cfg and device_id (`devToolKit.py --cloud config --app device_manager` writes
them) and may have iot.cfg, JSON with any of DEFAULTS.
"""
from __future__ import annotations

import argparse
import json
import logging
import platform
import shutil
import signal
import socket
import sys
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device_cloud import osal, ota_handler, relay
from device_cloud.client import Client
from device_cloud.constants import (
    STATUS_BAD_PARAMETER,
    STATUS_INVOKED,
    STATUS_NO_PERMISSION,
    STATUS_NOT_FOUND,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    STATUS_TIMED_OUT,
    status_string,
)

APP = "device_manager"
SETTINGS = "iot.cfg"
DEFAULTS: dict[str, Any] = {
    "runtime_dir": "runtime",
    "log_level": "INFO",
    # what stops the host is to be switched on by its owner
    "actions_enabled": {"shutdown_device": False, "reboot_device": False, "reset_agent": True, "file_transfers": True,
                        "software_update": True, "decommission_device": True, "remote_login": True},
    "wait_for_file_transfer": True,
    "download_timeout": 60,
    "upload_remove_on_success": False,
    "upload_tar_file": True,
    "thing_friendly_name": None,
    "discover_services_on_init": False,
    "remote_access_support": [{"name": "SSH", "port": 22, "session_timeout": 3600}],
}
SERVICES = (("SSH", 22), ("Telnet", 23), ("HTTP", 80), ("HTTPS", 443), ("RDP", 3389), ("VNC", 5900))
DISABLED = "This method is disabled by its iot.cfg setting"
VERSION = "2"
LEAVE_S = 10.0                 # for the last words to arrive
LOOK_S = 1.0                   # at whether it is over
PROBE_S = 0.2
_OWN_NAMES = ("", "localhost", "127.0.0.1", "::1")

Outcome = tuple[int, str] | tuple[int, str, dict[str, Any]]


class ManagerError(Exception):
    """Raised when the manager cannot begin: its text says what to do."""


@dataclass(frozen=True)
class Effects:
    """What the manager may do to its host, and to itself."""

    shutdown: Callable[[], Any] = osal.system_shutdown
    reboot: Callable[[], Any] = osal.system_reboot
    restart: Callable[[], Any] = field(default=lambda: osal.execl(sys.executable, "-m", "device_cloud.manager",
                                                                  *sys.argv[1:]))
    decommission: Callable[[Path], Any] = field(default=lambda folder: forget(folder))


class Manager:
    """folder: of the configuration; client: tests hand in one with other settings"""

    def __init__(self, folder: Path, effects: Effects | None = None, client: Client | None = None) -> None:
        self._folder, self._effects = folder, effects or Effects()
        self.settings = settings(folder)
        self.runtime: Path = (folder / self.settings["runtime_dir"]).absolute()
        self.client = client or Client(APP, {"config_dir": str(folder)})
        self.services: list[dict[str, Any]] = [dict(row) for row in self.settings["remote_access_support"]]
        self.ota = ota_handler.OTAHandler(reboot=lambda client: self.leave(self._effects.reboot))
        self._over = threading.Event()
        self._last: Callable[[], Any] = lambda: None
        self._last_request = ""

    def run(self) -> int:
        """Exit code, when it is over: 0; 1 the cloud refuses, or was away for keep_alive seconds."""
        self.begin()
        try:
            status = STATUS_TIMED_OUT
            while status == STATUS_TIMED_OUT and not self._over.is_set():
                status = self.client.connect(LOOK_S)
            if status == STATUS_SUCCESS:
                self.introduce()
            while self.client.is_alive() and not self._over.wait(LOOK_S):
                pass
        finally:
            self.end()
        if not self._over.is_set():
            self.client.error("the connection is given up")
            return 1
        self._last()
        return 0

    def begin(self) -> None:
        """Raises ManagerError."""
        try:
            self.client.initialize()
            self.client.log_level(self.settings["log_level"])
            for name in ("download", "upload"):
                (self.runtime / name).mkdir(parents=True, exist_ok=True)
        except (OSError, KeyError, ValueError, ImportError) as error:
            raise ManagerError(f"{error.args[0] if isinstance(error, KeyError) else error}; "
                               "devToolKit.py --cloud config writes a configuration") from None
        ota_handler.recover(self.client, self.runtime)
        for name, key, function in _ACTIONS:
            is_on = key is None or self.settings["actions_enabled"].get(key) is True
            self.client.action_register_callback(name, function if is_on else _disabled, self)
        ota = self.ota.update_callback if self.settings["actions_enabled"].get("software_update") is True else _disabled
        self.client.action_register_callback("software_update", ota, [str(self.runtime)])
        if self.settings["discover_services_on_init"] is True:
            known = {int(row["port"]) for row in self.services}
            self.services += [{"name": name, "port": port} for name, port in SERVICES
                              if port not in known and _listens(port)]

    def introduce(self) -> None:
        """Tell who we are."""
        for name, value in facts(self.services):
            self.client.attribute_publish(name, value)
        name = self.settings["thing_friendly_name"]
        if name and name != "None":
            self.client.update_thing_details(name=name)

    def leave(self, then: Callable[[], Any] = lambda: None, request_id: str = "") -> None:
        """End run(); then, when the cloud has heard our last words, do that."""
        if self._over.is_set():
            return
        self._last, self._last_request = then, request_id
        self._over.set()

    def end(self) -> None:
        if self._last_request:
            self.client.wait_acted(self._last_request)
        self.client.disconnect(True, LEAVE_S)
        relay.stop_relays()

    def leave_with(self, request: Any, effect: Callable[[], Any]) -> Outcome:
        """An action that ends us: its outcome is told first, and again after the restart, so that it runs once."""
        ota_handler.note(self.runtime, request.request_id, STATUS_SUCCESS)
        self.leave(effect, request.request_id)
        return STATUS_SUCCESS, ""

    # -- actions

    def shutdown(self, request: Any) -> Outcome:
        return self.leave_with(request, self._effects.shutdown)

    def reboot(self, request: Any) -> Outcome:
        return self.leave_with(request, self._effects.reboot)

    def restart(self, request: Any) -> Outcome:
        return self.leave_with(request, self._effects.restart)

    def quit(self, request: Any) -> Outcome:
        return self.leave_with(request, lambda: None)

    def decommission(self, request: Any) -> Outcome:
        return self.leave_with(request, lambda: self._effects.decommission(self._folder))

    def download(self, params: dict[str, Any], request: Any) -> Outcome:
        """file_name, of the cloud; file_path, default <runtime>/download; use_global_store"""
        name = params.get("file_name")
        if not name:
            return STATUS_BAD_PARAMETER, "file_name is missing"
        path = self._place("download", params.get("file_path") or Path(name).name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return self._moved(request, self.client.file_download, (name, str(path)), params)

    def upload(self, params: dict[str, Any], request: Any) -> Outcome:
        """file_path, default all of <runtime>/upload; file_name, in the cloud; use_global_store"""
        path = self._place("upload", params.get("file_path") or "")
        if not path.exists():
            return STATUS_NOT_FOUND, f"no {path}"
        name, sent = params.get("file_name"), path
        if path.is_dir() and self.settings["upload_tar_file"] is True:
            name = name or f"{socket.gethostname()}-{datetime.now(UTC):%Y%m%d%H%M%S}.tar.gz"
            sent = _packed(path, self.runtime / f"{request.request_id}.tar.gz")

        def sent_it(status: int) -> None:
            if sent != path:
                sent.unlink(missing_ok=True)
            if status == STATUS_SUCCESS and self.settings["upload_remove_on_success"] is True:
                self._emptied(path)
        return self._moved(request, self.client.file_upload, (str(sent), name), params, sent_it)

    def _moved(self, request: Any, move: Callable[..., int], words: tuple[Any, ...], params: dict[str, Any],
               done: Callable[[int], None] = lambda status: None) -> Outcome:
        is_global = params.get("use_global_store") is True
        if self.settings["wait_for_file_transfer"] is True:
            status = move(*words, blocking=True, timeout=self.settings["download_timeout"], file_global=is_global)
            done(status)
            return status, "" if status == STATUS_SUCCESS else status_string(status)

        def told(client: Client, name: str, status: int) -> None:
            done(status)
            client.wait_acted(request.request_id)
            client.action_acknowledge(request.request_id, status, "" if not status else status_string(status))
        move(*words, callback=told, file_global=is_global)
        return STATUS_INVOKED, ""

    def _place(self, folder: str, path: str) -> Path:
        """Below our folder, unless it is absolute; what more is forbidden is up to the rights of our user."""
        place: Path = self.runtime / folder / Path(path).expanduser()
        return place.resolve()

    def _emptied(self, path: Path) -> None:
        """Remove what was sent, of our own folder only."""
        own = self.runtime / "upload"
        if not path.is_relative_to(own):
            return
        for file in list(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                file.unlink()

    def remote_access(self, params: dict[str, Any], request: Any) -> Outcome:
        """url; host and protocol (the port) of a service in remote_access_support; reconnect"""
        try:
            port = int(params.get("protocol", ""))
        except ValueError:
            return STATUS_BAD_PARAMETER, f"protocol is a port, got {params.get('protocol')}"
        host = str(params.get("host") or "localhost")
        service = next((row for row in self.services if int(row["port"]) == port and _is_of(row, host)), None)
        if service is None:
            return STATUS_NO_PERMISSION, f"{host}:{port} is not in remote_access_support"
        url = str(params.get("url", ""))
        if not url.startswith(("wss://", "ws://")):
            return STATUS_BAD_PARAMETER, f"url is wss://..., got {url[:80]}"
        seconds = float(service.get("session_timeout") or 0) or None
        relay.create_relay(url, service.get("host", "127.0.0.1"), port, reconnect=params.get("reconnect") is True,
                           trust=self.client.trust(), seconds=seconds, log_func=self.client.log)
        return STATUS_SUCCESS, ""

    def access_info(self, request: Any) -> Outcome:
        return STATUS_SUCCESS, "", {"remote_access_support": json.dumps(self.services)}


def settings(folder: Path) -> dict[str, Any]:
    """DEFAULTS, with those of iot.cfg over them. Raises ManagerError."""
    path = folder / SETTINGS
    try:
        told: Any = json.loads(path.read_text()) if path.exists() else {}
    except (ValueError, OSError) as error:
        raise ManagerError(f"{path} is to be JSON: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("actions_enabled", {}), dict):
        raise ManagerError(f"{path} is to be an object, and its actions_enabled another")
    unknown = sorted([*told.keys() - DEFAULTS.keys(),
                      *told.get("actions_enabled", {}).keys() - DEFAULTS["actions_enabled"].keys()])
    if unknown:
        raise ManagerError(f"{path}: unknown: {', '.join(unknown)}; there are {', '.join(DEFAULTS)} and in "
                           f"actions_enabled {', '.join(DEFAULTS['actions_enabled'])}")
    enabled = {**DEFAULTS["actions_enabled"], **told.get("actions_enabled", {})}
    found = {**DEFAULTS, **told, "actions_enabled": enabled}
    if not all(str(row.get("port", "")).isdigit() for row in found["remote_access_support"]):
        raise ManagerError(f"{path}: each row of remote_access_support has a name and a port")
    return found


def facts(services: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(attribute, value)"""
    number = uuid.getnode()
    yield "os_name", osal.os_name()
    yield "os_version", osal.os_version()
    yield "architecture", platform.machine()
    yield "hostname", socket.gethostname()
    yield "kernel", osal.os_kernel()
    yield "hdc_version", VERSION
    yield "mac_address", ":".join(f"{number >> shift & 255:02x}" for shift in range(40, -1, -8))
    yield "relay_version", relay.relay_version()
    yield "remote_access_support", json.dumps(services)


def forget(folder: Path) -> None:
    """Be no thing any more: the key, the token, what waits and what was done are removed."""
    shutil.rmtree(folder / settings(folder)["runtime_dir"], ignore_errors=True)
    for name in (f"{APP}-connect.cfg", "device_id"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / f".{APP}-queue", ignore_errors=True)


def _disabled() -> Outcome:
    return STATUS_NOT_SUPPORTED, DISABLED


def _ping() -> Outcome:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return STATUS_SUCCESS, "", {"response": "acknowledged", "time_stamp": now}


def _with_params(name: str) -> Callable[..., Outcome]:
    def call(client: Client, params: dict[str, Any] | None, manager: Manager, request: Any) -> Outcome:
        outcome: Outcome = getattr(manager, name)(params or {}, request)
        return outcome
    return call


def _plain(name: str) -> Callable[..., Outcome]:
    def call(client: Client, params: dict[str, Any] | None, manager: Manager, request: Any) -> Outcome:
        outcome: Outcome = getattr(manager, name)(request)
        return outcome
    return call


_ACTIONS: tuple[tuple[str, str | None, Callable[..., Outcome]], ...] = (     # name, what switches it off, function
    ("file_download", "file_transfers", _with_params("download")),
    ("file_upload", "file_transfers", _with_params("upload")),
    ("shutdown_device", "shutdown_device", _plain("shutdown")),
    ("reboot_device", "reboot_device", _plain("reboot")),
    ("remote-access", "remote_login", _with_params("remote_access")),
    ("decommission_device", "decommission_device", _plain("decommission")),
    ("reset_agent", "reset_agent", _plain("restart")),
    ("quit", "reset_agent", _plain("quit")),
    ("ping", None, _ping),
    ("get_remote_access_info", "remote_login", _plain("access_info")),
)


def _packed(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, ".")
    return path


def _listens(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(PROBE_S)
        return door.connect_ex(("127.0.0.1", port)) == 0


def _is_of(service: dict[str, Any], host: str) -> bool:
    own = service.get("host")
    return host == own if own else host in _OWN_NAMES or host == socket.gethostname()


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m device_cloud.manager", description="the device manager",
                                     allow_abbrev=False)
    parser.add_argument("--dir", type=Path, default=Path(), help="folder of the configuration, default the current one")
    args = parser.parse_args(words)
    try:
        manager = Manager(args.dir)
        for number in (signal.SIGTERM, signal.SIGINT):
            # in a thread: the handler may have interrupted us with the lock of the event in hand
            signal.signal(number, lambda *_: threading.Thread(target=manager.leave).start())
        return manager.run()
    except ManagerError as error:
        logging.getLogger("device_cloud").critical("%s", error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
