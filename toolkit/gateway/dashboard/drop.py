"""The place where files are dropped for nodes: looked through first, sent, and what came of it."""
from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import background_tasks, events, ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import Page, button, complain, el, mark, mood, pill, say, size

SEND_S = 300.0
IMAGES = (".bin", ".uf2")

Nodes = Callable[[], Sequence[dict[str, Any]]]


def zone(ident: str, words: str) -> None:
    """Where files may be dropped; the page hears `dropped` of them."""
    with mark(el("button", "drop"), type="button", data_drop=ident):
        ui.icon("upload_file").props("aria-hidden=true")
        say("strong", words)
        say("span", "LM_*.py, a folder or a whole set. Load modules are checked before anything is sent.", "small")


class DropZone:
    """nodes(): whom the files are for, asked when they come. when_done: told when all have theirs."""

    def __init__(self, page: Page, nodes: Nodes, words: str, when_done: Callable[[], Awaitable[None]] | None = None,
                 ident: str = "node") -> None:
        self._page, self._nodes, self._when_done, self._ident = page, nodes, when_done, ident
        self._bars: dict[str, tuple[Any, Any]] = {}
        with el("div", "stack"):
            zone(ident, words)
            self._news = el("div", "stack").props('aria-live="polite"')
        ui.on("dropped", self._dropped)
        if page.may("admin"):
            self._task = background_tasks.create(self._listen(), name="drops of a page")
            ui.context.client.on_delete(self._task.cancel)

    async def _listen(self) -> None:
        try:
            async for topic, told in self._page.api.events("drop.*"):
                if topic == "drop.progress" and told["uid"] in self._bars:
                    bar, text = self._bars[told["uid"]]
                    bar.set_value(told["bytes"] / told["of"] if told["of"] else 1)
                    text.set_text(f"{told['file']}  {size(told['bytes'])} of {size(told['of'])}")
        except Exception:      # outer wall: without the stream the drop still works, only its bar stands still
            return

    async def _dropped(self, event: events.GenericEventArguments) -> None:
        told = event.args
        if told["zone"] != self._ident:
            return
        self._news.clear()
        nodes = list(self._nodes())
        with self._news:
            if any(name.endswith(IMAGES) for name in told["names"]):
                say("p", "A firmware image goes to a board by cable: see the page USB.", "note warn")
            elif not self._page.may("admin"):
                say("p", "Sending files takes the role admin.", "note bad")
            elif not nodes:
                say("p", "Select the nodes that shall have these files, then drop them again.", "note warn")
            else:
                say("p", f"{len(told['names'])} file{'s' * (len(told['names']) > 1)}, {size(told['bytes'])}", "soft")
                for node in nodes:
                    await self._send(node, False)
                if self._when_done:
                    await self._when_done()

    async def _send(self, node: dict[str, Any], force: bool) -> None:
        with mark(el("div", "card"), data_sent=node["uid"]) as place:
            with el("div", "line apart"):
                say("h3", node["name"])
                state = pill("running", "sending")
            step = say("span", "looking through the load modules", "soft small")
            bar = ui.linear_progress(0, show_value=False, size="6px").props('rounded aria-label="Progress"')
        self._bars[node["uid"]] = bar, step
        try:
            words = f"return await dash.send({json.dumps(self._ident)}, {json.dumps(node['uid'])}, {json.dumps(force)})"
            told = await ui.run_javascript(words, timeout=SEND_S)
        except TimeoutError:
            told = {"done": False, "why": "it took too long", "findings": [], "files": []}
        finally:
            self._bars.pop(node["uid"], None)
        bar.delete()
        step.delete()
        with place:
            self._tell(node, told, state, place)

    def _tell(self, node: dict[str, Any], told: dict[str, Any], state: Any, place: ui.element) -> None:
        if told["done"]:
            mood(state, "done", "sent")
            for each in told["files"]:
                how = f"{size(each['bytes'])}, {each['seconds']:.2f} s" if each["sent"] else "was there already"
                with el("div", "line apart"):
                    say("span", each["name"], "mono")
                    say("span", how, "soft small")
        elif told.get("why"):
            mood(state, "failed", "not sent")
            say("p", told["why"], "note bad")
        else:
            mood(state, "running", "not sent")
            say("p", f"The check found {len(told['findings'])} thing{'s' * (len(told['findings']) > 1)}:", "soft")
        for each in told["findings"]:
            with el("div", "finding"):
                say("span", f"{each['file']}:{each['line']}  {each['rule']}", "mono soft")
                say("strong", each["what"])
                say("span", f"Expected: {each['expected']}. {each['mend']}", "small soft")
        if told["findings"] and not told["done"] and not told.get("why"):
            async def again() -> None:
                place.delete()
                with self._news:
                    await self._send(node, True)
                if self._when_done:
                    await self._when_done()

            with el("div", "line end"):
                button("Send all the same", again, "danger")


async def held(page: Page, uid: str) -> dict[str, Any] | None:
    """The files of a node; None and a word when it cannot tell them now."""
    try:
        answer: dict[str, Any] = await page.api.get("devices", uid, "files")
        return answer
    except ApiError as error:
        complain(error)
        return None
