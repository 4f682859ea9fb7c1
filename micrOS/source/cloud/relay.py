"""A way from the cloud to a port behind the thing: a websocket to the cloud, TCP to the port, bytes both ways.

One channel: the cloud says CONNECTED, then frames are bytes. Many: each frame begins with the number of its channel.
"""
import asyncio

from . import ground, websocket
from .ground import http
from .websocket import BINARY, CLOSE

VERSION = "2.0.0"
CHANNELS = 8
ONE, MANY, GONE = b"CONNECTED-129812", b"CONNECTED-581273", b"DISCONNECTED-581273"


class Relay:
    """place: (host, port) of the local side; is_again: a channel that the local side closes may be opened anew"""

    def __init__(self, url, place, trust, is_again=False):
        self._url, self._place, self._trust, self._is_again = url, place, trust, is_again
        self._channels = {}              # number, or None for the only one: [Link, task]
        self._socket = None

    async def run(self):
        """Returns when one side is done. Raises OSError, HttpError."""
        link, self._socket = await opened(self._url, self._trust)
        try:
            while True:
                kind, payload = await self._socket.message()
                if kind == CLOSE or not await self._take(payload):
                    break
            await self._socket.bye()
        finally:
            for row in self._channels.values():
                self._close(row)
            link.close()

    async def _take(self, payload):
        """False when that is the end."""
        if payload == ONE:
            return await self._begin(None)
        number, rest = payload[:1], payload[1:]
        # as text, a number beyond 127 is two bytes
        if payload[:1] > b"\x7f" and payload[2:] in (MANY, GONE):
            number, rest = payload.decode()[0].encode("latin-1"), payload[2:]
        if rest == MANY:
            return await self._begin(number[0])
        if payload == GONE:
            return False
        if rest == GONE:
            return self._end(number[0])
        row = self._channels.get(None)
        if row is None:
            row, payload = self._channels.get(number[0]), rest
        if row:
            await self._say(row, payload)
        return True

    async def _say(self, row, payload):
        try:
            await row[0].write(payload)
        except OSError:                  # its reader will see the end
            pass

    async def _begin(self, number):
        if number in self._channels:
            self._end(number)
        if len(self._channels) >= CHANNELS:
            return True
        try:
            link = await asyncio.wait_for(ground.opened(*self._place), ground.OPEN_S)
        except (OSError, asyncio.TimeoutError) as error:
            ground.blame("relay", error)
            await self._lost(number)
            return number is not None
        row = [link, None]
        self._channels[number] = row
        row[1] = asyncio.create_task(self._pump(number, row))
        return True

    async def _pump(self, number, row):
        head = b"" if number is None else bytes((number,))
        try:
            while True:
                data = await row[0].read()
                if not data:
                    break
                await self._socket.send(head + data, BINARY)
        except OSError:
            pass
        self._channels.pop(number, None)
        row[0].close()
        try:
            await self._lost(number)
        except OSError:                  # the websocket has gone first
            pass

    async def _lost(self, number):
        """The local side has closed."""
        if number is None:
            await self._socket.bye()
        elif self._is_again:
            await self._socket.send(bytes((number,)) + GONE, BINARY)

    def _end(self, number):
        row = self._channels.pop(number, None)
        if row:
            self._close(row)
        return True

    def _close(self, row):
        if row[1]:
            row[1].cancel()
        row[0].close()


async def opened(url, trust, protocol=None):
    """(Link, WebSocket) of ws://... or wss://... Raises OSError, HttpError."""
    is_secure, host, port, path = http.address(url.replace("ws", "http", 1) if url[:2] == "ws" else url)
    link = await asyncio.wait_for(ground.opened(host, port, trust if is_secure else None, proxy=trust.proxy),
                                  ground.OPEN_S)
    try:
        return link, await asyncio.wait_for(websocket.opened(link, host, path, protocol), ground.OPEN_S)
    except BaseException:
        link.close()
        raise
