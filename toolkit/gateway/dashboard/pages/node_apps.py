"""The apps of the toolkit, and the SystemTest, on a node."""
from __future__ import annotations

from functools import partial

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.frame import button, el, mark, say, trying
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node
from toolkit.gateway.dashboard.run_panel import RunPanel

TEST = "SystemTest"


@ui.page("/node/{uid}/apps")
async def apps(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "apps")
    if not isinstance(page, NodePage):
        return page
    told = await page.api.get("apps")

    async def run(name: str) -> None:
        panel.show(await page.api.post("devices", page.uid, "apps", name))

    with page.inside:
        panel_place = el("div")
        with el("div", "grid2"):
            for each in sorted(told, key=lambda row: row["name"] != TEST):
                with el("section", "card slim"), el("div", "line apart"):
                    with el("div", "grow"):
                        say("h3", each["name"])
                        say("p", each["about"], "soft small")
                    if page.may("operate"):
                        start = button("Run", trying(partial(run, each["name"])),
                                       "primary" if each["name"] == TEST else "plain", "play_arrow")
                        mark(start, aria_label=f"Run {each['name']}")
        with panel_place:
            panel = RunPanel(page)
    ui.timer(0.1, trying(lambda: panel.adopt(page.uid)), once=True)
    return None
