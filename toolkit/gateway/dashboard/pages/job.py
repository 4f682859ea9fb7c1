"""One fleet job: how far it is, and what came of each node."""
from __future__ import annotations

import json
import textwrap
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard import node_frame
from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import (
    Page,
    body,
    button,
    card,
    choice,
    clock,
    el,
    empty,
    heading,
    mark,
    mood,
    opened,
    pill,
    say,
    table,
    trying,
)
from toolkit.gateway.dashboard.job_parts import (
    BAD,
    STATES,
    Controls,
    Progress,
    Report,
    job_mood,
    node_mood,
    title,
)

ROWS = 100                     # of the table at a time
MOST_ASKED = 1000              # of nodes, by the API
FILTERS = {"": "all nodes", "bad": "failed or unknown", **{state: state for state in STATES}}


@ui.page("/jobs/{ident}")
async def job(request: Request, ident: str) -> RedirectResponse | None:
    page = await opened(request, ident, "jobs")
    if isinstance(page, RedirectResponse):
        return page
    try:
        report = await page.api.get("jobs", ident)
    except ApiError as error:
        with body():
            empty("search_off", "No such job" if error.status in (404, 422) else "This job cannot be told now",
                  str(error))
            with el("div", "line").style("justify-content: center"):
                button("All jobs", lambda: ui.navigate.to("/jobs"), "primary")
        return None
    with body():
        shown = JobView(page, report)
    page.look(shown.look)
    return None


class JobView:
    def __init__(self, page: Page, report: Report) -> None:
        self._page, self._ident, self._report = page, report["id"], report
        self._shown: tuple[Any, ...] = ()              # what the rows were drawn from
        self._drawn: tuple[Any, ...] = ()              # what the phases were drawn from
        self._first = 0
        self._head(report)
        with card("Progress") as side:
            self._progress = Progress()
            self._why = mark(say("p", "", "note warn hidden"), role="status", data_why="")
            with el("div", "tiles many"):
                self._counts = {state: self._tile(state) for state in STATES}
            self._phases = el("ol", "stack tight").style("padding-left: 20px; margin: 0")
            say("p", _pace(report["rules"]), "soft small")
        with side:
            self._state = pill("unknown")
        with card("Nodes", "flush") as side:
            self._rows = table(("Node", "State", "What it said", "Address", "Time"), "fold")
            with el("div", "line apart").style("padding: 0 20px 16px") as self._pages:
                self._where = say("span", "", "soft small")
                with el("div", "line tight"):
                    self._back = button("Back", trying(partial(self._turn, -ROWS)))
                    self._on = button("Further", trying(partial(self._turn, ROWS)))
        with side:
            self._filter = choice("Show", FILTERS, "", on_change=trying(self._filtered)).style("min-width: 180px")
        self._draw(report)

    async def look(self) -> None:
        self._draw(await self._page.api.get("jobs", self._ident))
        await self._look_at_nodes()

    def _head(self, report: Report) -> None:
        about = (f"{self._ident}: {report['kind']} for {report['selection']}, begun {clock(report['at'])} "
                 f"by {report['by']}")
        with heading(title(report), about):
            self._controls = Controls(self._page, self._ident, self._changed, is_small=False)
            button("Report as JSON", trying(self._fetch), icon="download")

    def _tile(self, state: str) -> Any:
        with mark(el("div", "tile"), data_count=state):
            made = say("span", "", "value")
            say("span", state, "soft small")
        return made

    def _draw(self, report: Report) -> None:
        self._report = report
        job_mood(self._state, report)
        self._progress.draw(report)
        self._controls.draw(report)
        for state, made in self._counts.items():
            made.set_text(str(report[state]))
        why = f"{report['status']}: {report['why']}" if report["why"] else ""
        self._why.set_text(why)
        self._why.classes(replace="note warn" if why else "note warn hidden")
        self._draw_phases(report)

    def _draw_phases(self, report: Report) -> None:
        """One line each, where there is more than one."""
        ends = report["phases"]
        if len(ends) < 2 or self._drawn == (report["phase"], report["status"]):
            return
        self._drawn = report["phase"], report["status"]
        self._phases.clear()
        with self._phases:
            for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False), 1):
                state = "done" if number < report["phase"] else "waiting" if number > report["phase"] else \
                    report["status"]
                name = "canary" if number == 1 else "the rest" if number == len(ends) else "then"
                nodes = f"nodes {first + 1} to {last}" if last - first > 1 else f"node {last}"
                with el("li"), el("div", "line tight"):
                    say("span", f"{name}, {nodes}")
                    mood(pill("unknown"), state)

    async def _look_at_nodes(self) -> None:
        wanted = list(BAD) if self._filter.value == "bad" else [self._filter.value] if self._filter.value else []
        rows = await self._page.api.get("jobs", self._ident, "nodes", state=wanted, first=self._first, most=ROWS)
        of = sum(self._report[state] for state in wanted or STATES)
        if (rows, of, wanted) == self._shown:
            return
        self._shown = rows, of, wanted
        self._pages.set_visibility(of > ROWS)
        self._where.set_text(f"{self._first + 1} to {self._first + len(rows)} of {of}")
        self._back.set_enabled(self._first > 0)
        self._on.set_enabled(self._first + ROWS < of)
        self._rows.clear()
        with self._rows:
            for row in rows:
                self._node(row)
            if not rows:
                with el("tr"):
                    say("td", "no node here", "soft").props("colspan=5")

    def _node(self, row: dict[str, Any]) -> None:
        with mark(el("tr"), data_node=row["uid"]):
            with el("td"):
                mark(say("a", row["name"], "name"), href=node_frame.path_of(row["uid"]))
            with el("td"):
                node_mood(pill("unknown"), row["state"])
            say("td", textwrap.dedent(row["text"]).strip(), "wide told mono")
            say("td", f"{row['address']}:{row['port']}", "mono soft whole skip-small")
            say("td", clock(row["at"]), "soft whole skip-small")

    async def _filtered(self) -> None:
        self._first = 0
        await self._look_at_nodes()

    async def _turn(self, by: int) -> None:
        self._first = max(0, self._first + by)
        await self._look_at_nodes()

    def _changed(self, report: Report | None) -> None:
        if report:
            self._draw(report)
        else:
            ui.navigate.to("/jobs")

    async def _fetch(self) -> None:
        """As `--fleet show --json` prints it: the report, and its nodes as `rows`."""
        report = await self._page.api.get("jobs", self._ident)
        rows: list[Any] = []
        while len(rows) < report["nodes"]:
            more = await self._page.api.get("jobs", self._ident, "nodes", first=len(rows), most=MOST_ASKED)
            if not more:
                break
            rows += more
        ui.download.content(json.dumps({**report, "rows": rows}, indent=2), f"{self._ident}.json", "application/json")


def _pace(rules: dict[str, Any]) -> str:
    per_minute = f", {rules['per_minute']} starts a minute" if rules["per_minute"] else ""
    stops = f"stops above {rules['abort_pct']:g} % failed" if rules["abort_pct"] < 100 else "stops at no failure"
    tries = f"{rules['tries']} tries" if rules["tries"] > 1 else "one try"
    return f"{rules['concurrency']} nodes at a time{per_minute}; {tries} of each; {stops}"
