"""Updates of a host's software: a package from the cloud, and the commands in it, one at a time.

What was told of one outlives a restart: `message_ids` has `id,status` of those that are over, `.otalock` who runs.
"""
from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device_cloud import osal
from device_cloud.constants import (
    STATUS_BAD_PARAMETER,
    STATUS_EXECUTION_ERROR,
    STATUS_FAILURE,
    STATUS_INVOKED,
    STATUS_IO_ERROR,
    STATUS_NOT_FOUND,
    STATUS_SUCCESS,
    STATUS_TIMED_OUT,
    status_string,
)
from device_cloud.package import PackageError, orders, unpack

ALARM_NAME = "software_update"
ALARM_STARTED, ALARM_PRE_INSTALL, ALARM_INSTALL, ALARM_POST_INSTALL = 0, 1, 2, 3
ALARM_INSTALL_ERROR, ALARM_COMPLETE, ALARM_FAILED = 4, 5, 6
OTA_LOCKFILE, OTA_PACKAGEDIR, OTA_STDOUT_LOG = ".otalock", "otapackage", "ota_install.log"
MESSAGE_IDS = "message_ids"
TRIES = 20                     # of a download, while the cloud does not answer
DEFAULT_TIMEOUT_S = 600.0      # for the download, and for each command
LEAVE_S = 10.0
CUT_OFF = "the update was cut off"
_STEPS = (("pre_install", "Pre-Install", ALARM_PRE_INSTALL), ("install", "Install", ALARM_INSTALL),
          ("post_install", "Post-Install", ALARM_POST_INSTALL))


def restart(client: Any) -> None:
    """Say the last words, and restart the host."""
    client.disconnect(True, LEAVE_S)
    osal.system_reboot()


class OTAHandler:
    """offline: packages lie in <runtime>/download already; reboot(client): when a package wants it"""

    def __init__(self, offline: bool = False, reboot: Callable[[Any], Any] = restart) -> None:
        self._offline, self._reboot = offline, reboot
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        if self._thread:
            self._thread.join(timeout)

    def update_callback(self, client: Any, params: dict[str, Any] | None, user_data: Any, request: Any
                        ) -> tuple[int, str]:
        """The callback for the action software_update; user_data[0]: folder of the runtime."""
        params = params or {}
        package = params.get("package")
        if not isinstance(package, str) or not package:
            return STATUS_BAD_PARAMETER, "package is missing"
        try:
            timeout_s = float(params.get("ota_timeout") or DEFAULT_TIMEOUT_S)
        except (TypeError, ValueError):
            return STATUS_BAD_PARAMETER, f"ota_timeout is a number of seconds, got {params['ota_timeout']}"
        update = _Update(client, Path(user_data[0]), request.request_id, package, timeout_s, params, self._offline)
        with self._lock:
            if self.is_running() or not update.locked():
                return STATUS_FAILURE, "Software update already in progress!"
            self._thread = threading.Thread(target=update.run, args=(self._reboot,), name="software_update")
            self._thread.start()
        return STATUS_INVOKED, ""


def note(runtime: Path, request_id: str, status: int) -> None:
    """Keep an outcome over a restart, so that the action is not run again should its ack be lost."""
    runtime.mkdir(parents=True, exist_ok=True)
    path = runtime / MESSAGE_IDS
    start = "\n" if path.exists() and path.read_bytes()[-1:] not in (b"", b"\n") else ""      # behind a torn line
    with path.open("a") as file:
        file.write(f"{start}{request_id},{status}\n")
        file.flush()
        os.fsync(file.fileno())


def recover(client: Any, runtime: Path) -> None:
    """Before connect(): tell again what is over, and what was cut off."""
    holder = _holder(runtime)
    if holder and not _is_running(holder[0]):
        note(runtime, holder[1], STATUS_FAILURE)
        (runtime / OTA_LOCKFILE).unlink()
    path = runtime / MESSAGE_IDS
    with contextlib.suppress(FileNotFoundError):
        left = [line for line in path.read_text().splitlines() if not _told_again(client, line)]
        path.unlink()
        if left:                         # more than wait to be said: they come again at the next start
            path.write_text("\n".join([*left, ""]))


def _told_again(client: Any, line: str) -> bool:
    """False when there is no room for it. line: `id,status`; one that is torn has nothing to tell"""
    ident, _, status = line.partition(",")
    if not ident or not status.isdigit():
        return True
    text = CUT_OFF if int(status) == STATUS_FAILURE else ""
    return bool(client.action_acknowledge(ident, int(status), text) == STATUS_SUCCESS)


def _holder(runtime: Path) -> tuple[int, str] | None:
    """(process, id of the request) of the lock."""
    try:
        pid, _, ident = (runtime / OTA_LOCKFILE).read_text().partition(" ")
        return int(pid), ident
    except (OSError, ValueError):
        return None


def _is_running(pid: int) -> bool:
    """False for ourselves: who asks holds no lock."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


class _Update:
    """One update."""

    def __init__(self, client: Any, runtime: Path, ident: str, package: str, timeout_s: float, params: dict[str, Any],
                 is_offline: bool) -> None:
        self._client, self._runtime, self._ident, self._package = client, runtime.absolute(), ident, package
        self._timeout_s, self._is_offline = timeout_s, is_offline
        self._extra = params.get("extra_params")
        self._log_name = re.sub(r"[^\w.-]+", "_", str(params.get("ota_logfile") or OTA_STDOUT_LOG)).strip(".") or "log"
        self._folder = self._runtime / OTA_PACKAGEDIR
        # only its last part: the name is the cloud's, the place is ours
        self._archive = self._runtime / "download" / Path(package.replace("\\", "/")).name
        self._log = self._runtime / OTA_STDOUT_LOG
        self._lock = self._runtime / OTA_LOCKFILE
        self._is_rebooting = False

    def locked(self) -> bool:
        """False when another update runs."""
        self._runtime.mkdir(parents=True, exist_ok=True)
        holder = _holder(self._runtime)
        if holder is None or not _is_running(holder[0]):
            self._lock.unlink(missing_ok=True)
        try:
            with self._lock.open("x") as file:
                file.write(f"{os.getpid()} {self._ident}")
        except FileExistsError:
            return False
        return True

    def run(self, reboot: Callable[[Any], Any]) -> None:
        self._client.wait_acted(self._ident)
        try:
            status, text = self._done()
        except Exception as error:       # outer wall: whatever it is, the cloud waits for an outcome
            status, text = STATUS_FAILURE, str(error)
            self._client.error(f"software update: {error!r}")
        try:
            self._end(status, text)
        except OSError as error:         # of our disk, or somebody disconnected; the outcome is in message_ids
            self._client.error(f"software update: {error}")
        if self._is_rebooting and status == STATUS_SUCCESS:
            reboot(self._client)

    def _done(self) -> tuple[int, str]:
        """(status, text)"""
        self._progress("Started OTA Update")
        self._event("Started OTA Update")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._log.write_bytes(b"")
        try:
            self._fetch()
            self._event("Unzipping Package...")
            unpack(self._archive, self._folder)
            self._event("Package Unzip Successful!")
            self._event("Reading Update Data...")
            told = orders(self._folder)
        except PackageError as error:
            self._event(f"{error}")
            return error.status, status_string(error.status)
        except OSError as error:
            self._event(f"{error}")
            return STATUS_IO_ERROR, status_string(STATUS_IO_ERROR)
        self._event("Update Data Read Successfully!")
        status = self._install(told)
        self._is_rebooting = str(told.get("reboot", "no")).lower() == "yes"
        return status, "" if status == STATUS_SUCCESS else status_string(status)

    def _fetch(self) -> None:
        """Raises PackageError."""
        self._archive.parent.mkdir(parents=True, exist_ok=True)
        self._event("Downloading Package...")
        self._alarm(ALARM_STARTED)
        status = STATUS_SUCCESS if self._is_offline else self._downloaded()
        if status != STATUS_SUCCESS:
            raise PackageError(status, f"Download Failed: {status_string(status)}")
        self._event("Download Successful!")

    def _downloaded(self) -> int:
        """Of the store of the organisation, else of the thing's."""
        status, stores = STATUS_NOT_FOUND, [True, False]
        for _ in range(TRIES):
            status = self._client.file_download(self._package, str(self._archive), blocking=True,
                                                timeout=self._timeout_s, file_global=stores[0])
            if status == STATUS_NOT_FOUND:
                stores.pop(0)
            elif status != STATUS_TIMED_OUT:
                break
            if not stores:
                break
        return status

    def _install(self, told: dict[str, Any]) -> int:
        status = STATUS_SUCCESS
        for key, name, state in _STEPS:
            status = self._step(name, state, told.get(key))
            if status:
                self._alarm(ALARM_INSTALL_ERROR)
                if told.get("error_action"):
                    self._event("Running install error action!")
                    self._execute(told["error_action"])
                break
        return status

    def _step(self, name: str, state: int, command: str | None) -> int:
        self._progress(f"Running {name}")
        self._event(f"Running {name}...")
        status = self._execute(command) if command else STATUS_SUCCESS
        self._alarm(state)
        if not command:
            self._event(f"No {name} specified! Continuing.")
            return status
        self._progress(f"{name} {'Failed' if status else 'Successful'}")
        self._event(f"{name} {'Failed' if status else 'Successful'}!")
        return status

    def _execute(self, command: str) -> int:
        """Status. The command is a shell's; what it says goes into the log."""
        more = {} if self._extra is None else {"HDC_EXTRA_PARAMS": str(self._extra)}
        with self._log.open("ab") as log:
            running = subprocess.Popen(command, shell=True, cwd=self._folder, env={**os.environ, **more}, stdout=log,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
            try:
                return STATUS_EXECUTION_ERROR if running.wait(self._timeout_s) else STATUS_SUCCESS
            except subprocess.TimeoutExpired:
                _kill(running)
                log.write(f"\nended after {self._timeout_s:g} s\n".encode())
                return STATUS_TIMED_OUT

    def _end(self, status: int, text: str) -> None:
        word = "Failed" if status else "Successful"
        self._progress(f"Update {word}")
        self._event(f"Update {word}!")
        note(self._runtime, self._ident, status)
        self._client.action_acknowledge(self._ident, status, text)
        self._alarm(ALARM_FAILED if status else ALARM_COMPLETE)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._archive.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)
        if self._log.exists():
            self._client.file_upload(str(self._log), self._log_name, blocking=True, timeout=60)

    def _progress(self, text: str) -> None:
        self._client.action_progress_update(self._ident, text)

    def _event(self, text: str) -> None:
        self._client.event_publish(f"OTA: {text}")

    def _alarm(self, state: int) -> None:
        self._client.alarm_publish(ALARM_NAME, state, f"package: {self._package}")


def _kill(running: subprocess.Popen[bytes]) -> None:
    """What it has begun, too."""
    if osal.POSIX:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    running.kill()
    running.wait()
