"""Virtual boards: which there are, and one of them with its world."""
from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard import pictures
from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import (
    Page,
    body,
    button,
    card,
    choice,
    complain,
    confirm,
    el,
    empty,
    field,
    heading,
    mark,
    mood,
    opened,
    pill,
    say,
    span,
    trying,
)
from toolkit.gateway.dashboard.node_frame import path_of
from toolkit.gateway.dashboard.terminal import Terminal

LOOK_S = 0.35
FULL = 65535
STATES = {"main": "runs", "off": "unplugged", "held": "held in reset", "empty": "nothing in its flash"}
CHIPS = {"bme280": ("Climate sensor BME280", 0x76), "vl53l0x": ("Distance sensor VL53L0X", 0x29),
         "ssd1306": ("Display SSD1306", 0x3C), "sh1106": ("Display SH1106", 0x3C)}
# fact of a chip -> what it is called, least, most, step
FACTS = {"temp": ("Temperature °C", -20, 60, 0.5), "humidity": ("Humidity %", 0, 100, 1),
         "pressure": ("Pressure hPa", 900, 1100, 1), "distance_mm": ("Distance mm", 0, 2000, 10)}
SENSORS = {"raw_temperature": ("Chip temperature °F", 32, 212), "hall": ("Hall sensor", -100, 100),
           "battery_mv": ("Battery mV", 3000, 4300)}


@ui.page("/virtual")
async def boards(request: Request) -> RedirectResponse | None:
    page = await opened(request, "Virtual boards", "virtual")
    if isinstance(page, RedirectResponse):
        return page
    with body():
        heading("Virtual boards", "The real firmware on this machine, with a world around its pins that you can turn.")
        shown = Shelf(page)
    page.look(shown.look, 2.0)
    return None


class Shelf:
    """The boards that run, and those that could."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._told: dict[str, Any] | None = None
        if page.may("admin"):
            with card("Start a board"), el("form", "line").on("submit.prevent", trying(self._start)):
                self._name = field("Name", "board01").classes("grow").style("max-width: 240px")
                self._kind = choice("Board", ["esp32"], "esp32").style("min-width: 140px")
                self._erased = ui.checkbox("Nothing in its flash, for the page USB").props("dense")
                self._go = ui.button("Start", color=None).props("unelevated no-caps type=submit").classes("btn primary")
        self._place = el("div", "cols")
        self._empty = empty("developer_board_off", "No virtual board runs", "Start one: it is a node like any other, "
                            "with a console, modules and files.")

    async def look(self) -> None:
        told = await self._page.api.get("virtual")
        if told == self._told:
            return
        self._told = told
        if self._page.may("admin"):
            self._kind.set_options(told["kinds"], value=self._kind.value)
        self._empty.set_visibility(not told["running"] and not told["stopped"])
        self._place.clear()
        with self._place:
            for row in told["running"]:
                self._running(row)
            for name in told["stopped"]:
                self._stopped(name)

    def _running(self, row: dict[str, Any]) -> None:
        with card() as _, mark(el("div", "line apart"), data_board=row["name"]):
            with el("div"):
                mark(say("a", row["name"], "name"), href=f"/gui/virtual/{row['name']}")
                say("p", f"{row['kind']} at {row['address']}:{row['shell_port']}", "soft small mono")
            with el("div", "line tight"):
                pill("up" if row["plugged"] else "down", "runs" if row["plugged"] else "unplugged")
                if self._page.may("admin"):
                    button("Stop", trying(lambda: self._stop(row["name"])), "danger")

    def _stopped(self, name: str) -> None:
        async def again() -> None:
            await self._page.api.post("virtual", body={"name": name})
            await self.look()

        with card() as _, el("div", "line apart"):
            with el("div"):
                say("h3", name)
                say("p", "its files are kept", "soft small")
            if self._page.may("admin"):
                button("Start", trying(again))

    async def _start(self) -> None:
        self._go.props("loading")
        try:
            await self._page.api.post("virtual", body={"name": self._name.value, "board": self._kind.value,
                                                       "erased": self._erased.value})
        finally:
            self._go.props(remove="loading")
        await self.look()

    async def _stop(self, name: str) -> None:
        await self._page.api.delete("virtual", name)
        await self.look()


@ui.page("/virtual/{name}")
async def board(request: Request, name: str) -> RedirectResponse | None:
    page = await opened(request, name, "virtual")
    if isinstance(page, RedirectResponse):
        return page
    try:
        rows = (await page.api.get("virtual"))["running"]
        row = next(each for each in rows if each["name"] == name)
        world = await page.api.get("virtual", name)
    except (ApiError, StopIteration):
        with body(), card():
            empty("developer_board_off", f"{name} does not run", "The page Virtual boards starts it.")
        return None
    with body():
        bench = Bench(page, row, world)
    page.look(bench.look, LOOK_S)
    return None


class Bench:
    """One board and its world."""

    def __init__(self, page: Page, row: dict[str, Any], world: dict[str, Any]) -> None:
        self._page, self._name, self._row, self._world, self._drawn = page, row["name"], row, world, ""
        self._network = True
        with heading(self._name):
            if page.may("admin"):
                self._power()
        with el("div", "line tight"):
            self._state = pill("unknown")
            self._about = say("span", "", "soft")
            mark(say("a", "Its page as a node"), href=path_of(f"{row['address']}:{row['shell_port']}"))
        with card("What it shows"):
            self._picture = ui.html("", sanitize=False, tag="div").classes("bench").props('aria-live="off"')
            self._idle = empty("lightbulb", "Nothing is driven yet", "Lamps, strips, servos and displays are drawn "
                               "here as soon as the program uses their pins.")
        with el("div", "cols"):
            self._buttons(world)
            self._inputs(world)
        self._bus(world)
        self._console()

    async def look(self) -> None:
        try:
            self._world = await self._page.api.get("virtual", self._name)
        except ApiError as error:
            if error.status == 401:
                raise
            mood(self._state, "down", "ended")
            return
        world = self._world
        on = world["state"] not in ("off", "held")
        mood(self._state, "up" if on else "down", STATES.get(world["state"], world["state"]))
        self._network = world["network"]
        told = [self._row["kind"], f"{self._row['address']}:{self._row['shell_port']}",
                f"up for {span(world['uptime_s'])}", f"start {world['starts']}", "" if self._network else "no network"]
        self._about.set_text(" · ".join(each for each in told if each))
        if self._page.may("admin"):
            for made, is_shown in ((self._unplug, on), (self._plug, not on), (self._away, self._network),
                                   (self._back, not self._network)):
                made.set_visibility(is_shown)
        drawn = pictures.things(world)
        if drawn != self._drawn:
            self._drawn = drawn
            self._picture.set_content(drawn)
        self._idle.set_visibility(not drawn)

    def _act(self, what: str) -> Any:
        return trying(lambda: self._page.api.post("virtual", self._name, what))

    def _power(self) -> None:
        async def stop() -> None:
            await self._page.api.delete("virtual", self._name)
            ui.navigate.to("/virtual")

        button("Reset", self._act("reset"), icon="restart_alt")
        button("Off and on", self._act("power"), icon="power_settings_new")
        self._unplug = button("Pull the plug", self._act("unplug"), icon="power_off")
        self._plug = button("Plug in", self._act("plug"), icon="power")
        self._away = button("Take the network", self._act("network-down"), icon="wifi_off")
        self._back = button("Give it back", self._act("network-up"), icon="wifi")
        button("Stop", lambda: confirm(f"Stop {self._name}?", "Its files stay.", "Stop", stop), "danger")

    def _buttons(self, world: dict[str, Any]) -> None:
        with card("Buttons"):
            say("p", "A press puts the other level on the pin, for as long as you hold it.", "soft")
            with el("div", "line tight"):
                for each in world["buttons"]:
                    self._button(each["name"], each["pin"])

    def _button(self, name: str, pin: int) -> None:
        made = mark(button(name, lambda: None).classes("press"), data_press=name)
        if not self._page.may("admin"):
            made.disable()

        async def set_(value: int | None) -> None:
            try:
                await self._page.api.put("virtual", self._name, "pins", str(pin), body={"value": value})
            except ApiError as error:
                complain(error)

        async def down() -> None:
            pads = {row["pin"]: row for row in self._world["pins"]}
            made.classes("down")
            await set_(1 - (pads[pin]["value"] if pin in pads else 0))

        async def up() -> None:
            made.classes(remove="down")
            await set_(None)

        for event in ("pointerdown", "keydown.space", "keydown.enter"):
            made.on(event, down)
        for event in ("pointerup", "pointercancel", "keyup.space", "keyup.enter"):
            made.on(event, up)

    def _inputs(self, world: dict[str, Any]) -> None:
        with card("Readings"):
            for each in world["analog"]:
                self._slider(f"{each['name']}, pin {each['pin']}", 0, FULL, 256, each["value"] or 0,
                             "analog", str(each["pin"]))
            for name, value in world["sensors"].items():
                title, least, most = SENSORS[name]
                self._slider(title, least, most, 1, value, "sensors", name)

    def _slider(self, title: str, least: float, most: float, step: float, value: float,
                *path: str, fact: str = "") -> None:
        async def send() -> None:
            body_: dict[str, Any] = {"facts": {fact: slider.value}} if fact else {"value": int(slider.value)}
            try:
                await self._page.api.put("virtual", self._name, *path, body=body_)
            except ApiError as error:
                complain(error)

        with el("div", "stack").style("gap: 0"):
            with el("div", "line apart"):
                say("span", title)
                shown = say("span", f"{value:g}", "soft mono")
            slider = mark(ui.slider(min=least, max=most, step=step, value=value), aria_label=title)
            slider.on_value_change(lambda event: shown.set_text(f"{event.value:g}"))
            slider.on("change", send)
            slider.set_enabled(self._page.may("admin"))

    def _bus(self, world: dict[str, Any]) -> None:
        with card("On the I2C bus") as side:
            place = el("div", "cols")
            with place:
                for chip in world["chips"]:
                    self._chip(chip)
            nothing = say("p", "Nothing yet. A display that is hung here is drawn above.", "soft")
            nothing.set_visibility(not world["chips"])
        if not self._page.may("admin"):
            return
        with side, button("Hang a chip", lambda: None, icon="add"), ui.menu():
            for model, (title, address) in CHIPS.items():
                async def hang(model: str = model, address: int = address) -> None:
                    await self._page.api.put("virtual", self._name, "chips", str(address), body={"model": model})
                    nothing.set_visibility(False)
                    told = await self._page.api.get("virtual", self._name)
                    place.clear()
                    with place:
                        for chip in told["chips"]:
                            self._chip(chip)

                ui.menu_item(title, trying(hang))

    def _chip(self, chip: dict[str, Any]) -> None:
        with mark(el("div", "stack tight"), data_chip=chip["model"]):
            say("h3", f"{CHIPS[chip['model']][0]} at {chip['address']:#x}")
            for fact, value in chip["facts"].items():
                if fact in FACTS:
                    title, least, most, step = FACTS[fact]
                    self._slider(title, least, most, step, value, "chips", str(chip["address"]), fact=fact)

    def _console(self) -> None:
        with card("Serial console") as side:
            say("p", "The board's USB line. It is the page's alone as long as it is open here.", "soft")
            place = el("div")

        terminals: list[Terminal] = []

        def close() -> None:
            while terminals:
                terminals.pop().close()
            place.clear()

        def open_() -> None:
            close()
            with place:
                terminals.append(Terminal(self._page, "usb", "console", edits=False, port=self._row["serial"]))

        if self._page.may("admin"):
            with side:
                button("Open", open_, icon="terminal")
                button("Close", close, "quiet")
