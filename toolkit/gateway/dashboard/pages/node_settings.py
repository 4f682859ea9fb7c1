"""The settings of a node as a form, made from its settings and their rules."""
from __future__ import annotations

import re
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import card, el, empty, field, mark, say
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node

_WHOLE = re.compile(r"[+-]?\d{1,20}", re.ASCII)

Row = dict[str, Any]


@ui.page("/node/{uid}/settings")
async def settings(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "settings")
    if not isinstance(page, NodePage):
        return page
    with page.inside:
        form = Form(page)
    page.look(form.look)
    return None


class Form:
    """One row per setting; each is saved when it is left, and says why when the node refuses it."""

    def __init__(self, page: NodePage) -> None:
        self._page = page
        self._rows: dict[str, Setting] = {}
        with el("div", "line apart"):
            find = field("Find a setting", icon="search").classes("grow").style("max-width: 360px").props("clearable")
            say("span", "A value is saved with Enter, or when you leave its field." if page.may("admin")
                else "Changing settings takes the role admin.", "soft small")
        with card(classes="flush") as _:
            self._place = el("div")
            with self._place:
                self._empty = empty("tune", "Reading the settings", "They come from the node itself.")
        find.on_value_change(lambda event: self._find(event.value or ""))

    async def look(self) -> None:
        if self._page.node["state"] == "down":
            return
        try:
            told = await self._page.api.get("devices", self._page.uid, "config")
        except ApiError as error:
            if error.status == 401:
                raise
            return
        self._empty.set_visibility(False)
        for row in told:
            if row["key"] not in self._rows:
                with self._place:
                    self._rows[row["key"]] = Setting(self._page, row)
            self._rows[row["key"]].show(row)

    def _find(self, words: str) -> None:
        for key, setting in self._rows.items():
            setting.place.set_visibility(words.lower() in f"{key} {setting.row['doc']}".lower())


class Setting:
    """A field for one key. What a person has begun to change is left alone by what the node tells."""

    def __init__(self, page: NodePage, row: Row) -> None:
        self._page, self.row, self._is_touched = page, row, False
        with mark(el("div", "set"), data_key=row["key"]) as self.place:
            with el("div"):
                say("h3", row["key"], "mono")
                say("p", _about(row), "soft small")
            with el("div", "control"):
                self._field = self._made(row)

    def show(self, row: Row) -> None:
        self.row = row
        if not self._is_touched:
            shown = "" if row["secret"] else row["value"]
            if self._field.value != shown:
                self._is_quiet = True
                self._field.set_value(shown)
                self._is_quiet = False

    _is_quiet = False

    def _made(self, row: Row) -> Any:
        fixed = row["fixed"] or not self._page.may("admin")
        if isinstance(row["value"], bool):
            made: Any = ui.switch(value=row["value"]).props("dense")
            made.on_value_change(self._switched)
        elif row["choices"]:
            made = ui.select(row["choices"] if row["value"] in row["choices"] else [row["value"], *row["choices"]],
                             value=row["value"]).props("outlined dense hide-bottom-space")
            made.on_value_change(self._switched)
        else:
            made = self._text(row)
        made.set_enabled(not fixed)
        return mark(made, aria_label=row["key"])

    def _text(self, row: Row) -> Any:
        made: Any = ui.input(value="" if row["secret"] else str(row["value"]),
                             placeholder="not shown; type a new one" if row["secret"] else "").props(
                                 "outlined dense hide-bottom-space no-error-icon")
        if row["secret"]:
            made.props("type=password autocomplete=new-password")
        elif isinstance(row["value"], int):
            made.props("inputmode=numeric")
        made.on("focus", self._touch)
        made.on("blur", self._leave)
        made.on("keydown.enter", self._leave)
        made.on("keydown.escape", self._forget)
        return made

    def _touch(self) -> None:
        self._is_touched = True

    def _forget(self) -> None:
        self._field.set_value("" if self.row["secret"] else str(self.row["value"]))
        self._field.props(remove="error error-message")
        self._is_touched = False

    async def _leave(self) -> None:
        text = str(self._field.value or "")
        if text == ("" if self.row["secret"] else str(self.row["value"])):
            self._forget()
            return
        await self._save(_value(text, self.row))

    async def _switched(self) -> None:
        if not self._is_quiet and self._field.value != self.row["value"]:
            await self._save(self._field.value)

    async def _save(self, value: Any) -> None:
        self._is_touched = True
        try:
            row = await self._page.api.put("devices", self._page.uid, "config", self.row["key"], body={"value": value})
        except ApiError as error:
            self._refused(str(error))
            return
        self._field.props(remove="error error-message")
        self._is_touched = False
        self.show(row)
        ui.notify(f"{self.row['key']} is saved", position="bottom")

    def _refused(self, why: str) -> None:
        self._field.props["error"] = True
        self._field.props["error-message"] = why
        self._field.update()
        ui.notify(f"{self.row['key']}: {why}", position="bottom", timeout=6000)


def _value(text: str, row: Row) -> Any:
    """A whole number where the setting is one; anything else goes as it is, and the node says what it thinks of it."""
    if isinstance(row["value"], int) and _WHOLE.fullmatch(text.strip()):
        return int(text)
    return text


def _about(row: Row) -> str:
    limits = "" if row["least"] is None else f"{row['least']} to {row['most']}"
    usual = "" if row["default"] in (None, "") or row["secret"] else f"default {_shown(row['default'])}"
    whose = "written by the node" if row["fixed"] else ""
    return " · ".join(each for each in (row["doc"].replace("`", ""), limits, usual, whose) if each)


def _shown(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
