"""`queue.Queue` of QuecPython: bounded, first in first out; an interrupt may put."""
import asyncio
from collections import deque

from machine import disable_irq, enable_irq

import blocking


class Queue:
    """dropped: how many items found no place. None is an item like any other."""

    def __init__(self, maxsize=100):
        if maxsize < 1:
            raise ValueError("maxsize is 1 or more, got {}".format(maxsize))
        self._items = deque((), maxsize + 1)         # as in sys_bus: a scheduled callback may come before the append
        self._most = maxsize
        self._came = asyncio.ThreadSafeFlag()
        self.dropped = 0

    def put(self, item=None):
        """False when it is full: never waits, never raises, allocates nothing."""
        masked = disable_irq()
        has_place = len(self._items) < self._most
        if has_place:
            self._items.append(item)
        else:
            self.dropped += 1
        enable_irq(masked)
        self._came.set()
        return has_place

    def get(self):
        """The oldest item. Waits for one in a guest's thread; elsewhere raises WouldBlockError when there is none."""
        while True:
            blocking.until(self.size, None, "Queue.get() of an empty queue")
            try:
                return self._items.popleft()
            except IndexError:           # another consumer was faster
                pass

    async def taken(self):
        """The oldest item, for code that shares the loop."""
        while not self._items:
            await self._came.wait()
        if len(self._items) > 1:
            self._came.set()             # for the next consumer: a flag wakes one
        return self._items.popleft()

    def size(self):
        return len(self._items)

    def empty(self):
        return not self._items
