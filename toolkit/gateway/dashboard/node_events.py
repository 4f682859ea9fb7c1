"""What happened to a node: the last day's as far as the gateway keeps it, and what happens now."""
from __future__ import annotations

import time
from typing import Any

from nicegui import background_tasks, ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import card, clock, el, mark, say
from toolkit.gateway.dashboard.node_frame import NodePage

MOST = 30                      # lines, the newest first
MOST_ASKED = 1000              # events of all nodes
DAY_S = 86_400
# topic -> what is told of it, from the data of the event
WORDS = {"node.up": "up, version {version}", "node.down": "down: {why}", "node.found": "found at {address}",
         "node.changed": "at {address} from now on", "node.forgotten": "forgotten",
         "command": "{command}", "config": "setting {key} saved", "drop.done": "took {files}",
         "drop.failed": "did not take files: {why}", "run.begun": "{title} begins", "run.ended": "{title}: {state}"}


def told(topic: str, data: dict[str, Any]) -> str:
    """One line of an event; its topic where its data are others than they were."""
    shown = {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in data.items()}
    try:
        return WORDS[topic].format_map(shown)
    except KeyError:
        return topic


class NodeEvents:
    """A card of them."""

    def __init__(self, page: NodePage) -> None:
        self._page = page
        self._lines: list[ui.element] = []
        with card("Events"):
            self._empty = say("p", "Nothing has happened to it since this page was opened.", "soft")
            self._place = el("div", "stack tight").props('role="log" tabindex=0 aria-label="Events"').style(
                "max-height: 320px; overflow: auto")
        task = background_tasks.create(self._follow(), name="events of a page")
        ui.context.client.on_delete(task.cancel)

    async def _follow(self) -> None:
        try:
            for row in await self._before():
                self._add(row["topic"], row["at"], row["data"])
            async for topic, data in self._page.api.events(",".join(WORDS)):
                self._add(topic, time.time(), data)
        except Exception:      # outer wall: without the stream the card stands still, the page does not
            return

    async def _before(self) -> list[dict[str, Any]]:
        """Nothing from a gateway without an engine, which keeps no events."""
        try:
            rows: list[dict[str, Any]] = await self._page.api.get(
                "history", "events", topics=",".join(WORDS), since=-DAY_S, most=MOST_ASKED)
        except ApiError:
            return []
        return [row for row in rows if row["data"].get("uid") == self._page.uid][-MOST:]

    def _add(self, topic: str, at: float, data: dict[str, Any]) -> None:
        if data.get("uid") != self._page.uid:
            return
        self._empty.set_visibility(False)
        with self._place:
            with mark(el("div", "line"), data_event=topic) as line:
                say("span", clock(at), "soft small mono")
                say("span", told(topic, data)).style("overflow-wrap: anywhere; min-width: 0")
            line.move(self._place, target_index=0)
        self._lines.append(line)
        if len(self._lines) > MOST:
            self._lines.pop(0).delete()
