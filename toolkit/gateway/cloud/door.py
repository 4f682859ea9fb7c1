"""The MQTT door: things are served here, whatever else speaks MQTT 3.1.1 is passed on byte for byte."""
from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from typing import TYPE_CHECKING, Any

from micrOS.source.pure import mqtt
from micrOS.source.pure.mqtt_server import Served
from toolkit.errors import UsageError
from toolkit.gateway.cloud.session import Link, Session
from toolkit.gateway.errors import UnavailableError

if TYPE_CHECKING:
    from toolkit.gateway.cloud.cloud import Cloud

HELLO_BYTES = 16 * 1024        # that a stranger may send before we know who it is
READ_BYTES = 64 * 1024
WINDOW = 64                    # replies that a thing has not acknowledged
BACKLOG = 1024

log = logging.getLogger(__name__)


class TcpLink:
    """A link over asyncio's streams, TLS or not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        peer = writer.get_extra_info("peername") or ("?", 0)
        self.peer = f"{peer[0]}:{peer[1]}"

    async def read(self) -> bytes:
        return await self._reader.read(READ_BYTES)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        if self._writer.transport.get_write_buffer_size():
            self._writer.close()
            asyncio.get_running_loop().call_later(5.0, self._writer.transport.abort)
        else:
            self._writer.close()


class Door:
    """sessions: {thing key: Session}. refused, strangers, passed: what became of the others."""

    def __init__(self, cloud: Cloud) -> None:
        self.sessions: dict[str, Session] = {}
        self.ports: dict[str, int] = {}
        self.refused = self.passed = self.broken = 0
        self.strangers = 0
        self._cloud = cloud
        self._servers: list[asyncio.Server] = []
        self._links: dict[Link, Session] = {}
        self._guests: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Raises UsageError when a port cannot be had."""
        settings = self._cloud.settings
        context = settings.context()
        await self._listen("mqtt", settings.mqtt, None)
        if context:
            await self._listen("mqtts", settings.mqtts, context)

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        for guest in list(self._guests):
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)

    async def serve(self, link: Link) -> None:
        """A connection from its CONNECT to its end; whatever it sends costs no more than itself."""
        served = Served(_now_ms(), WINDOW, self._cloud.settings.packet_bytes)
        session: Session | None = None
        try:
            if self.strangers >= self._cloud.settings.most_strangers:
                return
            self.strangers += 1
            try:
                met = await self._met(link, served)
            finally:
                self.strangers -= 1
            if isinstance(met, bytes):
                await self._passed_on(link, served, met)
            elif met:
                session = met
                await self._talk(session, link, served)
        except (mqtt.MqttError, OSError, TimeoutError, EOFError) as error:
            self.broken += 1
            log.debug("%s: %s", link.peer, error)
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                await _last_words(link, served)
        except UnavailableError as error:
            log.warning("%s was let go: %s", session.thing.key if session else link.peer, error)
        finally:
            session = self._links.pop(link, None)
            if session:
                self._gone(session)
            link.close()

    def kick(self, thing: str) -> None:
        session = self.sessions.get(thing)
        if session:
            session.close()

    # -- within
    async def _listen(self, name: str, port: int | None, context: ssl.SSLContext | None) -> None:
        if port is None:
            return
        settings = self._cloud.settings
        more: dict[str, Any] = {"ssl": context, "ssl_handshake_timeout": settings.connect_s} if context else {}
        try:
            server = await asyncio.start_server(self._came, settings.host, port, backlog=BACKLOG, **more)
        except (OSError, OverflowError) as error:
            raise UsageError(f"the cloud cannot listen at {settings.host}:{port} ({name}): "
                             f"{getattr(error, 'strerror', None) or error}") from None
        self._servers.append(server)
        self.ports[name] = server.sockets[0].getsockname()[1]

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._guests.add(task)
        try:
            await self.serve(TcpLink(reader, writer))
        except asyncio.CancelledError:           # asyncio would log it, and it is only the gateway that ends
            pass
        except Exception:                        # outer wall: one guest's trouble
            log.exception("a session failed")
        finally:
            self._guests.discard(task)

    async def _met(self, link: Link, served: Served) -> Session | bytes | None:
        """The session of a thing; the bytes so far of a client that is none; None when it was refused."""
        raw = bytearray()
        found: Session | bool = False
        async with asyncio.timeout(self._cloud.settings.connect_s) as clock:
            while len(raw) <= HELLO_BYTES:
                data = await link.read()
                if not data:
                    return None
                raw += data
                for packet in served.feed(data, _now_ms()):
                    if packet[0] == mqtt.CONNECT:
                        found = await self._asked(packet, link, served)
                        if not isinstance(found, Session):
                            return bytes(raw) if found else None
                        clock.reschedule(None)
                        await self._welcome(found, served)
                    elif isinstance(found, Session):
                        await found.take(packet)
                if isinstance(found, Session):
                    return found
        raise mqtt.MqttError("no CONNECT")

    async def _asked(self, packet: tuple[Any, ...], link: Link, served: Served) -> Session | bool:
        """A thing's session; True for a client that is none and is to be passed on, False: refused."""
        _, client_id, username, password, *_ = packet
        try:
            thing = await self._cloud.things.admit(username or "", password or b"")
        except UnavailableError:
            await self._refuse(link, served, mqtt.UNAVAILABLE)
            return False
        if thing is None:
            is_thing = username is not None and client_id == username and not self._cloud.is_other(username)
            if not is_thing and self._cloud.upstream():
                return True
            await self._refuse(link, served, mqtt.NOT_ALLOWED if is_thing else mqtt.UNAVAILABLE)
            return False
        if len(self.sessions) >= self._cloud.settings.most_sessions:
            await self._refuse(link, served, mqtt.UNAVAILABLE)
            return False
        return Session(self._cloud, thing, served, link)

    async def _welcome(self, session: Session, served: Served) -> None:
        """Let it in; an older connection of the same thing ends."""
        key = session.thing.key
        older = self.sessions.get(key)
        self.sessions[key] = self._links[session.link] = session
        if older:
            older.close()
        self._cloud.bell.ring("here", thing=key)
        served.accept()
        await session.flush()
        self._cloud.came(session)
        await session.begin()

    async def _talk(self, session: Session, link: Link, served: Served) -> None:
        await session.flush()
        while served.state == "up":
            try:
                async with asyncio.timeout(served.tick(_now_ms()) / 1000):
                    data = await link.read()
            except TimeoutError:
                continue                         # tick() raises when that was too long
            if not data:
                break
            for packet in served.feed(data, _now_ms()):
                await session.take(packet)
            await session.flush()

    async def _refuse(self, link: Link, served: Served, code: int) -> None:
        self.refused += 1
        served.refuse(code)
        await _last_words(link, served)

    async def _passed_on(self, link: Link, served: Served, raw: bytes) -> None:
        """To the engine's own MQTT listener, and back, until one side ends."""
        host, _, port = self._cloud.upstream().rpartition(":")
        try:
            async with asyncio.timeout(self._cloud.settings.connect_s):
                reader, writer = await asyncio.open_connection(host or "127.0.0.1", int(port))
        except (OSError, ValueError):
            await self._refuse(link, served, mqtt.UNAVAILABLE)
            return
        self.passed += 1
        far = TcpLink(reader, writer)
        try:
            await far.send(raw)
            ways = [asyncio.create_task(_pumped(*pair)) for pair in ((link, far), (far, link))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            far.close()

    def _gone(self, session: Session) -> None:
        key = session.thing.key
        if self.sessions.get(key) is session:
            del self.sessions[key]
            self._cloud.left(session)


async def _pumped(source: Link, sink: Link) -> None:
    while data := await source.read():
        await sink.send(data)


async def _last_words(link: Link, served: Served) -> None:
    async with asyncio.timeout(5):
        if data := served.take():
            await link.send(data)


def _now_ms() -> int:
    return int(time.monotonic() * 1000)
