"""All nodes: a live table, and a place to drop files for those that are selected."""
from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import events, ui

from toolkit.gateway.dashboard.drop import DropZone
from toolkit.gateway.dashboard.frame import (
    Page,
    body,
    button,
    card,
    el,
    empty,
    heading,
    mark,
    mood,
    opened,
    pill,
    say,
    settled,
    table,
    trying,
)
from toolkit.gateway.dashboard.node_frame import path_of

MOST_ASKED = 24                # nodes that are asked how they are while the page is open
_PLAIN = re.compile(r"(?!(all|and|or|not)$)[\w-]+", re.ASCII)
HEADS = ("", "Node", "State", "Version", "Board", "Address", "Memory", "Answer")


class NodeTable:
    """Rows are kept and changed, so that a selection stays."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._rows: dict[str, dict[str, Any]] = {}
        self.nodes: list[dict[str, Any]] = []
        with card(classes="flush"):
            self._table = el("div")
            with self._table:
                self._body = table(HEADS, "fold", numbers=(6, 7))
            with el("div") as self._empty:
                empty("sensors_off", "No node yet", "Nodes of this network are found by themselves. Search now, make "
                      "one of a board on USB, or start a virtual board.")

    def selected(self) -> list[dict[str, Any]]:
        return [node for node in self.nodes if self._rows[node["uid"]]["box"].value]

    def meant(self, of: str) -> list[dict[str, Any]]:
        """Whom files are for that fell on the row of a node, or on none: its selection where it is part of one."""
        chosen = self.selected()
        if of and of not in (node["uid"] for node in chosen):
            return [node for node in self.nodes if node["uid"] == of]
        return chosen or (self.nodes if len(self.nodes) == 1 else [])

    def expression(self) -> str:
        """What a job takes for the selected: names, where they are no words of an expression and nobody else's."""
        names = [node["name"] for node in self.nodes]
        return " or ".join(node["name"] if _PLAIN.fullmatch(node["name"]) and names.count(node["name"]) == 1
                           else f'uid="{node["uid"]}"' for node in self.selected())

    async def look(self) -> None:
        self.nodes = await self._page.api.get("devices")
        self._table.set_visibility(bool(self.nodes))
        self._empty.set_visibility(not self.nodes)
        for uid in set(self._rows) - {node["uid"] for node in self.nodes}:
            self._rows.pop(uid)["line"].delete()
        for node in self.nodes:
            self._draw(node)
        up = [node for node in self.nodes if node["state"] == "up"][:MOST_ASKED]
        told = await settled(*(self._page.api.get("devices", node["uid"], "health", max_age_s=4) for node in up))
        await settled(*(self._page.api.get("devices", node["uid"], "commands", command="hello") for node in up))
        for node, health in zip(up, told, strict=True):
            if health and node["uid"] in self._rows:
                heap = health["heap_used_pct"]
                self._rows[node["uid"]]["memory"].set_text("" if heap is None else f"{heap:.0f} %")
                self._rows[node["uid"]]["board"].set_text(node["board"] or health["board"])

    def _draw(self, node: dict[str, Any]) -> None:
        row = self._rows.get(node["uid"]) or self._made(node)
        mood(row["state"], node["state"], node["state"] if node["state"] != "unknown" else "looking")
        row["name"].set_text(node["name"])
        row["version"].set_text(node["version"])
        if node["board"]:
            row["board"].set_text(node["board"])
        row["address"].set_text(node["address"])
        latency = node["latency_s"]
        row["latency"].set_text("" if latency is None or node["state"] != "up" else f"{1000 * latency:.0f} ms")

    def _made(self, node: dict[str, Any]) -> dict[str, Any]:
        def pick(event: events.ValueChangeEventArguments[Any]) -> None:
            line.props['data-picked'] = event.value or None
            line.update()

        with self._body, mark(el("tr"), data_node=node["uid"], data_of=node["uid"]) as line:
            with el("td"):
                box = mark(ui.checkbox(on_change=pick).props("dense"), aria_label=f"Select {node['name']}")
            with el("td"):
                name = mark(say("a", node["name"], "name"), href=path_of(node["uid"]))
            with el("td"):
                state = pill(node["state"])
            row = {"line": line, "box": box, "name": name, "state": state}
            for key, classes in (("version", "soft skip-small"), ("board", "soft wide"), ("address", "mono soft wide"),
                                 ("memory", "num skip-small"), ("latency", "num soft skip-small")):
                row[key] = say("td", "", classes)
        self._rows[node["uid"]] = row
        return row


@ui.page("/")
async def nodes(request: Request) -> RedirectResponse | None:
    page = await opened(request, "Nodes", "")
    if isinstance(page, RedirectResponse):
        return page
    with body():
        with heading("Nodes", "Every board that answers, as it is now."):
            if page.may("operate"):
                if "jobs" in page.parts:
                    button("New job", lambda: ui.navigate.to(f"/jobs?{urlencode({'selection': shown.expression()})}"),
                           icon="checklist")

                async def search() -> None:
                    find.props("loading")
                    try:
                        await page.api.post("devices", "search")
                    finally:
                        find.props(remove="loading")

                find = button("Search", trying(search), icon="search")
        shown = NodeTable(page)
        DropZone(page, shown.meant, "Drop files for the selected nodes, or each on its node above")
    page.look(shown.look)
    return None
