"""The event bus on the shell: what there is to hear, who listens, and what comes."""
import asyncio

from micropython import const

from Common import socket_stream
import sys_bus

_MOST_S = const(3600)
_MOST_MESSAGES = const(1000)
_TOPICS = (
    ("irq1 ... irq4", "number of the press; out of the interrupt"),
    ("timirq", "number of the turn"),
    ("cron", "tag and commands of an item whose time has come"),
    ("network", "STA, AP, or nothing when it is lost"),
    ("time", "seconds since 2000-01-01 UTC: the clock was set"),
    ("config", "key of a setting that has changed"),
    ("module", "name of a load module that was loaded"),
    ("alarm", "text of an alarm"),
    ("update", "name and bytes of a file that came in"),
    ("meter.<what>", "link, frame, value, reading or event of an electricity meter"),
)


def load():
    """From now on the bus is in memory, and what the node tells can be heard."""
    return "the bus is up"


def topics():
    """What the node itself tells, then who listens: waiting, taken, dropped and failed messages of each."""
    lines = ["{:<14} {}".format(topic, meaning) for topic, meaning in _TOPICS]
    for topic, handlers in sorted([(str(topic), handlers) for topic, handlers in sys_bus.sub_table().items()]):
        lines.append("{:<14} -> {}".format(topic, ", ".join([sys_bus.name(handler) for handler in handlers])))
    for box in sys_bus.boxes():
        lines.append("{}: {} waiting, {} taken, {} dropped, {} failed".format(
            sys_bus.name(box.work), box.waiting(), box.taken, box.dropped, box.failed))
    return "\n".join(lines)


def publish(topic, message=None):
    """Tell the subscribers of a topic. Returns how many there are."""
    sys_bus.publish(topic, message)
    table = sys_bus.sub_table()
    count = len(table.get(topic, ())) + len(table.get(sys_bus.ANY, ()))
    return "{} subscriber{}".format(count, "" if count == 1 else "s")


@socket_stream
def watch(topic=sys_bus.ANY, seconds=10, messages=_MOST_MESSAGES, msgobj=None):
    """Show the messages of a topic, `*` for all, until so many have come or the time is up.

    seconds: 1-3600; messages: 1-1000
    """
    if not 1 <= seconds <= _MOST_S or not 1 <= messages <= _MOST_MESSAGES:
        raise ValueError("watch takes seconds=1-{} messages=1-{}".format(_MOST_S, _MOST_MESSAGES))
    return _watch(topic, seconds, messages, msgobj)


async def _watch(topic, seconds, messages, say):
    seen = [0]
    is_enough = asyncio.Event()

    def watcher(topic, message):
        if seen[0] < messages:
            seen[0] += 1
            say("{}: {}".format(topic, message))
        if seen[0] == messages:
            is_enough.set()

    sys_bus.subscribe(topic, watcher)
    try:
        await asyncio.wait_for(is_enough.wait(), seconds)
    except asyncio.TimeoutError:
        pass
    finally:
        sys_bus.unsubscribe(topic, watcher)
    return "{} messages".format(seen[0])


def help():
    return "topics", "publish topic message", 'watch topic="*" seconds=<1-3600> messages=<1-1000>'
