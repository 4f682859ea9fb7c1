"""A thing that is connected: requests in, replies and words of mail out, whatever it has subscribed to."""
from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Protocol

from micrOS.source.pure import mqtt, tr50_cloud
from micrOS.source.pure.mqtt_server import Served
from micrOS.source.pure.tr50 import Tr50Error
from toolkit.gateway.cloud.commands import Speaker, answer
from toolkit.gateway.cloud.things import Thing

if TYPE_CHECKING:
    from toolkit.gateway.cloud.cloud import Cloud

MOST_COMMANDS = 500            # in one request
IMPLIED = ("reply/", "replyz/", "notify/")

log = logging.getLogger(__name__)


class Link(Protocol):
    """Bytes both ways, TCP or a websocket. read(): b"" at the end; peer: for people."""

    peer: str

    async def read(self) -> bytes: ...
    async def send(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Bucket:
    """Tokens at a rate; who takes one too many waits."""

    def __init__(self, rate_hz: float, burst: int) -> None:
        self._rate_hz, self._burst = rate_hz, float(burst)
        self._left, self._at = float(burst), time.monotonic()

    async def take(self) -> None:
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate_hz) - 1
        self._at = now
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate_hz)


class Session:
    """thing, link: who it is; since: seconds since 1970; requests, strange: what came, and what of it was nothing."""

    def __init__(self, cloud: Cloud, thing: Thing, served: Served, link: Link) -> None:
        self.thing, self.link = thing, link
        self.since = time.time()
        self.requests = self.strange = 0
        self._cloud, self._served = cloud, served
        self._bucket = Bucket(thing.bounds().rate_hz, thing.bounds().burst)
        self._ident = secrets.token_hex(8)
        self._handed: set[str] = set()
        self._under_way: dict[int, list[str]] = {}        # number of a reply that is not acknowledged: its mails
        self._gate = asyncio.Lock()                       # of the link: one writes

    async def begin(self) -> None:
        """Right after CONNACK: the public agent does not look for mail by itself."""
        await self._cloud.samples.begin(self.thing.key)
        if await self._cloud.mailbox.begin(self.thing.key):
            await self.notify()

    async def take(self, packet: tuple[Any, ...]) -> None:
        """One packet. Raises UnavailableError: what it brought is not kept, and must not be acknowledged."""
        kind = packet[0]
        if kind == mqtt.PUBLISH:
            await self._bucket.take()
            await self._published(packet[1], packet[2], packet[5])
        elif kind == mqtt.PUBACK:
            mails = self._under_way.pop(packet[1], None)
            if mails:
                self._cloud.mailbox.soon(self._cloud.mailbox.taken(self.thing.key, mails))
        elif kind == mqtt.SUBSCRIBE:
            self._served.granted(packet[1], [min(qos, 1) if name.startswith(IMPLIED) else mqtt.FAILED
                                             for name, qos in packet[2]])
        await self.flush()

    async def notify(self) -> None:
        """Tell it of mail, if there is some it can have."""
        if self._cloud.mailbox.has_room(self.thing.key, self._handed):
            self._say(*tr50_cloud.notification(self._ident, self.thing.key))
            await self.flush()

    async def flush(self) -> None:
        async with self._gate:
            data = self._served.take()
            while data:
                async with asyncio.timeout(self._cloud.settings.send_s):
                    await self.link.send(data)
                data = self._served.take()

    def close(self) -> None:
        self.link.close()

    async def _published(self, topic: str, payload: bytes, is_dup: bool) -> None:
        reply_topic = tr50_cloud.reply_topic(topic)
        try:
            requests = tr50_cloud.requests(payload) if reply_topic else []
        except Tr50Error:
            requests = []
        if not requests or len(requests) > MOST_COMMANDS:
            self.strange += 1            # acknowledged all the same: it would come again for ever
            return
        self.requests += 1
        digest = hashlib.sha256(f"{self.thing.key}\0{topic}\0".encode() + payload).hexdigest()[:32]
        speaker = Speaker(self.thing.key, self.thing, handed=self._handed, is_again=is_dup)
        entries = []
        for ident, command, params in requests:
            speaker.ident = f"{digest}/{ident[:20]}"
            entries.append((_safe(ident), await self._answered(speaker, command, params)))
        number = self._say(reply_topic, tr50_cloud.reply(entries))
        if speaker.replied and number:
            self._under_way[number] = speaker.replied
        if any(command == "mailbox.ack" for _, command, _ in requests):
            await self.notify()          # there was no room for all mail before

    async def _answered(self, speaker: Speaker, command: str, params: dict[str, Any]) -> dict[str, Any]:
        reply = await answer(self._cloud, speaker, command, params)
        if command == "thing.update" and reply.get("success"):
            self.thing = speaker.thing = await self._cloud.things.get(self.thing.key)
        return reply

    def _say(self, topic: str, payload: bytes) -> int:
        """Number of the publication, 0 when it goes without."""
        number = self._served.publish(topic, payload, 1 if self._served.room() > 0 else 0)
        return int(number or 0)


def _safe(ident: str) -> str:
    """An id as it may stand between quotes: pure/tr50 writes it as it is."""
    return ident if ident.isascii() and ident.isalnum() and len(ident) <= 40 else "0"
