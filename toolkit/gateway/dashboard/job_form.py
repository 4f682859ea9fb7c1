"""The form of a new job: everything that POST /api/v1/jobs takes, and what it refuses in its own words."""
from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import Any

from nicegui import events, ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.drop import zone
from toolkit.gateway.dashboard.frame import Page, card, choice, el, field, mark, say, size

ZONE = "job"
LOOK_S = 4.0                   # nodes come and go while one types
PAUSE_S = 0.25                 # after a key, before the API is asked what it means
ORDER_S = 60.0
MOST_NAMES = 8
KINDS = {"command": "Run a command", "drop": "Send files", "update": "Update micrOS", "config": "Change a setting"}
# name in the API's `rules`, what it is called, its default there, a word on it
PACE = (
    ("concurrency", "Nodes at a time", "20", "over all gateways"),
    ("per_minute", "Starts a minute", "0", "0: no limit"),
    ("phases", "Canary, phases", "", "5, 10%: five first, then a tenth"),
    ("abort_pct", "Stop above % failed", "10", "of a phase; 100: never"),
    ("tries", "Tries of each node", "3", "1 to 20"),
    ("backoff_s", "Seconds to the 2nd try", "5", "then doubled"),
    ("most_backoff_s", "Seconds at most", "300", "between two tries"),
)


class OrderForm:
    """selection: what it begins with"""

    def __init__(self, page: Page, selection: str = "") -> None:
        self._page = page
        self._asked = 0
        self._names: list[str] = []
        self._last: tuple[str, str] = "", ""           # an order and its id, of which it is not known if it is kept
        self._fields: dict[str, ui.input] = {}
        with card("New job") as _, el("form", "stack").on("submit.prevent", self._submit) as self.place:
            self._top(selection)
            self._own()
            self._pace()
            self._why = mark(say("p", "", "note bad hidden"), role="alert")
            with el("div", "line end"):
                self._go = ui.button("Begin", color=None).props("unelevated no-caps type=submit")
                self._go.classes("btn primary")
        self._show_kind()
        ui.on("dropped", self._dropped)
        page.look(self.look, LOOK_S)

    async def look(self) -> None:
        """Tell which nodes are meant now, unless another key has come meanwhile."""
        expression, asked = self._text("selection"), self._asked
        told: list[dict[str, Any]] = []
        words = ""
        if expression:
            try:
                told = await self._page.api.get("selection", expression=expression)
            except ApiError as error:
                if error.status == 401:
                    raise
                words = str(error)
        if asked == self._asked:
            self._tell(told, words or (_named(told) if expression else "all, a name, or an expression as above"),
                       bool(words))

    # -- the parts
    def _top(self, selection: str) -> None:
        with el("div", "form"):
            kinds = KINDS if self._page.may("admin") else {"command": KINDS["command"]}
            self._kind = choice("What", kinds, "command", on_change=self._show_kind)
            if not self._page.may("admin"):
                mark(self._kind, hint="Files, updates and settings take the role admin.")
            self._field("id", "Name of the job", placeholder="made up if left empty",
                        hint="letters, digits and -").props("maxlength=32 stack-label")
        with el("div", "stack tight"):
            made = self._field("selection", "Nodes", selection,
                               placeholder="name=lamp* version<2.1 tag=hall not board=rp2").props("stack-label")
            made.on_value_change(self._typed)
            self._meant = mark(say("p", "", "soft"), role="status", data_meant="")

    def _own(self) -> None:
        """What each kind has of its own."""
        self._places: dict[str, ui.element] = {}
        with self._part("command"):
            self._field("command", "Command", placeholder="rgb toggle", hint="each node runs it exactly once; one of "
                        "micrOS 1.20 at most once").props("stack-label")
        with self._part("drop"):
            zone(ZONE, "Drop files for these nodes")
            self._dropped_names = mark(say("p", "", "soft told"), role="status", data_files="")
            self._despite = ui.checkbox("Send load modules despite findings of the check").props("dense")
        with self._part("update"):
            say("p", "Brings the micrOS that this gateway carries: only what differs is sent, and what broke off is "
                "taken up again.", "soft")
            self._force = ui.checkbox("Whatever version a node has").props("dense")
            self._lm_only = ui.checkbox("Only the load modules").props("dense")
        with self._part("config"):
            with el("div", "form"):
                self._field("key", "Key", placeholder="soctout", hint="a word of node_config.json").props("stack-label")
                self._field("value", "Value", placeholder="100").props("stack-label autocomplete=off")
            self._skip = ui.checkbox("Leave nodes alone that have this value", value=True).props("dense")

    def _pace(self) -> None:
        with el("div", "form pace"):
            for name, label, default, hint in PACE:
                self._field(name, label, default, hint=hint).props("stack-label inputmode=" + (
                    "text" if name == "phases" else "decimal"))

    def _part(self, kind: str) -> ui.element:
        self._places[kind] = el("div", "stack tight")
        return self._places[kind]

    def _field(self, name: str, label: str, value: str = "", **props: str) -> ui.input:
        self._fields[name] = mark(field(label, value, **props), data_field=name)
        return self._fields[name]

    def _text(self, name: str) -> str:
        return (self._fields[name].value or "").strip()

    # -- what a person does
    def _show_kind(self) -> None:
        for kind, place in self._places.items():
            place.set_visibility(kind == self._kind.value)

    async def _typed(self) -> None:
        self._asked += 1
        asked = self._asked
        await asyncio.sleep(PAUSE_S)
        if asked == self._asked:
            await self.look()

    def _dropped(self, event: events.GenericEventArguments) -> None:
        if event.args["zone"] == ZONE and self._page.may("admin"):
            self._names = event.args["names"]
            self._dropped_names.set_text(f"{', '.join(self._names)}  ({size(event.args['bytes'])})")
            self._kind.set_value("drop")

    async def _submit(self) -> None:
        self._go.props("loading")
        self._complain("")
        try:
            ident = await self._ordered()
        except ApiError as error:
            self._complain(str(error))
        else:
            ui.navigate.to(f"/jobs/{ident}")
        finally:
            self._go.props(remove="loading")

    async def _ordered(self) -> str:
        """The id of the job. The same order sent again is the same job: the answer to the first may have been lost."""
        order = self._order()
        told = json.dumps([order, self._names, self._text("id")])
        wanted = self._text("id")
        if told != self._last[0]:
            if wanted and await self._is_there(wanted):
                raise ApiError(409, f"body.id: there is a job {wanted} already, choose another name")
            self._last = told, wanted or time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(3)
        try:
            await self._send({**order, "id": self._last[1]})
        except ApiError as error:
            if error.status not in (0, 503):           # it was told: there is no such job
                self._last = "", ""
            raise
        return self._last[1]

    async def _send(self, order: dict[str, Any]) -> None:
        if order["kind"] != "drop":
            await self._page.api.post("jobs", body=order)
            return
        try:
            told = await ui.run_javascript(f"return await dash.order({json.dumps(ZONE)}, {json.dumps(order)})",
                                           timeout=ORDER_S)
        except TimeoutError:
            raise ApiError(0, "the order took too long: look at the list whether it came") from None
        if "why" in told:
            raise ApiError(told["status"], told["why"])

    async def _is_there(self, ident: str) -> bool:
        try:
            await self._page.api.get("jobs", ident)
        except ApiError as error:
            if error.status in (404, 422):             # 422: no name for a job, as the order will hear
                return False
            raise
        return True

    def _order(self) -> dict[str, Any]:
        kind = self._kind.value
        own: dict[str, dict[str, Any]] = {
            "command": {"command": self._text("command")},
            "drop": {"force": self._despite.value},
            "update": {"force": self._force.value, "lm_only": self._lm_only.value},
            "config": {"key": self._text("key"), "value": self._fields["value"].value or ""},
        }
        rules = {name: _number(self._text(name)) for name, *_ in PACE if name != "phases"}
        phases = self._text("phases").replace(",", " ").split()
        skips = self._skip.value if kind == "config" else True         # a drop and an update know what is there
        return {"kind": kind, "selection": self._text("selection"), **own[kind],
                "rules": {**rules, "phases": phases, "skip_current": skips}}

    # -- what it hears
    def _tell(self, told: list[dict[str, Any]], words: str, is_bad: bool) -> None:
        self._meant.set_text(words)
        self._meant.classes(replace="note bad" if is_bad else "soft")
        self._go.set_text(f"Begin on {_count(len(told))}" if told else "Begin")

    def _complain(self, words: str) -> None:
        """At its field, where the API names one: `body.rules.tries: ...`."""
        where, _, what = words.partition(": ")
        name = where.removeprefix("body.").removeprefix("rules.").partition(".")[0]
        for made in self._fields.values():
            made.error = None
        if where.startswith("body.") and name in self._fields:
            self._fields[name].error = what
            words = f"{self._fields[name].props['label']}: {what}"
        self._why.set_text(words)
        self._why.classes(replace="note bad" if words else "note bad hidden")


def _number(text: str) -> int | float | str:
    """A number as such; anything else as it is, for the API to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _count(nodes: int) -> str:
    return f"{nodes} node{'s' * (nodes != 1)}"


def _named(told: list[dict[str, Any]]) -> str:
    names = ", ".join(row["name"] for row in told[:MOST_NAMES])
    more = len(told) - MOST_NAMES
    return f"{_count(len(told))}: {names}" + (f" and {more} more" if more > 0 else "") if told else "no node now"
