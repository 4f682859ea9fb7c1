"""A node at a glance: its figures, alarms, widgets, its update, and what happened to it."""
from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import (
    button,
    card,
    complain,
    confirm,
    el,
    empty,
    icon_button,
    mark,
    say,
    settled,
    span,
    trying,
)
from toolkit.gateway.dashboard.node_events import NodeEvents
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node, path_of
from toolkit.gateway.dashboard.run_panel import RunPanel

WARN_PCT = 85


@ui.page("/node/{uid}")
async def overview(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "")
    if not isinstance(page, NodePage):
        return page
    with page.inside:
        figures = Figures(page)
        widgets = Widgets(page)
        with el("div", "cols"):
            _alarms(page, figures)
            if page.may("admin"):
                _care(page)
        NodeEvents(page)
    page.look(figures.look)
    page.look(widgets.look)
    return None


class Figures:
    """Tiles with what the node tells of itself."""

    def __init__(self, page: NodePage) -> None:
        self._page = page
        self.alarms: Any = None
        with el("div", "tiles"):
            self._heap, self._flash = _tile("Memory used", True), _tile("Flash used", True)
            self._up, self._cpu, self._warm = _tile("Up for"), _tile("Clock"), _tile("Chip")

    async def look(self) -> None:
        if self._page.node["state"] != "up":
            return
        try:
            told = await self._page.api.get("devices", self._page.uid, "health", max_age_s=1)
        except ApiError as error:
            if error.status == 401:
                raise
            return
        _percent(self._heap, told["heap_used_pct"])
        _percent(self._flash, told["flash_used_pct"])
        self._up[0].set_text(span(told["uptime_s"]))
        self._cpu[0].set_text("–" if told["cpu_mhz"] is None else f"{told['cpu_mhz']:.0f} MHz")
        self._warm[0].set_text("–" if told["cpu_temp_c"] is None else f"{told['cpu_temp_c']:.1f} °C")
        if self.alarms:
            self.alarms(told)


def _tile(label: str, has_meter: bool = False) -> tuple[Any, ...]:
    with el("div", "tile"):
        say("span", label, "small soft")
        value = say("span", "–", "value")
        if not has_meter:
            return (value,)
        with el("div", "meter").props("aria-hidden=true") as meter:
            return value, meter, el("i").style("width: 0")


def _percent(tile: tuple[Any, ...], value: float | None) -> None:
    shown, meter, bar = tile
    shown.set_text("–" if value is None else f"{value:.1f} %")
    bar.style(f"width: {value or 0}%")
    meter.classes(replace="meter warn" if (value or 0) > WARN_PCT else "meter")


def _alarms(page: NodePage, figures: Figures) -> None:
    with card("Alarms and log"):
        place = el("div", "stack tight").props('aria-live="polite"')
        below = el("div", "line end")
    shown: list[Any] = [None]

    def draw(told: dict[str, Any]) -> None:
        if shown[0] == (told["log"], told["verdict"]):
            return
        shown[0] = told["log"], told["verdict"]
        place.clear()
        with place:
            if not told["log"]:
                empty("verified", "All quiet", "The node has nothing to complain about.")
            for line in told["log"]:
                say("p", line, "note mono")
            if told.get("boots"):
                say("p", f"Started by, newest first: {', '.join(told['boots'])}", "soft small")

    async def clear() -> None:
        await page.api.command(page.uid, "system alarms clean=True")

    figures.alarms = draw
    if page.may("operate"):
        with below:
            button("Clear alarms", trying(clear), "quiet")


def _care(page: NodePage) -> None:
    """Update, backup, restart."""
    async def update() -> None:
        wanted = {"lm_only": only.value, "force": force.value}
        panel.show(await page.api.post("devices", page.uid, "update", body=wanted))

    async def backup() -> None:
        panel.show(await page.api.post("devices", page.uid, "backup"))

    async def restart() -> None:
        await page.api.command(page.uid, "reboot")

    with card("Update and care"):
        say("p", "Brings the version of this gateway onto the node; only files that differ are sent, and the old set "
            "stays until the new one answers.", "soft")
        with el("div", "line"):
            only = ui.checkbox("Load modules only").props("dense")
            force = ui.checkbox("Whatever version it has").props("dense")
        with el("div", "line tight"):
            button("Update", trying(update), "primary", "system_update_alt")
            button("Back up settings", trying(backup))
            button("Restart", lambda: confirm(f"Restart {page.node['name']}?", "Its lamps and tasks stop for a moment.",
                                              "Restart", restart))
        panel = RunPanel(page)
    ui.timer(0.1, trying(lambda: panel.adopt(page.uid)), once=True)


class Widgets:
    """Functions of the node that somebody wants at hand; their layout lies on the node."""

    def __init__(self, page: NodePage) -> None:
        self._page = page
        self._shown: Any = None
        self._values: list[tuple[str, Any]] = []
        with card("Widgets") as side:
            self._place = el("div")
        with side:
            icon_button("refresh", "Read the layout from the node", trying(self._read))
        ui.timer(0.1, self._read_quietly, once=True)

    async def look(self) -> None:
        if self._page.node["state"] != "up" or not self._values:
            return
        told = await settled(*(self._page.api.command(self._page.uid, command) for command, _ in self._values))
        for (_, label), answer in zip(self._values, told, strict=True):
            if answer is not None:
                label.set_text(answer["text"])

    async def _read_quietly(self) -> None:
        try:
            await self._read()
        except ApiError:
            self._draw([])

    async def _read(self) -> None:
        self._draw((await self._page.api.get("devices", self._page.uid, "layout"))["widgets"])

    def _draw(self, widgets: list[dict[str, Any]]) -> None:
        self._place.clear()
        self._values = []
        with self._place:
            if not widgets:
                empty("widgets", "Nothing here yet", "On the page Modules, Pin puts a function of this node here. The "
                      "layout is kept on the node itself.")
                with el("div", "line").style("justify-content: center"):
                    there = path_of(self._page.uid, "modules").removeprefix("/gui")
                    button("To the modules", lambda: ui.navigate.to(there))
                return
            with el("div", "bench widgets"):
                for at, widget in enumerate(widgets):
                    self._one(at, widget, widgets)

    def _one(self, at: int, widget: dict[str, Any], widgets: list[dict[str, Any]]) -> None:
        async def send(text: str = widget["command"]) -> None:
            try:
                answer = await self._page.api.command(self._page.uid, text)
                ui.notify(answer["text"] or "done", position="bottom")
            except ApiError as error:
                complain(error)

        async def remove() -> None:
            rest = [each for number, each in enumerate(widgets) if number != at]
            told = await self._page.api.put("devices", self._page.uid, "layout", body={"widgets": rest})
            self._draw(told["widgets"])

        with mark(el("div", "thing"), data_widget=widget["kind"]):
            say("b", widget["label"])
            if widget["kind"] == "button":
                button("Run", send, "primary")
            elif widget["kind"] == "slider":
                slider = mark(ui.slider(min=widget["least"], max=widget["most"], value=widget["least"]).props("label"),
                              aria_label=widget["label"])
                slider.on("change", lambda: send(f"{widget['command']}{int(slider.value)}"))
            else:
                self._values.append((widget["command"], say("pre", "–", "mono")))
            if self._page.may("operate"):
                icon_button("close", f"Take {widget['label']} away", trying(remove)).classes("away").props("size=sm")
