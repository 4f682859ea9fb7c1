"""The shell of a node, in a terminal."""
from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.frame import empty, say
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node
from toolkit.gateway.dashboard.terminal import Terminal


@ui.page("/node/{uid}/console")
async def console(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "console")
    if not isinstance(page, NodePage):
        return page
    with page.inside:
        if not page.may("admin"):
            empty("lock", "The console takes the role admin", "Your token has less. Modules and Tasks work with it.")
            return None
        Terminal(page, "devices", page.uid, "console", edits=True)
        say("p", "Enter sends a line, the arrows bring earlier ones back. The console has a seat of its own on the "
            "node, as long as this page is open.", "soft small")
    return None
