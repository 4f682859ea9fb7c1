"""A run on a page: its state, its progress and what it says, until it ends."""
from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import Page, button, el, mood, pill, say, trying

LOOK_S = 0.4


class RunPanel:
    """Shows one run after the other in its place. when_done(row): told at the end of each."""

    def __init__(self, page: Page, when_done: Callable[[dict[str, Any]], Awaitable[None]] | None = None) -> None:
        self._page, self._when_done = page, when_done
        self._ident, self._shown = "", 0
        with el("section", "card run hidden").props('data-run=""') as self._place:
            with el("div", "line apart"):
                with el("div", "line tight"):
                    self._state = pill("running")
                    self._title = say("strong", "")
                self._stop = button("Stop", trying(self._end), "danger")
            self._step = say("span", "", "soft small")
            self._bar = ui.linear_progress(0, show_value=False, size="6px").props(
                'rounded instant-feedback aria-label="Progress"')
            self._lines = say("pre", "", "out mono").props('tabindex=0 aria-label="What it says"')
        self._timer = ui.timer(LOOK_S, self._look, active=False)

    def show(self, row: dict[str, Any]) -> None:
        self._ident = row["id"]
        self._place.classes(remove="hidden")
        self._title.set_text(row["title"])
        self._draw(row)
        self._timer.activate()

    async def adopt(self, uid: str) -> None:
        """Show what is on its way for a node: somebody may have left the page and come back."""
        rows = [row for row in await self._page.api.get("runs", uid=uid) if row["state"] == "running"]
        if rows:
            self.show(rows[0])

    async def _end(self) -> None:
        self._draw(await self._page.api.delete("runs", self._ident))

    async def _look(self) -> None:
        try:
            row = await self._page.api.get("runs", self._ident)
        except ApiError as error:
            if error.status == 404:                  # the gateway began anew
                self._timer.deactivate()
            return
        self._draw(row)
        if row["ended_at"] is not None:
            self._timer.deactivate()
            if self._when_done:
                await self._when_done(row)

    def _draw(self, row: dict[str, Any]) -> None:
        progress, runs = row["progress"], row["state"] == "running"
        mood(self._state, row["state"])
        self._place.props(f'data-run="{row["state"]}"')
        self._stop.set_visibility(runs)
        self._bar.set_visibility(runs)
        of = progress["of"] if progress else 0
        self._bar.set_value(progress["done"] / of if of else 0)
        self._bar.props(remove="indeterminate") if of else self._bar.props("indeterminate")
        told = f"{progress['title']}  {100 * progress['done'] // of} %" if of else progress["title"] if progress else ""
        self._step.set_text(told if runs else "")
        self._lines.set_text("\n".join(row["lines"]) or "…")
