"""Numbers of a node over time: any that a command answers with."""
from __future__ import annotations

import csv
import io
import json
import re
import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import button, card, complain, el, empty, field, mark, say, trying
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node

EVERY_S = 1.0
MOST_POINTS, MOST_SERIES = 3600, 8
COLOURS = ("#0e8a96", "#c2631d", "#6a5acd", "#2e8b57", "#b8437a", "#8a7a1c", "#3f74c8", "#a0522d")
READY = (("Memory", "health", "heap_used_pct"), ("Answer time", "health", "latency_ms"),
         ("Chip", "health", "cpu_temp_c"))
KEPT = "history"                 # a source: what the gateway keeps of the node, whoever measured it
_PAIR = re.compile(r"^\s*['\"]?([\w\[\]%. -]{1,40}?)['\"]?\s*[:=]\s*(-?\d+(?:\.\d+)?)", re.MULTILINE)


def numbers(text: str) -> dict[str, float]:
    """Every number of an answer by its name: of JSON, of `key: value` lines, or the answer itself."""
    try:
        return dict(_flat("", json.loads(text)))
    except ValueError:
        pass
    found = {key.strip(): float(value) for key, value in _PAIR.findall(text)}
    alone = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*\S{0,6}\s*", text)
    return found or ({"value": float(alone[1])} if alone else {})


def _flat(path: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, int | float):              # True is 1
        yield path or "value", float(value)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(f"{path}.{key}".strip("."), each)
    elif isinstance(value, list):
        for at, each in enumerate(value[:16]):
            yield from _flat(f"{path}.{at}".strip("."), each)


@ui.page("/node/{uid}/plots")
async def plots(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "plots")
    if not isinstance(page, NodePage):
        return page
    with page.inside:
        plot = Plot(page)
    page.look(plot.look, EVERY_S)
    return None


class Plot:
    """series: (source, key) -> points; source: a command, or `health`."""

    def __init__(self, page: NodePage) -> None:
        self._page = page
        self._series: dict[tuple[str, str], deque[tuple[float, float]]] = {}
        with card("What to plot"):
            with el("div", "line"):
                for name, source, key in READY:
                    button(name, trying(partial(self._add, source, key)))
                button("Kept", trying(self._find_kept))
                with el("form", "line grow").on("submit.prevent", trying(self._find)):
                    self._command = field("A command that answers with numbers", placeholder="rgb status")
                    self._command.classes("grow")
                    ui.button("Look", color=None).props("unelevated no-caps type=submit").classes("btn plain")
            self._found = el("div", "line tight")
        with card("Over time") as side:
            self._empty = empty("show_chart", "Nothing is plotted", "Choose a number above. Points come each second, "
                                "as long as this page is open.")
            self._chart = ui.echart(_options({})).style("height: 340px; width: 100%").props(
                'role="img" aria-label="Plot of the chosen numbers"')
            self._chart.set_visibility(False)
            self._now = el("div", "line tight")
        with side:
            button("Export CSV", self._export, icon="download")
            button("Clear", self._clear, "quiet")

    async def look(self) -> None:
        if not self._series or self._page.node["state"] == "down":
            return
        at = time.time()
        for source in {source for source, _ in self._series}:
            try:
                told = await self._ask(source)
            except ApiError as error:
                if error.status == 401:
                    raise
                continue
            for (from_, key), points in self._series.items():
                if from_ == source and key in told:
                    points.append((at, told[key]))
        self._draw()

    async def _ask(self, source: str) -> dict[str, float]:
        if source == "health":
            told = await self._page.api.get("devices", self._page.uid, "health", max_age_s=0.5)
            latency = (await self._page.api.get("devices", self._page.uid))["latency_s"]
            rows = {**told, "latency_ms": None if latency is None else round(1000 * latency, 2)}
            return {key: value for key, value in rows.items() if isinstance(value, int | float)}
        if source == KEPT:
            kept = await self._page.api.get("history", "devices", self._page.uid)
            return {row["metric"]: row["value"] for row in kept}
        return numbers((await self._page.api.command(self._page.uid, source))["text"])

    async def _find_kept(self) -> None:
        self._offer(await self._ask(KEPT), "The gateway keeps nothing of this node yet", KEPT)

    async def _find(self) -> None:
        command = (self._command.value or "").strip()
        if not command:
            return
        answer = await self._page.api.command(self._page.uid, f"{command} >json")
        told = numbers(answer["text"]) if answer["ok"] else {}
        source = f"{command} >json" if told else command
        told = told or numbers((await self._page.api.command(self._page.uid, command))["text"])
        self._offer(told, f"No number in the answer: {answer['text'][:120]}", source)

    def _offer(self, told: dict[str, float], otherwise: str, source: str) -> None:
        self._found.clear()
        with self._found:
            if not told:
                say("span", otherwise, "soft")
            for key, value in list(told.items())[:24]:
                mark(button(f"{key}  {value:g}", trying(partial(self._add, source, key))), data_number=key)

    async def _add(self, source: str, key: str) -> None:
        if len(self._series) >= MOST_SERIES and (source, key) not in self._series:
            complain(ValueError(f"{MOST_SERIES} numbers are plotted, which is all that can be told apart"))
            return
        self._series.setdefault((source, key), deque(await self._before(source, key), MOST_POINTS))
        await self.look()

    async def _before(self, source: str, key: str) -> list[tuple[float, float]]:
        """What the gateway's history has of it; nothing without one."""
        if source not in ("health", KEPT):
            return []
        try:
            told = await self._page.api.get("history", "devices", self._page.uid, key, since=-3600)
        except ApiError:
            return []
        return [(row[0], row[1]) for row in told.get("points", [])][-600:]

    def _draw(self) -> None:
        self._empty.set_visibility(False)
        self._chart.set_visibility(True)
        self._chart.options.update(_options(self._series))
        self._chart.update()
        self._now.clear()
        with self._now:
            for (source, key), points in self._series.items():
                last = f"{points[-1][1]:g}" if points else "–"
                say("span", f"{_name(source, key)}: {last}, {len(points)} points", "small soft").props("data-series")

    def _clear(self) -> None:
        self._series.clear()
        self._now.clear()
        self._chart.set_visibility(False)
        self._empty.set_visibility(True)

    def _export(self) -> None:
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(("time", "series", "value"))
        for (source, key), points in self._series.items():
            rows.writerows((f"{at:.3f}", _name(source, key), value) for at, value in points)
        ui.download.content(out.getvalue(), f"{self._page.node['name']}.csv", "text/csv")


def _name(source: str, key: str) -> str:
    return key if source in ("health", KEPT) else f"{source.removesuffix(' >json')} {key}"


def _options(series: dict[tuple[str, str], Any]) -> dict[str, Any]:
    soft = "#8793a0"
    return {
        "animation": False, "color": list(COLOURS), "textStyle": {"fontFamily": "Roboto, system-ui, sans-serif"},
        "grid": {"left": 48, "right": 16, "top": 36, "bottom": 28}, "legend": {"top": 0, "left": 0, "icon": "roundRect",
                                                                              "textStyle": {"color": soft}},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "time", "axisLabel": {"color": soft}, "axisLine": {"lineStyle": {"color": soft}},
                  "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"color": soft},
                  "splitLine": {"lineStyle": {"color": "#8793a033"}}},
        "series": [{"type": "line", "name": _name(source, key), "showSymbol": False, "lineStyle": {"width": 2},
                    "data": [[round(1000 * at), value] for at, value in points]}
                   for (source, key), points in series.items()]}
