"""Relays of a node by the names that programs of a host use; a node has one at a time, as a task."""
import asyncio

from TaskManager import manager

from . import ground
from .relay import GONE, MANY, ONE, VERSION, Relay

CONNECT_MSG, CONNECT_MULTI_MSG, DISCONNECT_MULTI_MSG = ONE.decode(), MANY.decode(), GONE.decode()
RELAY_VERSION = VERSION
_TAG = "cloud.relay"
_INFO, _ERROR = 20, 40


def create_relay(url, host, port, secure=True, log_func=None, local_socket=None, reconnect=False, proxy=None,
                 trust=None, seconds=None):
    """Begin one from the websocket `url` to the TCP port of `host`. Raises OSError when one is up.

    secure: False believes any certificate; trust: instead of it, as client.trust() gives it; reconnect: a channel that
    this side closes may be opened anew; log_func(level, text); seconds: it ends then, None: never
    local_socket, proxy: not supported on a board
    """
    if local_socket is not None or proxy is not None:
        raise ValueError("create_relay takes host and port, and goes without local_socket and proxy on a board")
    way = Relay(url, (host, int(port)), trust or ground.Trust(None, secure), reconnect)
    if not begin(way, seconds, log_func):
        raise OSError("a relay is up")


def begin(way, seconds=None, say=None):
    """False when one is up."""
    return manager().start(_TAG, _run(way, seconds, say or (lambda level, text: None))) is not None


async def _run(way, seconds, say):
    try:
        await asyncio.wait_for(way.run(), seconds)
        say(_INFO, "relay: done")
    except asyncio.TimeoutError:
        say(_INFO, "relay: its time is over, or the cloud did not answer")
    except (OSError, ValueError) as error:
        ground.blame("relay", error)
        say(_ERROR, "relay: {}".format(error))
    finally:
        ground.forget("relays", "relay", "websocket")


def stop_relays():
    """It, now."""
    task = manager().get(_TAG)
    if task:
        task.cancel()


def relay_version():
    return RELAY_VERSION
