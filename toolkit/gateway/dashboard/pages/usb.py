"""Boards on USB: what is plugged in, a board becomes a node, backup, restore, console."""
from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import events, ui

from toolkit.gateway.dashboard.frame import (
    Page,
    body,
    button,
    card,
    choice,
    confirm,
    el,
    empty,
    field,
    heading,
    opened,
    say,
    trying,
)
from toolkit.gateway.dashboard.run_panel import RunPanel
from toolkit.gateway.dashboard.terminal import Terminal

BY_CHIP = "as the chip tells"
STEPS = (("Erase", "All that was on the board is gone."),
         ("Flash", "MicroPython, from the cache, the net or your file."),
         ("Copy", "micrOS, each file verified by its hash."), ("Greet", "It boots, and answers as a node."))


@ui.page("/usb")
async def usb(request: Request) -> RedirectResponse | None:
    page = await opened(request, "USB", "usb")
    if isinstance(page, RedirectResponse):
        return page
    with body():
        heading("USB", "Boards at a cable of the gateway's machine: make nodes of them, keep and restore settings.")
        if not page.may("admin"):
            with card():
                empty("lock", "Boards on USB take the role admin", "Your token has less.")
            return None
        desk = Desk(page)
    page.look(desk.look, 2.0)
    return None


class Desk:
    """The chosen port, and what is done to the board there."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._told: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}
        self._image = ""
        with card() as _:
            self._none = empty("usb_off", "No board is plugged in", "Use a cable that also carries data. A virtual "
                               "board that runs has its serial port here, too.")
            with el("div", "line") as self._some:
                self._port = choice("Board at", []).classes("grow").style("max-width: 560px")
                self._port.on_value_change(lambda: self._rehearse())
            self._silent = el("div", "stack tight")
        self._panel = RunPanel(page, self._ended)
        with el("div", "cols") as self._work:
            self._make_card()
            self._keep_card()
        self._console = el("div")
        self._terminal: Terminal | None = None

    async def look(self) -> None:
        told = await self._page.api.get("usb")
        if told == self._told:
            return
        first, self._told = not self._told, told
        names = {row["port"]: _name_of(row) for row in told["ports"]}
        self._none.set_visibility(not names)
        self._some.set_visibility(bool(names))
        self._work.set_visibility(bool(names))
        value = self._port.value if self._port.value in names else next(iter(names), None)
        self._port.set_options(names, value=value)
        there, chosen = told["archived"], self._archived.value
        self._archived.set_options(there, value=chosen if chosen in there else next(iter(there), None))
        if first:
            self._board.set_options([BY_CHIP, *told["boards"]], value=BY_CHIP)
        kept = self._config.value
        options = {"new": "New: a network of its own", **{f"profile:{row['name']}": f"New: it {row['about']}"
                                                          for row in told["profiles"]},
                   **{f"archived:{name}": f"That of {name}, from the archive" for name in told["archived"]}}
        self._config.set_options(options, value=kept if kept in options else "new")
        self._silent.clear()
        with self._silent:
            for line in told["without_port"]:
                say("p", line, "note warn")

    def _make_card(self) -> None:
        with card("Make a node"):
            with el("ol", "stack tight").style("padding-left: 20px; margin: 0"):
                for name, about in STEPS:
                    with el("li"):
                        say("strong", f"{name}. ")
                        say("span", about, "soft")
            with el("div", "line"):
                self._name = field("Name of the node", placeholder="lamp01").classes("grow").props("stack-label")
                self._board = choice("Board", [BY_CHIP], BY_CHIP).classes("grow")
            self._config = choice("Settings", {"new": "New: a network of its own"}, "new")
            self._config.on_value_change(lambda: self._ask())
            self._questions = el("div", "stack tight")
            with el("div", "line apart"):
                with el("div", "line tight grow"):
                    own = button("Firmware of your own", lambda: None, icon="upload_file")
                    own.on("click", js_handler="() => dash.image()")
                    self._firmware = say("span", "else the official one", "soft small")
                button("Make node", self._confirm, "primary", "bolt")
        ui.on("image", self._take)

    def _keep_card(self) -> None:
        with el("div", "stack"):
            with card("Settings in the archive"):
                say("p", "Kept on the gateway's machine, for its owner's eyes only; they hold passwords.", "soft")
                with el("div", "line"):
                    button("Back up", trying(lambda: self._run("backup")), icon="save")
                with el("div", "line"):
                    self._archived = choice("Restore from", []).classes("grow")
                    button("Restore", trying(lambda: self._run("restore", name=self._archived.value or "")))
            with card("Console"):
                say("p", "What the board prints, and keys to it. Ctrl-C stops what runs, Ctrl-D starts it again.",
                    "soft")
                with el("div", "line tight"):
                    button("Open", self._open, icon="terminal")
                    button("Close", self._close, "quiet")

    def _rehearse(self) -> None:
        row = self._row()
        if row and row["virtual"] and not self._name.value:
            self._name.set_value(row["board"])

    def _row(self) -> dict[str, Any] | None:
        return next((row for row in self._told.get("ports", ()) if row["port"] == self._port.value), None)

    def _ask(self) -> None:
        """The questions of a profile."""
        name = str(self._config.value).removeprefix("profile:")
        profile = next((row for row in self._told.get("profiles", ()) if row["name"] == name), None)
        self._questions.clear()
        self._answers = {}
        with self._questions:
            for row in profile["questions"] if profile else ():
                made = field(row["ask"], row["default"] or "")
                if row["kind"] == "secret":
                    made.props("type=password autocomplete=new-password")
                self._answers[row["key"]] = made

    def _take(self, event: events.GenericEventArguments) -> None:
        told = event.args
        self._image = told.get("image") or ""
        self._firmware.set_text(told["name"] if self._image else told["why"])

    def _confirm(self) -> None:
        row = self._row()
        if row:
            confirm(f"Make {self._name.value or 'a node'} of the board at {row['port'].rpartition('/')[2]}?",
                    "Its whole flash is erased first.", "Erase and make", self._make)

    async def _make(self) -> None:
        row = self._row()
        assert row
        config, profile = str(self._config.value), ""
        if config.startswith("profile:"):
            config, profile = "new", config.removeprefix("profile:")
        body_ = {"port": row["port"], "name": self._name.value or "", "config": config, "profile": profile,
                 "board": "" if self._board.value == BY_CHIP else self._board.value,
                 "answers": {key: made.value for key, made in self._answers.items() if made.value},
                 "image": self._image or ("virtual" if row["virtual"] else "")}
        self._close()
        self._panel.show(await self._page.api.post("usb", "make", body=body_))

    async def _run(self, what: str, **more: str) -> None:
        self._close()                            # the line is one's alone
        self._panel.show(await self._page.api.post("usb", what, body={"port": self._port.value or "", **more}))

    async def _ended(self, row: dict[str, Any]) -> None:
        if row["state"] == "done":
            await trying(lambda: self._page.api.post("devices", "search"))()
            ui.notify(f"{row['title']}: done", position="bottom")

    def _open(self) -> None:
        self._close()
        if self._port.value:
            with self._console:
                self._terminal = Terminal(self._page, "usb", "console", edits=False, port=self._port.value)

    def _close(self) -> None:
        if self._terminal:
            self._terminal.close()
        self._terminal = None
        self._console.clear()


def _name_of(row: dict[str, Any]) -> str:
    if row["virtual"]:
        return f"virtual board {row['board']}"
    return f"{row['port'].rpartition('/')[2]} · {row['chip']}" + (f" · {row['board']}" if row["board"] != "-" else "")
