"""What the parts of a gateway share."""
from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.gateway.settings import Settings

if TYPE_CHECKING:
    from toolkit.gateway.access import Access
    from toolkit.gateway.events import Events
    from toolkit.gateway.nodes import Nodes

Chore = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass
class Gateway:
    """The collaborators handed to every part. engine: None until that part has set it, and without it.

    parts       names of the parts that are mounted
    left_out    part -> why it is not
    start_page  where a browser that opens / is sent
    """

    settings: Settings
    nodes: Nodes
    access: Access
    events: Events
    engine: Any = None
    parts: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    start_page: str = "/docs"
    started_at: float = field(default_factory=time.time)
    _begin: list[Chore] = field(default_factory=list)
    _end: list[Chore] = field(default_factory=list)

    def on_start(self, chore: Chore) -> None:
        """chore() runs before the first request, in the order of the parts; what it raises stops the gateway."""
        self._begin.append(chore)

    def on_stop(self, chore: Chore) -> None:
        """chore() runs after the last request, the latest part first; what it raises is logged."""
        self._end.append(chore)

    async def start(self) -> None:
        for chore in self._begin:
            await chore()

    async def stop(self) -> None:
        for chore in reversed(self._end):
            try:
                await chore()
            except Exception:      # outer wall: the others are to be stopped, too
                log.exception("a part did not stop cleanly")
