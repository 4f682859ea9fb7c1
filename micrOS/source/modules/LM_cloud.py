"""The node as a thing of the Device Cloud: what it measures goes up, what the cloud asks for it does.

`<app_id>-connect.cfg` at the node's root says where the cloud is; `devToolKit.py --cloud config` writes it.
"""
import asyncio

from micropython import const

from Common import once
from Files import exists
from TaskManager import manager

_TAG = const("cloud.agent")
_TAG_RULES = const("cloud.rules")
_RULES = const("cloud_rules.json")      # where rules.py keeps them
_WAIT_S = const(8)                # for the link, of who asks for it


class Node:
    """client: a device_cloud.Client, and rules: Rules, as soon as they are wanted"""

    def __init__(self):
        self.client = self._rules = None

    def begin(self, app_id):
        """Raises OSError, KeyError, ValueError for a configuration that cannot be used."""
        if self.client and self.client.app_id != app_id:
            raise ValueError("this node is {} already; reboot to be another thing".format(self.client.app_id))
        if self.client is None:
            from device_cloud import Client
            from cloud.board import offer
            client = Client(app_id)
            client.initialize()
            offer(client)
            self.client = client
        manager().start(_TAG, self._run())
        if exists(_RULES):
            self.rules()

    async def _run(self):
        """Keep the link up until the task is killed."""
        try:
            await self.client.connect()
            while self.client.is_alive():
                await asyncio.sleep(1)
        finally:
            await self.client.disconnect()

    def rules(self):
        """The Rules, at work."""
        if self._rules is None:
            from cloud.rules import Rules
            self._rules = Rules()
        if self.client:
            manager().start(_TAG_RULES, self._rules.run(self.client.telemetry_publish))
        return self._rules


@once
def _node():
    return Node()


def _client():
    client = _node().client
    if client is None:
        raise ValueError("the cloud is not connected: cloud connect")
    return client


def _told(status):
    from pure.tr50_status import text
    return "queued" if status == 0 else text(status)


async def connect(app_id="micrOS"):
    """Connect, and keep it so. Returns when the link is up, or why it is not yet."""
    if not exists(app_id + "-connect.cfg"):
        raise ValueError("no {}-connect.cfg: `devToolKit.py --cloud config` writes one".format(app_id))
    node = _node()
    try:
        node.begin(app_id)
    except KeyError as error:
        raise ValueError(error.args[0])
    client, left = node.client, _WAIT_S * 10
    while left and not client.is_connected() and manager().get(_TAG).active:
        left -= 1
        await asyncio.sleep_ms(100)
    return "connected as {}".format(client.agent.thing) if client.is_connected() else _why(client)


def _why(client):
    return "no link: {}".format(client.agent.link.error or "no answer yet")


async def disconnect():
    """Say what waits, and leave."""
    client = _client()
    for tag in (_TAG, _TAG_RULES):
        task = manager().get(tag)
        if task:
            task.cancel()
    await client.disconnect()
    return "disconnected"


def status():
    """Is there a link, what waits, what was lost. Never tells the token."""
    client = _node().client
    if client is None:
        return {"up": False}
    agent = client.agent
    return {"up": client.is_connected(), "thing": agent.thing, "waiting": agent.store.waiting(),
            "dropped": agent.store.dropped, "strange": agent.strange + agent.requests.strange, "links": agent.link.ups,
            "error": str(agent.link.error or "")}


def telemetry(name, value):
    return _told(_client().telemetry_publish(name, value))


def attribute(name, value):
    return _told(_client().attribute_publish(name, value))


def alarm(name, state, message=None):
    return _told(_client().alarm_publish(name, state, message))


def event(message):
    return _told(_client().event_publish(message))


def location(latitude, longitude):
    return _told(_client().location_publish(latitude, longitude))


async def upload(path, name=None):
    """Send a file of the node."""
    return await _moved(_client().file_upload(path if path[:1] == "/" else "/" + path, name, True))


async def download(name, path=None):
    """Fetch a file. path: where it goes, default its name at the root"""
    return await _moved(_client().file_download(name, path or "/" + name, True))


async def _moved(work):
    status = work if isinstance(work, int) else await work
    return "done" if status == 0 else _told(status)


def rule(name, call, every=10, change=False, key=None):
    """Publish what a call gives, every so many seconds; change: only when it differs. key: of a dict"""
    from cloud.rules import Rule
    if not 0.2 <= every <= 86400:
        raise ValueError("a rule takes every=0.2-86400 s, got {}".format(every))
    _node().rules().put(Rule(name, call, every, bool(change), key))
    return "rule {}".format(name)


def unrule(name):
    _node().rules().drop(name)
    return "no rule {}".format(name)


def rules():
    return "\n".join(_node().rules().lines()) or "none"


def help():
    return ("connect app_id='micrOS'", "disconnect", "status", "telemetry name value", "attribute name value",
            "alarm name state message=None", "event message", "location latitude longitude", "upload path name=None",
            "download name path=None", "rule name call every=<0.2-86400> change=False key=None", "unrule name", "rules")
