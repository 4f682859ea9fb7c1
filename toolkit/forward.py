"""A loopback port that leads to a node: for telnet, nc, and clients that know addresses only."""
from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from toolkit.errors import LinkError, UsageError
from toolkit.inventory import Device
from toolkit.link.base import CHUNK_BYTES

HOST = "127.0.0.1"
CONNECT_S = 5.0
MOST_CLIENTS = 32

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[Device], Awaitable[Streams]]

log = logging.getLogger(__name__)


async def open_node(device: Device) -> Streams:
    """A connection to a node's shell. Raises LinkError. The one place that knows how a node is reached: plain TCP."""
    try:
        return await asyncio.wait_for(asyncio.open_connection(device.address, device.port), CONNECT_S)
    except TimeoutError:
        raise LinkError(f"{device.name} ({device.where}) did not answer within {CONNECT_S:g} s") from None
    except OSError as error:
        raise LinkError(f"{device.name} ({device.where}) cannot be reached: {error.strerror or error}") from None


class Forward:
    """Takes clients on a port of loopback; each gets a session of its own on the node, byte for byte."""

    def __init__(self, device: Device, open_way: Open = open_node) -> None:
        self.device = device
        self._open = open_way
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> asyncio.Server:
        """port: 0 for a free one. Raises UsageError when it is taken."""
        try:
            return await asyncio.start_server(self._accept, HOST, port)
        except OSError as error:
            raise UsageError(f"port {port} of {HOST} cannot be used ({error.strerror}): name another with --port "
                             "or leave it out") from None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # a coroutine here would be a task of the server's, and a cancelled one of these prints a traceback
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._lead(reader, writer)
        except LinkError as error:
            log.warning("%s", error)
            writer.write(f"{error}\n".encode())
        finally:
            writer.close()             # what was written before still goes out

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) > MOST_CLIENTS:
            raise LinkError(f"{MOST_CLIENTS} clients are connected already: close one")
        from_node, to_node = await self._open(self.device)
        upward = asyncio.create_task(_pump(reader, to_node))
        try:
            await _pump(from_node, writer)      # the node has the last word: it ends the session
        finally:
            upward.cancel()
            to_node.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the reader ends: the other side hears that, and may still answer. One that breaks off ends both."""
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()
