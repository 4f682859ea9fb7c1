"""What subscribes to topics of MQTT, and which topics a filter takes: names of mqtt.py, in memory when asked for.

Source: OASIS MQTT 3.1.1, sections 3.8, 3.10 and 4.7.
"""
from struct import pack

from .mqtt import SUBSCRIBE, UNSUBSCRIBE, MqttError, packet, text


def subscribe(ident, wanted):
    """SUBSCRIBE. wanted: pairs (filter, qos). Raises MqttError."""
    return packet(SUBSCRIBE, pack(">H", ident) + b"".join([text(checked_filter(name)) + bytes((qos,))
                                                            for name, qos in wanted]), 2)


def unsubscribe(ident, filters):
    return packet(UNSUBSCRIBE, pack(">H", ident) + b"".join([text(checked_filter(name)) for name in filters]), 2)


def checked_filter(name):
    """The filter if one can subscribe to it: + alone in its level, # alone in the last one. Raises MqttError."""
    levels = name.split("/")
    wild = [level for level in levels if "+" in level or "#" in level]
    if not name or "\0" in name or any(level not in "+#" for level in wild) or "#" in levels[:-1]:
        raise MqttError("+ is a level of its own and # the last one, got {!r}".format(name[:40]))
    return name


def matches(name, topic):
    """True when a message on topic is for this filter. A wildcard does not take the `$` that begins a topic."""
    if name[:1] in ("+", "#") and topic[:1] == "$":
        return False
    wanted, levels = name.split("/"), topic.split("/")
    for at, level in enumerate(wanted):
        if level == "#":                 # `a/#` is for `a`, too
            return True
        if at == len(levels) or level not in ("+", levels[at]):
            return False
    return len(wanted) == len(levels)
