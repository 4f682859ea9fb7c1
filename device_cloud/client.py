"""The public Client of a host: that of the board, and what takes processes, log files and proxies."""
from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from device_cloud import logs
from device_cloud.constants import STATUS_EXECUTION_ERROR, STATUS_INVOKED
from micrOS.source.cloud import facade, ground

COMMAND_S = 3600.0             # for a command; it holds one of thread_count places
OUTPUT_BYTES = 1024            # of what it says, that goes back
_CLOCKS = (9, 10)              # of OpenSSL's verify codes: not yet valid, no longer valid
_SETTLE_S = 5.0
_EXTRA = "pip install '.[cloud]' in a checkout of micrOS"


class Client(facade.Client):       # type: ignore[misc]
    __doc__ = facade.Client.__doc__

    def __init__(self, app_id: str, kwargs: dict[str, Any] | None = None, offline: bool = False,
                 error_handler: Callable[..., Any] | None = None) -> None:
        super().__init__(app_id, kwargs, offline, error_handler)
        self.log_name = "device_cloud"
        self._log = logging.getLogger(self.log_name)

    def _make(self, thing: str, settings: Any) -> None:
        _check_proxy(self._trust.proxy)
        self._log = logs.begin(thing, settings)
        self.log_name = thing
        super()._make(thing, settings)
        self._log.debug("%s at %s:%s by %s", thing, settings.cloud.host, settings.cloud.port, self._kind)

    def _linked(self, error: BaseException | None) -> None:
        if error is None:
            self._log.info("connected")
        elif isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _CLOCKS:
            self._log.error("%s; the clock of this host says %s", error, time.strftime("%Y-%m-%d %H:%M"))
        else:
            self._log.warning("no connection: %s", error or type(error).__name__)
        super()._linked(error)

    def _refused(self, *words: Any) -> None:
        # in a thread: it may call us, and wait
        asyncio.get_running_loop().run_in_executor(None, super()._refused, *words)

    def action_register_command(self, action_name: str, command: str) -> int:
        """0, or 5. The params come as --name=value; a true one as --name, a false one not at all. No shell."""
        def run(client: Any, params: dict[str, Any] | None) -> tuple[int, str]:
            return execute([command, *_options(params or {})])
        status: int = self.action_register_callback(action_name, run)
        return status

    @ground.quick      # type: ignore[untyped-decorator]      # board code has no hints
    def _is_acting(self, request_id: str) -> bool:
        return self.agent is not None and request_id in self._actions._running

    def wait_acted(self, request_id: str) -> None:
        """Return when what the callback of an action gave is on its way, so that what is said next comes after it."""
        deadline = time.monotonic() + _SETTLE_S
        while self._is_acting(request_id) and time.monotonic() < deadline:
            time.sleep(0.01)

    # -- words for the log, with the place that said them

    def log_level(self, level: str | int) -> None:
        self._log.setLevel(logs.level_of(level))

    def log(self, level: str | int, text: str) -> None:
        self._log.log(logs.level_of(level), "%s", text, stacklevel=2)

    def critical(self, text: str) -> None:
        self._log.critical("%s", text, stacklevel=2)

    def error(self, text: str) -> None:
        self._log.error("%s", text, stacklevel=2)

    def warning(self, text: str) -> None:
        self._log.warning("%s", text, stacklevel=2)

    def info(self, text: str) -> None:
        self._log.info("%s", text, stacklevel=2)

    def debug(self, text: str) -> None:
        self._log.debug("%s", text, stacklevel=2)


def execute(words: list[str]) -> tuple[int, str]:
    """(status, what it said) of a command. Raises OSError when it cannot be run, TimeoutExpired."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=COMMAND_S).returncode
        said = [_beginning(file) for file in (out, err)]
    # 1 would mean that it goes on, and that another word will follow
    status = STATUS_EXECUTION_ERROR if code == STATUS_INVOKED else code
    return status, f"command: {words}  ,  stdout: {said[0]!r}  ,  stderr: {said[1]!r}"


def _beginning(file: Any) -> bytes:
    file.seek(0)
    return bytes(file.read(OUTPUT_BYTES))


def _options(params: dict[str, Any]) -> list[str]:
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in params.items()
            if value is not False and value is not None]


def _check_proxy(proxy: dict[str, Any] | None) -> None:
    """Raises KeyError for a proxy that cannot be used, ImportError when there is nothing to use it with."""
    if proxy is None:
        return
    if str(proxy["type"]).upper() not in ground.PROXIES:
        raise KeyError(f"proxy.type is {', '.join(ground.PROXIES)}, got {proxy['type']}")
    for name in ("host", "port"):
        if not proxy.get(name):
            raise KeyError(f"proxy.{name} is missing")
    if find_spec("socks") is None:
        raise ImportError(f"a proxy needs PySocks: {_EXTRA}")


