"""A connector at work: what load modules tell goes up, what the other side asks for is done.

A connector is a file `to_<name>.py` with the functions settings, sign_in, up and down: PORTING.md. All else is here:
the link and its return, looking at the modules, one payload at a time, commands in their order.
"""
import asyncio
import gc
import json
import os
import sys
from binascii import crc32

from micropython import const

from Catalogue import loaded
from ConfigHandler import cfgget
from Modules import PREFIX, CallError
from TaskManager import finished, manager
from pure.lazy import unload
from pure.things import asked
import sys_bus

from . import ground
from .ground import mqtt_session
from .mqtt_client import MqttClient, turn

_UPDATE = const(("offered", "board_update"))
_ORDERS_BYTES = const(4096)       # of orders that wait to be done: some 60
_CALL_S = const(30)               # for one of them
_LEAVE_S = const(5)               # for the last words
_TEXT_CHARS = const(1024)         # of an answer
# they tell of the node and its links, or would tell of this one
_SILENT = const(("mqtt", "cloud", "vsoa", "bus", "log", "lmpacman", "system", "intercon", "quec", "qframe", "telegram",
                 "robustness", "demo", "i2c", "genIO", "gpio", "pm", "net", "watchdog", "oled_ui"))


class Here:
    """Who this node is, and what the connector is told.

    uid, name, version, board: text; config: dict; ident(): a new number for a message
    """

    def __init__(self, config):
        self.uid, self.name, self.version = cfgget("hwuid"), cfgget("devfid"), cfgget("version")
        self.board = os.uname().machine
        self.config = config
        self._ident = 0

    def ident(self):
        self._ident += 1
        return self._ident


class Connected:
    """client: the MqttClient; told: messages that the other side has

    refused, failed: orders for which there was no room, readings and orders that raised
    """

    def __init__(self, made, here):
        self.here, self._connector = here, made
        self.file = "to_" + here.config["connector"]
        self.refused = self.failed = self.told = 0
        self._every_ms = int(1000 * here.config["every"])
        self._orders = []                # (topic, payload) that came, in their order
        self._wake, self._asked = asyncio.Event(), asyncio.Event()
        self._is_new = False             # the link is new: the other side knows nothing
        self._sent = {}                  # {module: CRC of the state that the other side has}
        self._last = {}                  # {module: its last reading that did not fail, {} when it tells nothing}
        self._doors = {}                 # {module: name of the function that tells its reading, or None}
        self._shown = None               # CRC of what was announced
        self._errors = {}                # {module: why its reading failed last}
        self._offer = None               # of an update
        sign = made.sign_in(here)
        session = mqtt_session.Client(
            sign["id"], sign.get("user"), sign.get("password"), sign.get("keep_alive_s", 60), sign.get("will"),
            here.config["clean"], ground.WINDOW, ground.PACKET_BYTES)
        self.place = sign["host"], sign["port"]
        self.client = MqttClient(session, self._opened)
        self.client.filters += [(topic, 1) for topic in sign["topics"]]
        self.client.on_message, self.client.on_up = self._heard, self._up

    def _opened(self):
        config, (host, port) = self.here.config, self.place
        if config["psk"]:
            from .psk import opened
            return opened(host, port, config["psk_identity"] or "", config["psk"])
        return ground.opened(host, port, ground.Trust(config["ca"], not config["insecure"]) if config["tls"] else None)

    async def run(self):
        """Until leave(), or cancelled."""
        for name in self.here.config["modules"] or ():
            try:
                manager().modules.load(name)
            except Exception as error:       # outer wall: a module that cannot be loaded must not cost the link
                ground.blame("mqtt", error)
        wanted = self.here.config["bus"]
        topics = (sys_bus.ANY,) if sys_bus.ANY in wanted else set(wanted) | {"alarm"}
        works = [asyncio.create_task(work) for work in (self._look_on(), self._obey())]
        for topic in topics:
            sys_bus.subscribe(topic, self._passed)
        try:
            await self.client.run()
        finally:
            for topic in topics:
                sys_bus.unsubscribe(topic, self._passed)
            for work in works:
                work.cancel()

    async def leave(self):
        """Say so, and end run()."""
        if self.client.is_up():
            try:
                await asyncio.wait_for(self._say("offline", "", None), _LEAVE_S)
            except asyncio.TimeoutError:
                pass
        self.client.close()

    # -- up

    async def _say(self, kind, name, value):
        """What the connector makes of it, one payload after the other; each returns when the other side has it."""
        for topic, payload, is_retained in self._connector.up(self.here, kind, name, value):
            await self.client.publish(topic, payload, 1, is_retained)
            self.told += 1

    async def tell(self, name, value):
        """An event of a program's own."""
        await self._say("event", name, value)

    def _up(self, is_present):
        self._is_new = True
        self._wake.set()

    async def _passed(self, topic, message):
        if topic == "module":
            self._wake.set()
        if topic == "alarm":
            await self._say("alarm", "", message)
        else:
            await self._say("bus", str(topic), _plain(message))

    async def _look_on(self):
        while True:
            await turn(self._wake, self._every_ms)
            if self.client.is_up():
                try:
                    await self._look()
                except Exception as error:       # outer wall: one look that fails must not be the last
                    ground.blame("mqtt", error)

    async def _look(self):
        """Tell what has changed; after a new link all of it."""
        if self._is_new:
            self._is_new = False
            self._sent.clear()
            self._shown = None
            await self._say("online", "", self._offer)
        names = self._names()
        for name in names:
            await self._state(name, await self._reading(name))
        for name in [name for name in self._doors if name not in names]:
            await self._gone(name)
        # what a module told last: one reading that fails takes nothing from anybody
        table = [(name, self._last.get(name)) for name in names]
        shown = crc32(repr([(name, reading and sorted(reading)) for name, reading in table]).encode())
        if shown != self._shown:
            await self._say("announce", "", [(name, self.rows(name), reading) for name, reading in table])
            self._shown = shown

    async def _state(self, name, reading):
        if reading is None:
            return
        self._last[name] = reading
        mark = crc32(json.dumps(reading).encode())
        if reading and self._sent.get(name) != mark:
            self._sent[name] = mark
            await self._say("state", name, reading)

    async def _gone(self, name):
        is_told = self._last.pop(name, None)
        for kept in (self._sent, self._doors, self._errors):
            kept.pop(name, None)
        if is_told:
            await self._say("state", name, None)

    def _names(self):
        wanted = self.here.config["modules"]
        return [name for name in loaded() if (name not in _SILENT if wanted is None else name in wanted)]

    def rows(self, name):
        """Usage lines of a module that is loaded."""
        try:
            return tuple(sys.modules[PREFIX + name].__dict__["help"]())
        except Exception:                    # outer wall: a guest without help, or with a broken one
            return ()

    async def _reading(self, name):
        """{key: value} that a module tells, {} when that is nothing, None when it fails."""
        if name not in self._doors:
            self._doors[name] = asked(self.rows(name))
        door = self._doors[name]
        try:
            if not door:
                return {}
            manager().modules.running = [name, door]      # should it hold up the node, this is who it was
            value = sys.modules[PREFIX + name].__dict__[door]()
            manager().modules.running = None
            value = await value if hasattr(value, "send") else value
            self._errors.pop(name, None)
        except Exception as error:           # outer wall: a sensor that fails must not cost the others their say
            manager().modules.running = None
            self.failed += 1
            if self._errors.get(name) != str(error):
                self._errors[name] = str(error)
                ground.blame("mqtt {}".format(name), error)
            return None
        if isinstance(value, dict):
            return {str(key): _plain(value[key]) for key in value}
        return {door: value} if isinstance(value, (int, float)) else {}

    # -- down; an order is (name, ...): do_<name>(...)

    def _heard(self, topic, payload):
        """Of the link: it does not wait, so the order does; as it came, which takes the least room."""
        if payload is None or sum([len(words[0]) + len(words[1]) for words in self._orders]) > _ORDERS_BYTES:
            self.refused += 1
            return
        self._orders.append((topic, payload))
        self._asked.set()

    async def _obey(self):
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._orders:
                topic, payload = self._orders.pop(0)
                try:
                    order = self._connector.down(self.here, topic, payload)
                    if order:
                        await getattr(self, "do_" + order[0])(*order[1:])
                except Exception as error:       # outer wall: one order must not cost the next
                    self.failed += 1
                    ground.blame("mqtt", error)

    async def do_call(self, calls, reply):
        """calls: lists of words; reply: what the connector wants to see again with the answers"""
        answers = []
        for words in calls:
            answers.append(await self._called(words))
        await self._say("result", reply, answers)
        self._wake.set()                     # what it changed

    async def do_result(self, reply, answers):
        await self._say("result", reply, answers)

    async def _called(self, words):
        """(is done, text)"""
        allowed, said = self.here.config["calls"], []
        if len(words) < 2:
            return False, "{} is no module and function".format(" ".join(words))
        if allowed is not True and words[0] not in (allowed or ()):
            return False, "{} may not be called from here".format(words[0])
        try:
            answer = await asyncio.wait_for(finished(manager().modules.call(words, False, said.append)), _CALL_S)
            return True, "\n".join(said + [answer])[:_TEXT_CHARS]
        except CallError as error:
            return False, str(error)[:_TEXT_CHARS]
        except asyncio.TimeoutError:
            return False, "no answer in {} s".format(_CALL_S)

    async def do_announce(self):
        self._shown = None
        self._sent.clear()
        self._wake.set()

    async def do_bus(self, topic, message):
        sys_bus.publish(topic, message)

    async def do_offer(self, offer, is_now):
        """offer: {"url", "version", "size", "md5", "sha256"}, None where it is not told"""
        self._offer = offer
        await self._say("update", "available", (offer, 0, ""))
        if is_now:
            await self.do_install()

    async def do_install(self):
        if not self._offer or not self.here.config["updates"]:
            return
        gc.collect()
        try:
            from .offered import Install
            await Install(self._offer, self._progress, self.leave).run()
        except MemoryError:
            ground.forget(*_UPDATE)      # first of all: these words take memory, too
            await self._progress("failed", 0, "no memory for it")
        finally:
            ground.forget(*_UPDATE)
            unload("Staging", "Folders", "Http")

    async def _progress(self, state, percent, why=""):
        await self._say("update", state, (self._offer, percent, why))

    def status(self):
        """What a person wants to know; no secret."""
        client = self.client
        return {"up": client.is_up(), "broker": "{}:{}".format(*self.place), "links": client.ups, "told": self.told,
                "refused": self.refused, "failed": self.failed, "error": str(client.error or "")}


def _plain(value):
    """value if JSON has a place for it, else its text."""
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)
