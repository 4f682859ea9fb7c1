"""The nodes behind the door: found, remembered, watched, and told apart."""
from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from random import SystemRandom
from typing import Any

from toolkit import discover
from toolkit.errors import UnknownDeviceError
from toolkit.gateway.errors import AmbiguousNameError
from toolkit.gateway.events import Events
from toolkit.gateway.link import DOWN, Answer, NodeLink, State
from toolkit.gateway.settings import Settings
from toolkit.inventory import Device, Introduction, Inventory
from toolkit.link.shell import PORT
from toolkit.link.webrepl import PORT as FILES_PORT

WATCHERS = 32                  # nodes that are looked at at a time
SEEK_S = 10.0                  # between two searches because of nodes that have gone
MOST_NODES = 10_000
SEARCH_S = 1.0                 # each step of a search

log = logging.getLogger(__name__)


class Node:
    """One node. `ask` is the way to it; the rest is what is known of it."""

    def __init__(self, device: Device, settings: Settings, nodes: Nodes) -> None:
        self.link = NodeLink(device, settings, lambda: nodes.changed(self), nodes.met)
        self.board = ""
        self.files_port = FILES_PORT
        self.look_at = 0.0                  # time.monotonic() of the next look
        self.pause_s = settings.watch_s

    @property
    def device(self) -> Device:
        return self.link.device

    @property
    def uid(self) -> str:
        return self.device.uid

    @property
    def name(self) -> str:
        return self.device.name

    @property
    def now(self) -> State:
        return self.link.now

    @property
    def version(self) -> str:
        return self.link.version

    async def ask(self, command: str, *, timeout_s: float | None = None, max_age_s: float = 0) -> Answer:
        """See NodeLink.ask."""
        return await self.link.ask(command, timeout_s=timeout_s, max_age_s=max_age_s)

    def to_dict(self) -> dict[str, Any]:
        """As the REST API tells it: schema Device."""
        now, device = self.now, self.device
        return {"uid": device.uid, "name": device.name, "address": device.address, "port": device.port,
                "state": now.state, "why": now.why, "version": self.version, "board": self.board,
                "locked": self.link.is_locked, "latency_s": now.latency_s, "last_seen": now.last_seen}


class Nodes:
    """All nodes of the inventory, by uid. Two may have one name; an address belongs to whom answers there."""

    def __init__(self, settings: Settings, events: Events, inventory: Inventory | None = None) -> None:
        self.searched_s = 0.0                       # how long the last search took
        self.searching = False
        self._settings = settings
        self._events = events
        self._file = (Inventory() if inventory is None else inventory).path      # read anew: others write it, too
        self._remembered: dict[str, Device] = {}
        self._nodes: dict[str, Node] = {}
        self._chores: list[asyncio.Task[None]] = []
        self._search: asyncio.Task[None] | None = None
        self._sought_at = -1e9
        self._gate = asyncio.Semaphore(WATCHERS)
        self._news = asyncio.Event()

    def all(self) -> list[Node]:
        """By name, then uid."""
        return sorted(self._nodes.values(), key=lambda node: (node.name, node.uid))

    def __len__(self) -> int:
        return len(self._nodes)

    def find(self, tag: str) -> Node:
        """The node of a uid, name, address or address:port, spelled exactly so.

        Raises UnknownDeviceError, AmbiguousNameError when several go by it: a uid always tells them apart.
        """
        if tag in self._nodes:
            return self._nodes[tag]
        found = [node for node in self._nodes.values() if node.device.goes_by(tag)]
        alive = [node for node in found if node.now.state != DOWN]
        if tag not in (node.name for node in found) and len(alive) == 1:
            return alive[0]              # an address whose former owner is gone
        if not found:
            raise UnknownDeviceError(f"no node goes by {tag[:80]!r}: /api/v1/devices lists them by name and uid")
        if len(found) > 1:
            uids = ", ".join(sorted(node.uid for node in found)[:8])
            raise AmbiguousNameError(f"{len(found)} nodes go by {tag!r}: use the uid of the one you mean: {uids}")
        return found[0]

    def keep(self, devices: Iterable[Device]) -> None:
        """Take what was found: new nodes, new addresses, new names."""
        devices = list(devices)
        for device in devices:
            self._take(device)
        self._remember(*devices)

    def met(self, device: Device) -> None:
        """A node has answered at an address where another was expected."""
        self.keep([device])
        self._seek()

    def changed(self, node: Node) -> None:
        """Told by the node's link: its state, name or version is another."""
        self._remember(node.device)
        self._events.publish(f"node.{node.now.state}", node.to_dict())
        log.info("%s (%s) is %s %s", node.name, node.uid, node.now.state, node.now.why)
        if node.now.state == DOWN:
            self._seek()

    def forget(self, node: Node) -> None:
        """Until it is found again."""
        self._nodes.pop(node.uid, None)
        self._remembered.pop(node.uid, None)
        Inventory(self._file).forget(node.uid)
        self._events.publish("node.forgotten", node.to_dict())

    def _remember(self, *devices: Device) -> None:
        """In the file that all of the toolkit shares; what another command has put there stays."""
        news = [device for device in devices if self._remembered.get(device.uid) != device]
        if news:
            Inventory(self._file).keep(*news)
            self._remembered.update({device.uid: device for device in news})

    def _recall(self) -> None:
        """Nodes that the file knows and we do not: found before, or by another command."""
        for device in Inventory(self._file):
            if device.uid not in self._nodes:
                self._remembered[device.uid] = device
                self._take(device)

    # -- finding
    async def search(self) -> None:
        """Look for nodes now; a search that is on its way will do."""
        await asyncio.shield(self._begin_search())

    def _seek(self) -> None:
        """A node has gone, perhaps to another address: look around soon, but not again and again."""
        now = time.monotonic()
        if now - self._sought_at > SEEK_S:
            self._sought_at = now
            self._begin_search()

    def _begin_search(self) -> asyncio.Task[None]:
        if self._search is None or self._search.done():
            self._search = asyncio.create_task(self._look_around())
            self._search.add_done_callback(lambda done: done.cancelled() or done.exception())      # maybe nobody waits
        return self._search

    async def _look_around(self) -> None:
        begun, self.searching = time.monotonic(), True
        try:
            self._recall()
            self._introduce(await asyncio.to_thread(self._announced))
            targets = [target for target in self._targets() if target not in self._places_up()]
            self.keep(await asyncio.to_thread(discover.hello_all, targets, SEARCH_S))
        finally:
            self.searching = False
            self.searched_s = round(time.monotonic() - begun, 3)

    def _announced(self) -> list[Introduction]:
        return discover.announced(SEARCH_S) if self._settings.discover else []

    def _targets(self) -> list[discover.Target]:
        named = [_target(text) for text in self._settings.device_hosts]
        return [*named, *(discover.LOOPBACK if self._settings.discover else ())]

    def _places_up(self) -> set[discover.Target]:
        """Where a session is open: asking there would only take a seat."""
        return {(node.device.address, node.device.port) for node in self._nodes.values() if node.link.is_open}

    def _introduce(self, told: Sequence[Introduction]) -> None:
        self.keep(each.device for each in told)
        for each in told:
            if node := self._nodes.get(each.device.uid):
                node.board, node.files_port = each.board, each.files_port or FILES_PORT

    def _take(self, device: Device) -> None:
        node = self._nodes.get(device.uid)
        if node is None and len(self._nodes) >= MOST_NODES:
            return                       # whoever sends datagrams can make up more of them than there is memory
        if node is None:
            node = self._nodes[device.uid] = Node(device, self._settings, self)
            self._events.publish("node.found", node.to_dict())
        elif node.device != device:
            node.link.move(device)
            self._events.publish("node.changed", node.to_dict())
        elif node.now.state != DOWN:
            return
        node.look_at = 0.0
        self._news.set()

    # -- watching
    async def start(self) -> None:
        """Remember, then keep looking, for new nodes and at those there are."""
        self._recall()
        self._chores = [asyncio.create_task(self._searching()), asyncio.create_task(self._watching())]

    async def stop(self) -> None:
        tasks = [*self._chores, *([self._search] if self._search else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(node.link.close() for node in self._nodes.values()))

    async def _searching(self) -> None:
        while True:
            try:
                await self.search()
            except Exception:           # outer wall: the next search may work
                log.exception("the search for nodes failed")
            await asyncio.sleep(_about(self._settings.discover_s))

    async def _watching(self) -> None:
        """Each node gets a hello now and then; one that stays down, less and less often."""
        looks: set[asyncio.Task[None]] = set()
        try:
            while True:
                now = time.monotonic()
                for node in list(self._nodes.values()):
                    if node.look_at <= now:
                        node.look_at = now + _about(node.pause_s)
                        look = asyncio.create_task(self._look(node))
                        looks.add(look)
                        look.add_done_callback(looks.discard)
                await self._until_next_look()
        finally:
            for look in looks:
                look.cancel()

    async def _until_next_look(self) -> None:
        next_at = min((node.look_at for node in self._nodes.values()), default=time.monotonic() + 60)
        self._news.clear()
        try:
            async with asyncio.timeout(max(0.01, next_at - time.monotonic())):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _look(self, node: Node) -> None:
        async with self._gate:
            try:
                await node.ask("hello")
                node.pause_s = self._settings.watch_s
            except Exception as error:  # outer wall; the link has told what there is to tell
                log.debug("%s: %s", node.name, error)
                node.pause_s = min(2 * node.pause_s, self._settings.most_retry_s)
                node.look_at = time.monotonic() + _about(node.pause_s)


def _about(seconds: float) -> float:
    """With jitter, so that a thousand nodes do not come at one moment."""
    return seconds * SystemRandom().uniform(0.75, 1.25)


def _target(text: str) -> discover.Target:
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon else (text, PORT)
