"""The frame of every page, and the parts that they are made of."""
from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from toolkit.gateway.dashboard.client import Api, ApiError

LOOK_S = 1.2                   # between two looks at what a page shows
# path, what it is called, icon, the part of the gateway that it needs
PAGES = (("", "Nodes", "memory", ""), ("jobs", "Jobs", "checklist", "jobs"), ("usb", "USB", "usb", ""),
         ("virtual", "Virtual boards", "developer_board", ""), ("things", "Things", "hub", "cloud"))
HEAD = """<link rel="manifest" href="/gui-assets/manifest.webmanifest"><meta name="theme-color" content="#ffffff">
<link rel="apple-touch-icon" href="/gui-assets/icon-192.png"><link rel="stylesheet" href="/gui-assets/dashboard.css">
<script src="/gui-assets/dashboard.js"></script>"""

Made = TypeVar("Made", bound=ui.element)
Act = Callable[[], Awaitable[object] | object]


class Page:
    """What a page needs beyond what it shows: the API, who looks, and the parts that the gateway has."""

    def __init__(self, api: Api, role: str, parts: Iterable[str] = ()) -> None:
        self.api = api
        self.role = role
        self.parts = frozenset(parts)
        self._looks: list[tuple[Callable[[], Awaitable[None]], Any]] = []

    def may(self, role: str) -> bool:
        roles = ("view", "operate", "admin")
        return roles.index(self.role) >= roles.index(role)

    def look(self, look: Callable[[], Awaitable[None]], every_s: float = LOOK_S) -> None:
        """look() now and again, as long as somebody has the page open; one at a time."""
        async def guarded() -> None:
            try:
                await look()
            except ApiError as error:
                if error.status == 401:
                    ui.navigate.to("/enter")

        ui.timer(every_s, guarded, immediate=True)


async def opened(request: Request, title: str, here: str = "") -> Page | RedirectResponse:
    """A page's frame for who has entered; else the way to the door. here: its place in PAGES."""
    api = Api(request)
    try:
        about = await api.get("gateway")
    except ApiError:
        await api.close()
        return RedirectResponse("/enter?next=" + quote(request.scope.get("root_path", "") + _own_path(request)))
    ui.context.client.on_delete(api.close)
    ui.page_title(f"{title} · micrOS")
    ui.add_head_html(HEAD)
    _top(here, about["parts"])
    return Page(api, about["role"], about["parts"])


def _own_path(request: Request) -> str:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return path + (f"?{request.url.query}" if request.url.query else "")


def _top(here: str, parts: list[str]) -> None:
    with el("header", "top"), el("div", "top-in"):
        with el("a", "brand").props('href="/gui/" aria-label="micrOS, all nodes"'):
            el("img").props('src="/gui-assets/icon.svg" alt="" width=26 height=26')
            say("span", "micrOS")
        with el("nav", "nav").props('aria-label="Pages"'):
            for path, name, icon, part in PAGES:
                if part and part not in parts:
                    continue
                with el("a").props(f'href="/gui/{path}"' + (' aria-current="page"' if path == here else "")):
                    ui.icon(icon).props("aria-hidden=true")
                    say("span", name)
        with el("div", "line tight"):
            icon_button("contrast", "Theme: light, dark or as the system",
                        lambda: ui.run_javascript("dash.theme(true)"))
            icon_button("logout", "Leave", lambda: ui.run_javascript("dash.leave()"))


# -- parts


def el(tag: str, classes: str = "") -> ui.element:
    return ui.element(tag).classes(classes)


def mark(made: Made, **attributes: str) -> Made:
    """Give an element attributes, `data_node=` for data-node. Their values may come from anywhere.

    props("...") takes a text apart, so that a name with a quote in it would become another attribute: never there.
    """
    for name, value in attributes.items():
        made.props[name.replace("_", "-")] = value
    made.update()
    return made


def say(tag: str, text: str, classes: str = "") -> TextElement:
    """An element with a text, which set_text() changes."""
    return TextElement(tag=tag, text=text).classes(classes)


@contextmanager
def body() -> Any:
    with el("div", "page"):
        yield


def heading(title: str, about: str = "") -> ui.element:
    """The head of a page; what is made inside stands at its right."""
    with el("div", "head"):
        with el("div"):
            say("h1", title)
            if about:
                say("p", about)
        return el("div", "line tight")


@contextmanager
def card(title: str = "", classes: str = "") -> Any:
    """A sheet with a title; gives the place at the title's right."""
    with el("section", f"card {classes}"):
        side = None
        if title:
            with el("div", "card-head"):
                say("h2", title)
                side = el("div", "line tight")
        yield side


def button(text: str, act: Act, kind: str = "plain", icon: str | None = None) -> ui.button:
    """kind: plain, primary, danger or quiet"""
    return ui.button(text, on_click=act, icon=icon, color=None).props("unelevated no-caps").classes(f"btn {kind}")


def icon_button(icon: str, label: str, act: Act) -> ui.button:
    made = ui.button(on_click=act, icon=icon, color=None).props("unelevated no-caps").classes("btn quiet")
    return mark(made, aria_label=label, title=label)


def field(label: str, value: str = "", **props: str) -> ui.input:
    made = ui.input(label, value=value).props("outlined dense no-error-icon hide-bottom-space")
    return mark(made, **props)


def choice(label: str, options: Any, value: Any = None, **more: Any) -> ui.select:
    return ui.select(options, label=label, value=value, **more).props("outlined dense stack-label hide-bottom-space")


def empty(icon: str, title: str, text: str) -> ui.element:
    with el("div", "empty") as place:
        ui.icon(icon).props("aria-hidden=true")
        say("h3", title)
        say("p", text)
    return place


def pill(state: str, words: str = "") -> TextElement:
    made = say("span", "", "pill")
    mood(made, state, words)
    return made


def mood(made: TextElement, state: str, words: str = "") -> None:
    kinds = {"up": "good", "down": "bad", "running": "warn", "done": "good", "failed": "bad", "active": "good",
             "stopped": "bad", "aborted": "bad", "current": "good"}
    made.classes(replace=f"pill {kinds.get(state, '')}")
    made.set_text(words or state)


def table(heads: Iterable[str], classes: str = "", numbers: tuple[int, ...] = ()) -> ui.element:
    """The body of a table, for rows."""
    with el("div", "scroll"), el("table", f"sheet {classes}"):
        with el("thead"), el("tr"):
            for at, head in enumerate(heads):
                say("th", head, "num" if at in numbers else "").props('scope="col"')
        return el("tbody")


def complain(error: Exception) -> None:
    ui.notify(str(error) or "it did not work", position="bottom", timeout=6000, close_button="Close")


def trying(act: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """act(), and what the API refuses is shown."""
    async def tried() -> None:
        try:
            await act()
        except ApiError as error:
            complain(error)

    return tried


def confirm(question: str, text: str, word: str, act: Callable[[], Awaitable[object]]) -> None:
    """act() when a person says so."""
    async def go() -> None:
        dialog.close()
        await trying(act)()

    with ui.dialog() as dialog, el("div", "card").props('role="document"'):
        say("h2", question)
        say("p", text, "soft")
        with el("div", "line end"):
            button("Cancel", dialog.close)
            button(word, go, "primary")
    dialog.open()


def size(count: int) -> str:
    if count < 1 << 10:
        return f"{count} B"
    return f"{count / (1 << 10):.1f} KB" if count < 1 << 20 else f"{count / (1 << 20):.2f} MB"


def clock(at: float | None) -> str:
    """at: seconds since 1970; nothing for none"""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""


def span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else (
        f"{minutes} min {whole % 60} s" if minutes else f"{whole} s")


async def settled(*asked: Awaitable[Any]) -> list[Any]:
    """Answers side by side; None for what the API refused."""
    told = await asyncio.gather(*asked, return_exceptions=True)
    return [None if isinstance(each, Exception) else each for each in told]
