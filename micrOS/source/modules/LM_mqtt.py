"""The node at an MQTT broker, with Home Assistant, at Aliyun or Tencent: one connector at a time.

`<name>-connect.cfg` at the node's root is its configuration, a JSON object; `mqtt settings` lists what goes into it.
"""
import asyncio

from micropython import const

from Common import once
from TaskManager import manager
from pure.lazy import unload

_TAG = const("mqtt.link")
_WAIT_S = const(8)                # for the link, of who asks for it


class Node:
    """link: the Connected that is at work, or was; name: of its configuration"""

    def __init__(self):
        self.link = self.name = None

    def begin(self, name):
        """Raises ValueError for a configuration that cannot be used."""
        if self.is_running():
            if name != self.name:
                raise ValueError("{} is connected; mqtt disconnect first".format(self.name))
            return
        from cloud.connecting import configured
        try:
            made, config = configured(name)
        finally:
            unload("cloud.connecting")
        from cloud.connector import Connected, Here
        self.link, self.name = Connected(made, Here(config)), name
        manager().start(_TAG, self.link.run())

    def is_running(self):
        task = manager().get(_TAG)
        return bool(task and task.active)


@once
def _node():
    return Node()


def _link():
    link = _node().link
    if link is None or not _node().is_running():
        raise ValueError("not connected: mqtt connect")
    return link


async def connect(name="mqtt"):
    """Connect by <name>-connect.cfg, and keep it so. Returns when the link is up, or why it is not yet."""
    node = _node()
    node.begin(name)
    link, left = node.link, _WAIT_S * 10
    client = link.client
    while left and not client.is_up() and node.is_running():
        left -= 1
        await asyncio.sleep_ms(100)
    place = "{}:{}".format(*link.place)
    return "connected to " + place if client.is_up() else "no link to {}: {}".format(place, client.error or "no answer")


async def load(name="mqtt"):
    """As connect."""
    return await connect(name)


async def disconnect():
    """Say so, and leave."""
    link, node = _link(), _node()
    await link.leave()
    while node.is_running():
        await asyncio.sleep_ms(10)
    node.link = None
    return "disconnected"


def status():
    """Is there a link, what was told, refused, failed. Never tells a secret."""
    node = _node()
    if node.link is None:
        return {"up": False}
    told = node.link.status()
    told["connector"] = node.name
    return told


async def publish(topic, message="", retain=False):
    """Returns when the broker has it (QoS 1)."""
    import json
    payload = message if isinstance(message, str) else json.dumps(message)
    await _link().client.publish(str(topic), payload, 1, bool(retain))
    return "published"


async def event(name, value=None):
    """An event under a name, as the connector puts it."""
    await _link().tell(str(name), value)
    return "told"


def settings(connector="mqtt"):
    """Keys of the configuration, their defaults and what they mean."""
    from cloud.connecting import SETTINGS
    from cloud.connecting import connector as found
    try:
        rows = found(connector).settings() + SETTINGS
        return "\n".join(["{:<14} {:<15} {}".format(key, "needed" if default is ... else str(default), meaning)
                          for key, default, meaning in rows])
    finally:
        names = ["cloud.connecting"]
        link = _node().link
        if link is None or link.file != "to_" + connector:
            names += ["cloud.to_" + connector, "pure." + connector, "pure.hmac"]
        unload(*names)


def help():
    return ("connect name='mqtt'", "load name='mqtt'", "disconnect", "status", "publish topic message='' retain=False",
            "event name value=None", "settings connector=<mqtt,aliyun,tencent>")
