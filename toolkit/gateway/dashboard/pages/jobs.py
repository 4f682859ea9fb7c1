"""Fleet jobs: a live table of them, and the form of a new one."""
from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import (
    Page,
    body,
    card,
    clock,
    el,
    empty,
    heading,
    mark,
    opened,
    pill,
    say,
    table,
)
from toolkit.gateway.dashboard.job_form import OrderForm
from toolkit.gateway.dashboard.job_parts import Controls, Progress, Report, job_mood, path_of, title

EVERY_S = 1.5
HEADS = ("Job", "Kind", "State", "Nodes", "Begun", "By", "")


@ui.page("/jobs")
async def jobs(request: Request, selection: str = "") -> RedirectResponse | None:
    page = await opened(request, "Jobs", "jobs")
    if isinstance(page, RedirectResponse):
        return page
    with body():
        heading("Jobs", "Orders to many nodes. They go on whatever dies, and each node tells what came of it.")
        shown = JobTable(page)
        with el("div") as place:
            form = OrderForm(page, selection) if page.may("operate") else None

    async def look() -> None:
        await shown.look()
        place.set_visibility(form is not None and shown.is_there)

    page.look(look, EVERY_S)
    return None


class JobTable:
    """Rows are kept and changed, so that a question about one stays open. is_there: jobs can be kept and told."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._rows: dict[str, dict[str, Any]] = {}
        self.is_there = True
        self._away = mark(say("p", "", "note warn hidden"), role="status", data_away="")
        with el("div") as self._sheet, card(classes="flush"):
            with el("div") as self._table:
                self._body = table(HEADS, "fold roomy")
            self._empty = empty("checklist", "No job yet", "Say below which nodes, and what they shall do."
                                if page.may("operate") else "Who may operate begins one here or by --fleet.")
        self._table.set_visibility(False)
        self._empty.set_visibility(False)

    async def look(self) -> None:
        try:
            told = sorted(await self._page.api.get("jobs"), key=lambda job: -job["at"])
        except ApiError as error:
            if error.status == 401:
                raise
            self._tell(await self._reason(error))
            return
        self._tell("")
        self._table.set_visibility(bool(told))
        self._empty.set_visibility(not told)
        for ident in set(self._rows) - {job["id"] for job in told}:
            self._rows.pop(ident)["line"].delete()
        for at, job in enumerate(told):
            self._draw(job, at)

    async def _reason(self, error: ApiError) -> str:
        """Why there are no jobs; a gateway without that part does not even have the path."""
        if error.status != 404:
            return str(error)
        about = await self._page.api.get("gateway")
        return f"this gateway keeps no jobs: {about['left_out'].get('jobs', 'not part of this release')}"

    def _tell(self, why: str) -> None:
        self.is_there = not why
        self._away.set_text(f"No jobs now: {why}. Lists, commands, uploads and consoles go on." if why else "")
        self._away.classes(replace="note warn" if why else "note warn hidden")
        self._sheet.set_visibility(not why)

    def _draw(self, job: Report, at: int) -> None:
        row = self._rows.get(job["id"]) or self._made(job, at)
        job_mood(row["state"], job)
        row["progress"].draw(job)
        row["controls"].draw(job)

    def _made(self, job: Report, at: int) -> dict[str, Any]:
        ident = job["id"]
        with self._body, mark(el("tr"), data_job=ident) as line:
            with el("td", "wide"):
                mark(say("a", title(job), "name"), href=path_of(ident))
                say("p", f"{ident} · {job['selection']}", "soft small")
            say("td", job["kind"], "soft")
            with el("td"):
                state = pill("unknown")
            with el("td", "wide"):
                progress = Progress()
            say("td", clock(job["at"]), "soft")
            say("td", job["by"], "soft")
            with el("td", "num"):
                controls = Controls(self._page, ident, self._changed, is_small=True)
        line.move(self._body, target_index=at)
        self._rows[ident] = {"line": line, "state": state, "progress": progress, "controls": controls}
        return self._rows[ident]

    def _changed(self, job: Report | None) -> None:
        if job:
            self._draw(job, 0)
