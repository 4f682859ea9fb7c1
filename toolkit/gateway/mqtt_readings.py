"""Readings that nodes tell by MQTT, micrOS/SPEC.md 16: `micros/<uid>/<module>/state`, taken into the history.

PUBACK covers only what the server keeps for itself, the stream $MQTT_msgs, so a durable consumer of that one takes them
(a stream of our own on the topic lost up to half of them when a server was killed). It is made as soon as the server
listens; from then on a reading that was acknowledged waits there until it is in the history. One that is handed out
twice has the same time, and counts once. Source: MQTT 3.1.1, 4.3.2; nats-server, server/mqtt.go.
"""
from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from toolkit.gateway import figures
from toolkit.gateway.engine import UP, Engine, translated
from toolkit.gateway.errors import UnavailableError

STREAM = "$MQTT_msgs"
CONSUMER = "micros_history"
SUBJECT = "$MQTT.msgs.micros.*.*.state"
ACK_S = 5.0                    # a message that a gateway has taken, and not acknowledged, goes to another
AT_ONCE = 50
FETCH_S = 5.0
AGAIN_S = 1.0
MOST_VALUES = 64               # of one reading
MOST_CHARS = 60                # of a metric
MOST_UID_CHARS = 80

Take = Callable[[str, float, Mapping[str, float]], Awaitable[None]]

log = logging.getLogger(__name__)


class Readings:
    """take(uid, at, values) returns when they are kept; it raises UnavailableError.

    are_taken   what is published from now on is not lost
    """

    def __init__(self, engine: Engine, take: Take) -> None:
        self.are_taken = False
        self._engine = engine
        self._take = take

    async def run(self) -> None:
        """Until cancelled; at once over where no board can come."""
        while self._engine.takes_mqtt:
            try:
                await self._engine.wait_up()
                await self._follow()
            except UnavailableError as error:
                log.debug("no readings by MQTT: %s", error)
            except Exception:            # outer wall: what is acknowledged stays where it is meanwhile
                log.exception("readings that came by MQTT cannot be taken")
            await asyncio.sleep(AGAIN_S)

    async def _follow(self) -> None:
        """Until the engine is not what it was."""
        ups = self._engine.ups
        await self._engine.greet_by_mqtt()
        try:
            with translated():
                puller = await self._puller()
        except NotFoundError:            # the servers are not ours, and make it when the first client comes
            raise UnavailableError(f"there is no {STREAM}") from None
        self.are_taken = True
        try:
            while self._engine.state == UP and self._engine.ups == ups:
                await asyncio.gather(*(self._taken(message) for message in await _fetched(puller)))
        finally:
            with contextlib.suppress(UnavailableError), translated():
                await puller.unsubscribe()

    async def _puller(self) -> JetStreamContext.PullSubscription:
        js = self._engine.js
        await js.add_consumer(STREAM, ConsumerConfig(
            durable_name=CONSUMER, ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_S, max_ack_pending=4 * AT_ONCE,
            filter_subject=SUBJECT))
        return await js.pull_subscribe_bind(CONSUMER, STREAM)

    async def _taken(self, message: Msg) -> None:
        uid, module = message.subject.split(".")[3:5]
        if len(uid) <= MOST_UID_CHARS:           # else it is none of ours, and no key of the engine
            values = values_of(module, message.data.decode("utf-8", "replace"))
            await self._take(uid.replace("//", "."), message.metadata.timestamp.timestamp(), values)
        with translated():
            await message.ack()


async def _fetched(puller: JetStreamContext.PullSubscription) -> list[Msg]:
    """[] when none came for a while."""
    with translated(), contextlib.suppress(TimeoutError):
        return await puller.fetch(AT_ONCE, timeout=FETCH_S)
    return []


def values_of(module: str, text: str) -> dict[str, float]:
    """{"<module>.<key>": number} of a reading; what is no number is none, nor a key that looks like one before it."""
    found: dict[str, float] = {}
    with contextlib.suppress(RecursionError, OverflowError):         # of somebody's noise: too deep, too large
        for key, value in figures.values(text):
            if math.isfinite(value) and len(found) < MOST_VALUES:
                found.setdefault(_plain(f"{module}.{key}"), value)
    return found


def _plain(name: str) -> str:
    """`dht22.temp [ºC]` as it may stand in an address: `dht22.temp_C`."""
    return re.sub(r"[^A-Za-z0-9_.:-]+", "_", name).strip("_")[:MOST_CHARS]
