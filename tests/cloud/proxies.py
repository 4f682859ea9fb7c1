"""Proxies of a few lines: SOCKS4, SOCKS5 and HTTP CONNECT, on loopback, each with and without a login."""
from __future__ import annotations

import asyncio
import base64
import socket
import threading
from types import TracebackType

LOGIN = ("paul", "sesam-7")
_OK = {"SOCKS4": b"\x00\x5a" + bytes(6), "SOCKS5": b"\x05\x00\x00\x01" + bytes(6),
       "HTTP": b"HTTP/1.1 200 OK\r\n\r\n"}
_NO = {"SOCKS4": b"\x00\x5b" + bytes(6), "SOCKS5": b"\x05\x02\x00\x01" + bytes(6),
       "HTTP": b"HTTP/1.1 403 Forbidden\r\n\r\n"}


class RefusedError(Exception):
    """Raised when a client may not go on."""


class Proxy:
    """kind: SOCKS4 SOCKS5 HTTP; is_refusing: nobody may go anywhere. places: where clients wanted to go"""

    def __init__(self, kind: str, has_login: bool = False, is_refusing: bool = False) -> None:
        self.kind, self.has_login, self.is_refusing = kind, has_login, is_refusing
        self.places: list[tuple[str, int]] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        beginning = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(beginning, self._loop).result(5)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._over(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def settings(self) -> dict[str, object]:
        login = {"username": LOGIN[0], "password": LOGIN[1]} if self.has_login else {}
        return {"type": self.kind, "host": "127.0.0.1", "port": self.port, **login}

    async def _over(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.02)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = {"SOCKS4": self._socks4, "SOCKS5": self._socks5, "HTTP": self._http}[self.kind]
            place = await asked(reader, writer)
            self.places.append(place)
            if self.is_refusing:
                raise RefusedError
            there = await asyncio.open_connection(*place)
            writer.write(_OK[self.kind])
            try:
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
            finally:
                there[1].close()
        except RefusedError:
            writer.write(_NO[self.kind])
        except (OSError, EOFError, asyncio.CancelledError):      # a cancelled handler is reported by asyncio
            pass
        finally:
            writer.close()

    async def _socks4(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
        head = await reader.readexactly(8)
        name = (await reader.readuntil(b"\x00"))[:-1].decode()
        if self.has_login and name != LOGIN[0]:
            raise RefusedError
        if head[4:7] == b"\x00\x00\x00":         # 4a: the name follows
            return (await reader.readuntil(b"\x00"))[:-1].decode(), int.from_bytes(head[2:4], "big")
        return socket.inet_ntoa(head[4:8]), int.from_bytes(head[2:4], "big")

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
        methods = await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x05\x02" if self.has_login else b"\x05\x00")
        if self.has_login:
            assert 2 in methods
            name = await reader.readexactly((await reader.readexactly(2))[1])
            word = await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(b"\x01\x00" if (name.decode(), word.decode()) == LOGIN else b"\x01\x01")
        head = await reader.readexactly(4)
        size = (await reader.readexactly(1))[0] if head[3] == 3 else 4
        address = await reader.readexactly(size)
        port = int.from_bytes(await reader.readexactly(2), "big")
        return address.decode() if head[3] == 3 else socket.inet_ntoa(address), port

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        wanted = " " + base64.b64encode(":".join(LOGIN).encode()).decode()
        if self.has_login and wanted not in head:
            raise RefusedError
        host, _, port = head.split()[1].partition(":")
        return host, int(port)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
