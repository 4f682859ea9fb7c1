"""Things of the Device Cloud: who is connected, what each tells, and what it may be asked to do."""
from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

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
    field,
    heading,
    mark,
    mood,
    opened,
    pill,
    say,
    size,
    table,
    trying,
)
from toolkit.gateway.dashboard.terminal import Terminal

EVERY_S = 2.0
DAY_S = 86_400
MOST_WAIT_S = 30
VALUES = {"property": "value", "attribute": "value", "alarm": "state"}
KINDS = ("alarm", "property", "attribute", "location")          # as a person wants to read them


@ui.page("/things")
async def things(request: Request) -> RedirectResponse | None:
    page = await opened(request, "Things", "things")
    if isinstance(page, RedirectResponse):
        return page
    with body():
        heading("Things", "What has come to this gateway as a Device Cloud.")
        with card(classes="flush"):
            rows = table(("Thing", "State", "Name", "Role", "Seen"), "fold")
            none = empty("sensors_off", "No thing yet", "Make a token: devToolKit.py --cloud things --new KEY")

    async def look() -> None:
        told = await page.api.get("things")
        none.set_visibility(not told)
        rows.clear()
        with rows:
            for each in told:
                with mark(el("tr"), data_thing=each["key"]):
                    with el("td"):
                        mark(say("a", each["key"], "name"), href=f"/gui/things/{quote(each['key'], safe='')}")
                    with el("td"):
                        _state(pill("unknown"), each)
                    for text in (each["name"], each["role"], clock(each["seen_at"])):
                        say("td", text, "soft")

    page.look(look, EVERY_S)
    return None


@ui.page("/things/{key}")
async def thing(request: Request, key: str) -> RedirectResponse | None:
    page = await opened(request, key, "things")
    if isinstance(page, RedirectResponse):
        return page
    try:
        row = await page.api.get("things", key)
    except ApiError as error:
        with body():
            empty("search_off", "No such thing", str(error))
        return None
    with body():
        with heading(row["name"] or key, key if row["name"] else row["desc"]):
            state = pill("unknown")
        with el("div", "cols"):
            last, plot = _Last(), _Plot(page, key, row)
        if page.may("operate"):
            _Runs(page, key)
        files = _Files(page, key)
        if page.may("admin"):
            _Remote(page, key)

    async def look() -> None:
        told = await page.api.get("things", key)
        _state(state, told)
        last.draw(told["last"])
        await plot.look()
        await files.look()

    page.look(look, EVERY_S)
    return None


class _Last:
    """The last of everything it told; alarms first."""

    def __init__(self) -> None:
        with card("Last values", "flush"):
            self._rows = table(("Name", "Value", "Time"), "fold")
        self._shown = ""

    def draw(self, last: dict[str, dict[str, Any]]) -> None:
        told = json.dumps(last)
        if told == self._shown:
            return
        self._shown = told
        self._rows.clear()
        with self._rows:
            for kind in sorted(last, key=lambda kind: KINDS.index(kind) if kind in KINDS else len(KINDS)):
                for name, item in sorted(last[kind].items()):
                    with mark(el("tr"), data_value=name):
                        with el("td"):
                            say("span", name)
                            say("p", kind, "soft small")
                        with el("td"):
                            self._value(kind, item)
                        say("td", clock(item["at"]), "soft whole small")

    def _value(self, kind: str, item: dict[str, Any]) -> None:
        """An alarm in the colour of its state; 0: there is none."""
        text = _value(kind, item)
        if kind == "alarm":
            pill("failed" if item.get("state") else "up", text).style("white-space: normal; border-radius: 12px")
        else:
            say("span", text)


class _Plot:
    """One property over the last day."""

    def __init__(self, page: Page, key: str, row: dict[str, Any]) -> None:
        self._page, self._key = page, key
        names = [name for name, item in row["last"].get("property", {}).items() if _is_number(item.get("value"))]
        with card("Over time") as side, el("div"):      # straight in a card it is empty at first, so hidden, so 100 px
            self._chart = ui.echart(_options("", [])).style("height: 300px; width: 100%").props(
                'role="img" aria-label="Plot of a property"')
        with side:
            self._name = choice("Property", names, names[0] if names else None, on_change=trying(self.look))
            self._name.style("min-width: 200px")

    async def look(self) -> None:
        if not self._name.value:
            return
        rows = await self._page.api.get("things", self._key, "samples", kind="property", name=self._name.value,
                                        since=-DAY_S, most=2000)
        points = [[round(1000 * row["at"]), row["value"]] for row in rows if _is_number(row.get("value"))]
        self._chart.options.update(_options(self._name.value, points))
        self._chart.update()


class _Runs:
    """Have it do something; what it did."""

    def __init__(self, page: Page, key: str) -> None:
        self._page, self._key = page, key
        with card("Actions"):
            with el("div", "line"):
                self._method = field("Action", placeholder="ping")
                self._params = field("Parameters, JSON", placeholder='{"n": 3}').classes("grow")
                button("Run", trying(self._run), "primary")
            self._rows = table(("Action", "State", "Outcome", "Time"), "fold")
        page.look(self._look, EVERY_S)

    async def _run(self) -> None:
        text = (self._params.value or "").strip()
        try:
            params = json.loads(text) if text else None
        except ValueError:
            raise ApiError(422, f"parameters are JSON like {{\"n\": 3}}, got {text[:60]}") from None
        await self._page.api.post("things", self._key, "actions",
                                  body={"method": (self._method.value or "").strip(), "params": params})

    async def _look(self) -> None:
        told = await self._page.api.get("things", self._key, "actions", most=10)
        self._rows.clear()
        with self._rows:
            for row in told:
                with mark(el("tr"), data_action=row["ident"]):
                    say("td", row["method"])
                    with el("td"):
                        mood(pill("unknown"), "failed" if row["code"] else row["state"])
                    words = [row["message"] or (row["progress"][-1]["text"] if row["progress"] else ""),
                             f"status {row['code']}" if row["code"] else "",
                             f"{row['tries']} tries" if row["tries"] > 1 else ""]
                    say("td", ", ".join(word for word in words if word), "soft wide")
                    say("td", clock(row["made_at"]), "soft whole small")


class _Files:
    """Its own files; a click fetches one."""

    def __init__(self, page: Page, key: str) -> None:
        self._page, self._key = page, key
        with card("Files", "flush"):
            self._rows = table(("File", "Size", "Time"), "fold", numbers=(1,))
        self._shown: list[Any] = []

    async def look(self) -> None:
        told = await self._page.api.get("things", self._key, "files")
        if told == self._shown:
            return
        self._shown = told
        self._rows.clear()
        with self._rows:
            for row in told:
                with mark(el("tr"), data_file=row["name"]):
                    with el("td"):
                        button(row["name"], trying(lambda name=row["name"]: self._fetch(name)), "quiet")  # type: ignore[misc]
                    say("td", size(row["size"]), "num soft")
                    say("td", clock(row["at"]), "soft whole small")

    async def _fetch(self, name: str) -> None:
        way = await self._page.api.get("things", self._key, "files", name)
        ui.download.from_url("../.." + way["path"], name)       # a path with a slash first would be one below /gui


class _Remote:
    """A terminal on a TCP port behind it."""

    def __init__(self, page: Page, key: str) -> None:
        self._page, self._key = page, key
        with card("Remote terminal"):
            with el("div", "line"):
                self._port = field("Port behind the thing", value="23")
                button("Open", trying(self._open), icon="terminal")
            self._place = el("div")

    async def _open(self) -> None:
        text = (self._port.value or "").strip()
        if not text.isascii() or not text.isdigit():
            raise ApiError(422, f"a port is a number, got {text[:20]!r}")
        made = await self._page.api.post("things", self._key, "relays", body={"port": int(text)})
        self._place.clear()
        with self._place:
            Terminal(self._page, "things", self._key, "relays", made["ident"], edits=False, again=False, text="true")


def _state(made: Any, row: dict[str, Any]) -> None:
    words = "blocked" if row["blocked"] else "up" if row["connected"] else "away"
    mood(made, {"blocked": "failed", "up": "up"}.get(words, "unknown"), words)


def _value(kind: str, item: dict[str, Any]) -> str:
    if kind == "location":
        return f"{item['lat']}, {item['lng']}"
    text = str(item.get(VALUES.get(kind, "value"), ""))
    return f"{text}  {item['msg']}" if item.get("msg") else text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _options(name: str, points: list[list[float]]) -> dict[str, Any]:
    soft = "#8793a0"
    axis = {"axisLabel": {"color": soft}, "splitLine": {"lineStyle": {"color": "#8793a033"}}}
    return {"animation": False, "color": ["#0e8a96"], "tooltip": {"trigger": "axis"},
            "grid": {"left": 48, "right": 16, "top": 16, "bottom": 28},
            "xAxis": {"type": "time", "axisLabel": {"color": soft}, "splitLine": {"show": False}},
            "yAxis": {"type": "value", "scale": True, **axis},
            "series": [{"type": "line", "name": name, "showSymbol": len(points) < 50, "data": points}]}
