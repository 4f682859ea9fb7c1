"""The node's one event bus, under the names of QuecPython; in memory only where somebody wants it.

Each subscriber has a box that is made once, so publishing allocates nothing and any interrupt may do it. The task `bus`
takes one message out of each box in turn. A handler is a function, which holds the loop while it runs, or gives a
coroutine, which holds up its own box only. The kernel publishes with `pure.lazy.publish`: SPEC.md has its topics.
"""
import asyncio
from collections import deque

from machine import disable_irq, enable_irq
from micropython import const

from Debug import errlog_add, trace
import blocking
from pure import lazy
from TaskManager import manager

ANY = "*"                         # subscribers of this topic get all messages
WAITING = const(32)               # messages that may wait for one subscriber
_MOST_BOXES = const(64)

_flag = asyncio.ThreadSafeFlag()
_boxes = []
_made = [0]                       # boxes so far: their numbers
_table = {}                       # {topic: (Box, ...)}; a tuple is replaced, never changed: an interrupt may read it


class Box:
    """Messages, each of two parts, that wait for one worker, in order.

    work(first, second): function, or one that gives a coroutine
    taken, dropped, failed: messages that found a place, that found none, that ended in an exception
    """

    def __init__(self, work, waiting=WAITING):
        if len(_boxes) >= _MOST_BOXES:
            raise RuntimeError("{} subscribers are there already; who has left must unsubscribe".format(_MOST_BOXES))
        self.work = work
        self.taken = self.dropped = self.failed = 0
        self.is_busy = False          # its coroutine runs
        self._full = 2 * waiting
        # one place more than is used: a scheduled callback may come between the look and the append
        self._parts = deque((), self._full + 2)
        _made[0] += 1
        self._tag = "bus{}".format(_made[0])
        _boxes.append(self)
        manager().start("bus", _serve(), protected=True)

    def post(self, first, second):
        """False when the box is full. Allocates nothing: an interrupt may call it."""
        masked = disable_irq()
        has_place = len(self._parts) < self._full
        if has_place:
            self._parts.append(first)
            self._parts.append(second)
            self.taken += 1
        else:
            self.dropped += 1
        enable_irq(masked)
        _flag.set()
        return has_place

    def waiting(self):
        return len(self._parts) // 2

    def step(self):
        """Have the next message worked on."""
        first = self._parts.popleft()
        second = self._parts.popleft()
        try:
            result = blocking.call(self.work, first, second)
            if hasattr(result, "send"):
                self.is_busy = True
                manager().start(self._tag, self._finish(first, result), protected=True)
        except (Exception, SystemExit) as error:       # outer wall: one subscriber must not cost the others theirs
            self._blame(first, error)

    def close(self):
        """What waits is forgotten."""
        if self in _boxes:
            _boxes.remove(self)

    async def _finish(self, first, coroutine):
        try:
            await coroutine
        except (Exception, SystemExit) as error:       # outer wall, as in step()
            self._blame(first, error)
        finally:
            self.is_busy = False
            _flag.set()

    def _blame(self, first, error):
        self.failed += 1
        trace(error)
        errlog_add("[ERR] bus {}: {} raised {}: {}".format(
            first, name(self.work), type(error).__name__, error))


async def _serve():
    while True:
        await _flag.wait()
        while await _turn():
            pass


async def _turn():
    """One message of each box that has one; False when none had."""
    found = False
    for box in tuple(_boxes):
        if box.waiting() and not box.is_busy and box in _boxes:
            box.step()
            found = True
            await asyncio.sleep_ms(0)
    return found


def name(handler):
    return getattr(handler, "__name__", "a handler")


def publish(topic, msg=None):
    """Tell the subscribers of a topic, later and in order. Never waits, allocates nothing, never raises."""
    for box in _table.get(topic, ()):
        box.post(topic, msg)
    for box in _table.get(ANY, ()):
        box.post(topic, msg)


def subscribe(topic, handler):
    """Have handler(topic, msg) called with each message. topic: text or number

    Who subscribes twice is called twice. Raises TypeError, RuntimeError when there are too many.
    """
    if not isinstance(topic, (str, int)) or not callable(handler):
        raise TypeError("subscribe takes a topic (text or number) and a function, got {}, {}".format(topic, handler))
    _table[topic] = _table.get(topic, ()) + (_box_of(handler) or Box(handler),)


def unsubscribe(topic, cb=None):
    """Forget one subscriber of a topic, or all. Raises KeyError for the topic, ValueError for the subscriber."""
    boxes = list(_table[topic])
    gone = [box for box in boxes if cb in (None, box.work)][:None if cb is None else 1]
    if not gone:
        raise ValueError("{} has no subscriber {}".format(topic, name(cb)))
    for box in gone:
        boxes.remove(box)
    if not boxes:
        del _table[topic]
    else:
        _table[topic] = tuple(boxes)
    for box in gone:
        if not _box_of(box.work):
            box.close()


def sub_table(topic=None):
    """{topic: [handlers]}, or the handlers of one topic. Raises KeyError."""
    if topic is not None:
        return [box.work for box in _table[topic]]
    return {topic: [box.work for box in boxes] for topic, boxes in _table.items()}


def boxes():
    """All that messages can wait in: subscribers, and the services' own queues."""
    return tuple(_boxes)


def _box_of(handler):
    """A handler has one box for all its topics: so its messages stay in order. None: it has no topic."""
    for boxes in _table.values():
        for box in boxes:
            if box.work == handler:
                return box
    return None


lazy.tell = publish               # from now on what the kernel tells comes here
