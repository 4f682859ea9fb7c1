"""The tasks of a node: what runs, what it has said, an end to it."""
from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import button, card, el, empty, mark, mood, pill, say, table, trying
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node

OF_THE_NODE = "of the node itself"


@ui.page("/node/{uid}/tasks")
async def tasks(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "tasks")
    if not isinstance(page, NodePage):
        return page
    with page.inside:
        shown = TaskTable(page)
    page.look(shown.look)
    return None


class TaskTable:
    """Tasks with a dot in their tag are somebody's, and can be killed."""

    def __init__(self, page: NodePage) -> None:
        self._page = page
        self._rows: dict[str, dict[str, Any]] = {}
        if page.may("operate"):
            with el("form", "line").on("submit.prevent", trying(self._start)):
                self._command = ui.input("Start a task", placeholder="rgb transition r=255 g=0 b=0 sec=60").props(
                    "outlined dense hide-bottom-space").classes("grow").style("max-width: 520px")
                ui.button("Start", color=None).props("unelevated no-caps type=submit").classes("btn primary")
        with card(classes="flush"):
            self._body = table(("Task", "State", "Says", ""), "fold")
            with el("div", "hidden") as self._empty:
                empty("task_alt", "No task", "A command that ends with & runs as a task.")

    async def look(self) -> None:
        if self._page.node["state"] == "down":
            return
        try:
            told = await self._page.api.get("devices", self._page.uid, "tasks")
        except ApiError as error:
            if error.status == 401:
                raise
            return
        tags = [task["tag"] for task in told]
        for tag in set(self._rows) - set(tags):
            self._rows.pop(tag)["line"].delete()
        for task in told:
            row = self._rows.get(task["tag"]) or self._made(task["tag"])
            mood(row["state"], "active" if task["active"] else "", "running" if task["active"] else "ended")
            row["kill"].set_visibility(task["active"] and "." in task["tag"] and self._page.may("operate"))
        self._empty.classes(remove="hidden") if not told else self._empty.classes("hidden")

    def _made(self, tag: str) -> dict[str, Any]:
        async def kill() -> None:
            answer = await self._page.api.delete("devices", self._page.uid, "tasks", tag)
            ui.notify(answer["text"], position="bottom")
            await self.look()

        async def show() -> None:
            answer = await self._page.api.get("devices", self._page.uid, "tasks", tag)
            says.set_text(answer["text"] or "nothing yet")

        with self._body, mark(el("tr"), data_task=tag) as line:
            say("td", tag, "mono")
            with el("td"):
                state = pill("active", "running")
            says = say("td", "" if "." in tag else OF_THE_NODE, "soft small mono wide")
            with el("td"), el("div", "line end"):
                if "." in tag:
                    button("Output", trying(show), "quiet")
                end = button("Kill", trying(kill), "danger")
        row = {"line": line, "state": state, "kill": end}
        self._rows[tag] = row
        return row

    async def _start(self) -> None:
        text = (self._command.value or "").strip()
        if text:
            answer = await self._page.api.command(self._page.uid, text if "&" in text else f"{text} &")
            ui.notify(answer["text"] or "started", position="bottom")
            await self.look()
