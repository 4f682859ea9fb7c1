"""Ways from the cloud to a port of this host or behind it, each in a task of one thread."""
from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from micrOS.source.cloud import ground
from micrOS.source.cloud.relay import VERSION, Relay
from micrOS.source.pure.http import HttpError

MOST = 16                      # at the same time
CONNECT_MSG, CONNECT_MULTI_MSG, DISCONNECT_MULTI_MSG = "CONNECTED-129812", "CONNECTED-581273", "DISCONNECTED-581273"
RELAY_VERSION = VERSION
Say = Callable[[int, str], None]


class _Relays:
    """Those that are up."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @ground.quick      # type: ignore[untyped-decorator]      # board code has no hints
    def begin(self, relay: Relay, seconds: float | None, say: Say) -> None:
        if len(self._tasks) >= MOST:
            raise OSError(f"{MOST} relays are up")
        task = asyncio.create_task(self._run(relay, seconds, say))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, relay: Relay, seconds: float | None, say: Say) -> None:
        try:
            await asyncio.wait_for(relay.run(), seconds)
            say(logging.INFO, "relay: done")
        except TimeoutError:
            say(logging.INFO, "relay: its time is over, or the cloud did not answer")
        except (OSError, HttpError, ValueError) as error:
            say(logging.ERROR, f"relay: {error}")

    @ground.waiting      # type: ignore[untyped-decorator]
    async def end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_relays = _Relays()


def create_relay(url: str, host: str, port: int, secure: bool = True, log_func: Say | None = None,
                 local_socket: None = None, reconnect: bool = False, proxy: Any = None,
                 trust: ground.Trust | None = None, seconds: float | None = None) -> None:
    """Begin one from the websocket `url` to the TCP port of `host`. Raises OSError when too many are up.

    secure: False believes any certificate; reconnect: a channel that this side closes may be opened anew
    log_func(level, text); proxy: {type, host, port, username, password}; trust: instead of secure and proxy
    seconds: it ends then, None: never; local_socket: not supported, a host and a port say more
    """
    if local_socket is not None:
        raise ValueError("create_relay takes host and port, not local_socket")
    relay = Relay(url, (host, int(port)), trust or ground.Trust(None, secure, proxy), reconnect)
    _relays.begin(relay, seconds, log_func or logging.getLogger("device_cloud").log)


def stop_relays() -> None:
    """All of them, now."""
    ground.last(_relays, _relays.end())


def relay_version() -> str:
    return str(RELAY_VERSION)
