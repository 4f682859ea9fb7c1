"""What all gateways of an engine know of the nodes: where each was seen last, and its tags."""
from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError
from toolkit.gateway.engine import MIB, Engine, Store, ended, escaped, unescaped
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.selection import Facts
from toolkit.inventory import Device

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway

NODES = Store("nodes", 32 * MIB)          # seen.<uid>: a Device of the REST API; tags.<uid>: a list of words
MOST_TAGS = 16
AT_ONCE = 64

_TAG = re.compile(r"[\w.-]{1,32}")

log = logging.getLogger(__name__)


class Registry:
    """Follows the events of this gateway, and brings in what others have found."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        self._engine = engine
        self._gateway = gateway
        self._tags: dict[str, tuple[str, ...]] = {}
        self._chore: asyncio.Task[None] | None = None
        self._ups = 0

    async def start(self) -> None:
        self._chore = asyncio.create_task(self._follow(), name="registry")

    async def stop(self) -> None:
        await ended([self._chore])

    async def facts(self) -> list[Facts]:
        """What a selection is made of. Without the engine the tags are those that were known last."""
        with contextlib.suppress(UnavailableError):
            self._tags = {uid: tuple(tags) for uid, tags in (await self._all("tags")).items()}
        return [Facts(node.uid, node.name, node.device.address, node.device.port, node.version, node.board,
                      node.now.state, self._tags.get(node.uid, ())) for node in self._gateway.nodes.all()]

    async def tags(self) -> dict[str, list[str]]:
        """uid -> tags, of the nodes that have any."""
        return {uid: tags for uid, tags in (await self._all("tags")).items() if tags}

    async def tag(self, uid: str, tags: Sequence[str]) -> None:
        """Replace the tags of a node. Raises UsageError for what is no tag."""
        for tag in tags:
            if not _TAG.fullmatch(tag):
                raise UsageError(f"a tag is up to 32 letters, digits, _ . and -, got {tag[:40]!r}")
        if len(tags) > MOST_TAGS:
            raise UsageError(f"a node has up to {MOST_TAGS} tags, got {len(tags)}")
        await self._engine.put(NODES, f"tags.{escaped(uid)}", json.dumps(sorted(set(tags))).encode())

    async def _all(self, kind: str) -> dict[str, Any]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(key: str) -> tuple[str, Any]:
            async with gate:
                entry = await self._engine.get(NODES, key)
            return unescaped(key.partition(".")[2]), json.loads(entry.value) if entry else []

        return dict(await asyncio.gather(*map(one, await self._engine.keys(NODES, f"{kind}.*"))))

    async def _follow(self) -> None:
        with self._gateway.events.subscribe("node.up,node.changed,node.forgotten,engine.up") as news:
            await self._meet()
            async for event in news:
                try:
                    if event.topic == "engine.up":
                        await self._meet()
                    elif event.topic == "node.forgotten":
                        await self._engine.remove(NODES, f"*.{escaped(event.data['uid'])}")
                    else:
                        await self._keep(event.data)
                except UnavailableError as error:
                    log.debug("the registry waits for the engine: %s", error)

    async def _keep(self, told: Any) -> None:
        row = {key: told[key] for key in ("uid", "name", "address", "port", "version", "board")}
        await self._engine.put(NODES, f"seen.{escaped(told['uid'])}", json.dumps(row).encode())

    async def _meet(self) -> None:
        """Nodes that other gateways have seen; what this one knows of a node stays."""
        with contextlib.suppress(UnavailableError):
            known = {node.uid for node in self._gateway.nodes.all()}
            seen = [row for uid, row in (await self._all("seen")).items() if row and uid not in known]
            self._gateway.nodes.keep(Device(row["uid"], row["address"], row["port"], row["name"]) for row in seen)
            for node in self._gateway.nodes.all():
                if node.uid in known:
                    await self._keep(node.to_dict())
