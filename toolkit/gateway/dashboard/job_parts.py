"""What the pages of jobs share: what a job is called, its bar, and what may be asked of it."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from toolkit.gateway.dashboard.frame import Page, button, confirm, el, icon_button, mark, mood, say, trying

STATES = ("waiting", "running", "done", "current", "failed", "unknown", "cancelled")
BAD = ("failed", "unknown")
FINAL = ("done", "aborted")
PARTS = (("good", ("done", "current")), ("bad", BAD), ("warn", ("running",)))
# word of the API, what it is called, icon, statuses in which there is a point in it
ASKED = (("pause", "Pause", "pause", ("running",)), ("resume", "Resume", "play_arrow", ("paused", "stopped")),
         ("abort", "Abort", "stop", ("running", "paused", "stopped")))
MOST_NAMES = 3

Report = dict[str, Any]


def path_of(ident: str) -> str:
    return f"/gui/jobs/{ident}"


def title(job: Report) -> str:
    """What is to be done, in a few words."""
    return TITLES[job["kind"]](job["what"])


def _files(what: dict[str, Any]) -> str:
    names = list(what["files"])
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _update(what: dict[str, Any]) -> str:
    return "micrOS" + (", load modules only" if what["lm_only"] else "") + (", by force" if what["force"] else "")


TITLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "command": lambda what: str(what["command"]),
    "config": lambda what: f"{what['key']} = {what['value']}",
    "drop": _files,
    "update": _update,
}


def job_mood(made: Any, job: Report) -> None:
    is_bad = job["status"] == "done" and any(job[state] for state in BAD)
    mood(made, "failed" if is_bad else job["status"], job["status"])


def node_mood(made: Any, state: str) -> None:
    mood(made, "failed" if state in BAD else state, state)


class Progress:
    """How many of a job's nodes are where, as a bar and in words."""

    def __init__(self) -> None:
        with el("div", "stack tight"):
            with mark(el("div", "parts"), role="progressbar", aria_label="Nodes that are through") as self._bar:
                self._parts = [el("i", kind) for kind, _ in PARTS]
            self._words = say("span", "", "soft small")

    def draw(self, job: Report) -> None:
        told = [f"{job['done'] + job['current']} of {job['nodes']} done"]
        told += [f"{job[state]} {state}" for state in ("running", "waiting", *BAD, "cancelled") if job[state]]
        if self._words.text == ", ".join(told):
            return
        self._words.set_text(", ".join(told))
        for made, (_, states) in zip(self._parts, PARTS, strict=True):
            made.style(f"width: {100 * sum(job[state] for state in states) / job['nodes']:.2f}%")
        through = job["nodes"] - job["waiting"] - job["running"]
        mark(self._bar, aria_valuenow=f"{100 * through // job['nodes']}")


class Controls:
    """Pause, resume, abort and, for admin, remove: each as long as there is a point in it.

    changed: takes the new report, None after a removal
    """

    def __init__(self, page: Page, ident: str, changed: Callable[[Report | None], object], is_small: bool) -> None:
        self._page, self._ident, self._changed = page, ident, changed
        self._made: dict[str, Any] = {}
        if not page.may("operate"):
            return
        for word, name, icon, _ in ASKED:
            act = self._abort if word == "abort" else trying(partial(self._ask, word))
            self._made[word] = self._button(name, icon, act, is_small)
        if page.may("admin"):
            self._made["remove"] = self._button("Remove", "delete", self._remove, is_small)

    def draw(self, job: Report) -> None:
        may = self._page.may("admin") or job["kind"] == "command"
        for word, _, _, statuses in ASKED:
            if word in self._made:
                self._made[word].set_visibility(job["status"] in statuses and (may or word != "resume"))
        if "remove" in self._made:
            self._made["remove"].set_visibility(job["status"] in FINAL and not job["running"])

    def _button(self, name: str, icon: str, act: Any, is_small: bool) -> Any:
        if is_small:
            return icon_button(icon, f"{name} job {self._ident}", act)
        return button(name, act, "danger" if name in ("Abort", "Remove") else "plain", icon)

    async def _ask(self, word: str) -> None:
        self._changed(await self._page.api.post("jobs", self._ident, word))

    def _abort(self) -> None:
        confirm(f"Abort {self._ident}?", "Nodes that wait are left out, for ever; those that are at it go on to their "
                "end. Pause it instead if it shall go on later.", "Abort", partial(self._ask, "abort"))

    def _remove(self) -> None:
        async def remove() -> None:
            await self._page.api.delete("jobs", self._ident)
            self._changed(None)

        confirm(f"Remove {self._ident}?", "What came of each node is forgotten.", "Remove", remove)
