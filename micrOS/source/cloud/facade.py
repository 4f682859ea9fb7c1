"""The public names of the Device Cloud agent: `device_cloud.Client`, the same on boards and hosts.

On a host every method waits as long as it says, in any thread. On a board a method that waits gives a coroutine, which
a program awaits; those that only queue (telemetry_publish and its kin, action_register_...) are plain calls there too.
"""
import asyncio
import sys

from . import ground
from .actions import Actions
from .agent import Agent
from .ground import mqtt_session, tr50
from .mqtt_client import MqttClient, Refused
from .store import Store

_NOT_INITIALIZED = 13
_NOWHERE = {"host": "localhost", "port": 1883, "token": "none"}      # the cloud of a client that is offline


class Config:
    """Settings as attributes; what is a dict is a Config too. An attribute that nobody has set is None."""

    def __init__(self, values):
        for name, value in values.items():
            setattr(self, name, Config(value) if isinstance(value, dict) else value)

    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)


def plain(config):
    """The dict that a Config was made of, and what was set since."""
    return {name: plain(value) if isinstance(value, Config) else value for name, value in config.__dict__.items()}


class _Client:
    """app_id: names the configuration file. kwargs: settings that count more than the file's.

    error_handler(codes, sent_message, reply_text): a request that the cloud refused
    offline: initialize() does all but what needs a configuration file; for tests of a program
    """

    def __init__(self, app_id, kwargs=None, offline=False, error_handler=None):
        self.app_id, self.error_handler = app_id, error_handler
        self.config = Config(dict({"cloud": {}, "proxy": {}}, **(kwargs or {})))
        self.agent = None
        self._is_offline = offline
        self._tasks = []
        self._changed = None             # asyncio.Event: the link came or went
        self._error = None               # why it went

    def initialize(self):
        """0. Raises OSError, KeyError, ValueError for a configuration that cannot be used."""
        from . import config
        given = plain(self.config)
        if self._is_offline:
            values = config.over(dict(config.DEFAULTS, cloud=_NOWHERE), given)
        else:
            values = config.loaded(self.app_id, given)
        thing = config.thing_key(self.app_id, values)
        self.config = Config(values)
        self._trust, self._kind = config.trust(values), config.transport(values["cloud"])
        self._file_place = config.file_place(values["cloud"])
        ground.begin_log(thing, self.config)
        self._make(thing, self.config)
        ground.forget("config")
        return tr50.SUCCESS

    @ground.quick
    def _make(self, thing, settings):
        session = mqtt_session.Client(thing, thing, settings.cloud.token, 60, None, True, ground.WINDOW,
                                      ground.PACKET_BYTES)
        folder = "{}/.{}-queue".format(settings.config_dir, self.app_id or "thing")
        store = Store(folder, ground.RAM_ITEMS, int(settings.store_bytes or ground.FLASH_BYTES))
        self._actions = Actions(self, settings.thread_count and int(settings.thread_count))
        self.agent = Agent(thing, MqttClient(session, self._opened), store, self._actions, float(settings.loop_time),
                           int(settings.qos_level))
        self.agent.keep_alive_s = float(settings.keep_alive)
        self.agent.on_link = self._linked
        self.agent.on_error = self._refused if self.error_handler else None

    async def _opened(self):
        cloud = self.config.cloud
        if self._kind == "wss":
            from .relay import opened
            url = "https://{}:{}/mqtt".format(cloud.host, cloud.port)
            return (await opened(url, self._trust, "mqtt"))[1]
        return await ground.opened(cloud.host, int(cloud.port), self._trust if self._kind == "tls" else None,
                                   proxy=self._trust.proxy)

    def _linked(self, error):
        self._error = error
        if self._changed:
            self._changed.set()

    def _refused(self, codes, commands, messages):
        self.error_handler(codes, str(commands)[:1024], str(messages)[:1024])

    # -- the connection

    @ground.waiting
    async def connect(self, timeout=0):
        """0; 19 refused or not trusted; 16 not up in time: it goes on trying. timeout: seconds, 0: for ever"""
        if self.agent is None:
            return _NOT_INITIALIZED
        if not self.is_alive():
            self._changed = asyncio.Event()
            self.agent.reopen()
            self._tasks = [asyncio.create_task(self.agent.link.run()), asyncio.create_task(self.agent.run())]
        try:
            return await asyncio.wait_for(self._settled(), timeout or None)
        except asyncio.TimeoutError:
            return tr50.TIMED_OUT

    async def _settled(self):
        while not self.agent.link.is_up():
            self._changed.clear()
            await self._changed.wait()
            if isinstance(self._error, Refused) or ground.is_distrust(self._error):
                self.agent.link.close()
                await self._ended()
                return tr50.FAILURE
            if not self.is_alive():
                return tr50.FAILURE
        return tr50.SUCCESS

    def disconnect(self, wait_for_replies=False, timeout=0):
        """0. What was queued goes out first. wait_for_replies: up to timeout seconds, 0: for ever"""
        return ground.last(self, self._disconnected(wait_for_replies, timeout))

    @ground.waiting
    async def _disconnected(self, wait_for_replies, timeout):
        if self.agent and self._tasks:
            try:
                await asyncio.wait_for(self._emptied(wait_for_replies), timeout or (None if wait_for_replies else 2))
            except asyncio.TimeoutError:
                pass
            self.agent.link.close()
            await self._ended()
        return tr50.SUCCESS

    async def _emptied(self, is_patient):
        agent = self.agent
        while agent.link.is_up() and (agent.is_busy() or is_patient and agent.requests.waiting()):
            agent.drain()
            await asyncio.sleep(0.05)

    async def _ended(self):
        self.agent.wake.set()
        for task in self._tasks:
            await task
        self._tasks = []

    def is_connected(self):
        return bool(self.agent and self.agent.link.is_up())

    def is_alive(self):
        """True while it is connected or tries to be."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    # -- what it tells

    def telemetry_publish(self, telemetry_name, value, cloud_response=False, timestamp=None, corr_id=None,
                          aggregate=False):
        """0 queued; 2 no name, or no value; 13. cloud_response: waits for the reply: 0, 16, 19.

        name: up to 128 characters; value: a text of up to 16384, on a board 1024, a truth, or a number that has an end
        timestamp: datetime (UTC) or text
        """
        try:
            when = None if timestamp is None else self._moment(timestamp)
        except tr50.Tr50Error:
            return tr50.BAD_PARAMETER
        if cloud_response:
            return self._asked(telemetry_name, value, when, corr_id)
        return self._told("property", when, telemetry_name, value, corr_id)

    @ground.quick
    def _told(self, kind, moment, *fields):
        return _NOT_INITIALIZED if self.agent is None else self.agent.put(kind, moment, *fields)

    def attribute_publish(self, attribute_name, value):
        return self._told("attribute", None, attribute_name, value)

    def alarm_publish(self, alarm_name, state, message=None, republish=False):
        """state: a whole number"""
        return self._told("alarm", None, alarm_name, state, message, bool(republish))

    def event_publish(self, message):
        return self._told("event", None, str(message))

    # -- what it does

    @ground.quick
    def action_register_callback(self, action_name, callback_function, user_data=None):
        """0, 5 when the name is taken, 7 when there are too many, 13."""
        if self.agent is None:
            return _NOT_INITIALIZED
        return self._actions.register(action_name, callback_function, user_data)

    @ground.quick
    def set_fallback(self, find):
        """find(name): the callback for a name that nobody registered, or None. Not of the public agent."""
        self._actions.fallback = find

    def trust(self):
        """Whom this client believes behind TLS, for further connections of its own."""
        return self._trust


if sys.implementation.name == "micropython":
    class Client(_Client):
        def __getattr__(self, name):
            """The rest of it is in memory from its first use on."""
            from .facade_more import More
            found = More.__dict__.get(name)
            if found is None:
                raise AttributeError(name)
            return lambda *words, **named: found(self, *words, **named)
else:
    from .facade_more import More

    class Client(_Client, More):
        __doc__ = _Client.__doc__
