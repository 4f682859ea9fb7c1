"""What happens in the gateway, told to whoever listens: bounded boxes, drops counted."""
from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self

BOX = 256                # events that wait for a slow listener; the oldest go first


@dataclass(frozen=True)
class Event:
    """topic: words with dots, `node.up`. at: seconds since 1970. number: counts up from 1 in a run."""

    topic: str
    data: Mapping[str, Any]
    number: int
    at: float = field(default_factory=time.time)


class Subscription:
    """An async iterator of events, in a `with` statement; it ends when it is closed.

    dropped   how many events found no place in its box
    """

    def __init__(self, events: Events, pattern: str, box: int) -> None:
        self.pattern = pattern
        self.dropped = 0
        self._events = events
        self._box: deque[Event] = deque()
        self._room = box
        self._news = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        if len(self._box) >= self._room:
            self._box.popleft()
            self.dropped += 1
        self._box.append(event)
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self._events.forget(self)
        self._news.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._box:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._box.popleft()


class Events:
    """The gateway's own bus, within this process. Topics: see notes of the REST path /api/v1/events."""

    def __init__(self) -> None:
        self.dropped = 0                # of listeners that are gone
        self._number = 0
        self._listeners: list[Subscription] = []

    def publish(self, topic: str, data: Mapping[str, Any]) -> None:
        """Never waits. data: what JSON can hold."""
        self._number += 1
        event = Event(topic, data, self._number)
        for listener in self._listeners:
            if matches(listener.pattern, topic):
                listener.put(event)

    def subscribe(self, pattern: str = "*", box: int = BOX) -> Subscription:
        """with events.subscribe("node.*") as news: async for event in news. Patterns of several: "node.*,drop.*"."""
        listener = Subscription(self, pattern, box)
        self._listeners.append(listener)
        return listener

    def forget(self, listener: Subscription) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
            self.dropped += listener.dropped

    def close(self) -> None:
        """Every listener's loop ends."""
        for listener in list(self._listeners):
            listener.close()

    @property
    def listeners(self) -> int:
        return len(self._listeners)


def matches(pattern: str, topic: str) -> bool:
    return any(fnmatchcase(topic, each.strip()) for each in pattern.split(","))
