"""What all pages of one node share: who it is, how it is, the way to the others."""
from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import Page, body, button, el, empty, mark, mood, opened, pill, say

TABS = (("", "Overview"), ("console", "Console"), ("modules", "Modules"), ("tasks", "Tasks"), ("settings", "Settings"),
        ("files", "Files"), ("plots", "Plots"), ("apps", "Apps"))


class NodePage(Page):
    """uid: as the API takes it; node: its row, kept up to date; inside: the place below the tabs."""

    uid: str
    node: dict[str, Any]
    inside: Any


def path_of(uid: str, tab: str = "") -> str:
    return f"/gui/node/{quote(uid, safe='')}" + (f"/{tab}" if tab else "")


async def opened_node(request: Request, uid: str, tab: str) -> NodePage | RedirectResponse | None:
    """The frame of a node's page, its inside to be filled `with page.inside`; None when there is no such node."""
    page = await opened(request, dict(TABS)[tab], "")
    if isinstance(page, RedirectResponse):
        return page
    try:
        node = await page.api.get("devices", uid)
    except ApiError as error:
        with body():
            empty("search_off", "No such node", str(error))
            with el("div", "line").style("justify-content: center"):
                button("All nodes", lambda: ui.navigate.to("/"), "primary")
        return None
    own = NodePage(page.api, page.role)
    own.uid, own.node = node["uid"], node
    _head(own, tab)
    return own


def _head(page: NodePage, tab: str) -> None:
    with el("div", "page") as page.inside:
        with el("div", "stack tight"):
            title = say("h1", page.node["name"])
            with el("div", "line tight"):
                state = pill("unknown")
                about = say("span", "", "soft")
        with el("nav", "tabs").props('aria-label="Parts of this node"'):
            for word, name in TABS:
                link = mark(say("a", name), href=path_of(page.uid, word))
                if word == tab:
                    mark(link, aria_current="page")

    def draw() -> None:
        node = page.node
        title.set_text(node["name"])
        mood(state, node["state"], node["state"] if node["state"] != "unknown" else "looking")
        told = [f"micrOS {node['version']}" if node["version"] else "", node["board"],
                f"{node['address']}:{node['port']}", node["why"]]
        about.set_text(" · ".join(each for each in told if each))

    async def look() -> None:
        page.node = await page.api.get("devices", page.uid)
        draw()

    draw()
    page.look(look)
