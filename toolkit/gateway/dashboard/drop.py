"""The place where files are dropped for nodes: looked through first, sent, and what came of it."""
from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import background_tasks, events, ui

from toolkit.gateway.dashboard.client import ApiError
from toolkit.gateway.dashboard.frame import Page, button, complain, el, mark, mood, pill, say, size, trying
from toolkit.gateway.dashboard.run_panel import RunPanel

SEND_S = 300.0
IMAGES = (".bin", ".uf2")
CORE = ("main", "micrOS", "InterpreterShell")      # at the root of a set, as .py or compiled
COMPILED = ("This is a compiled set: what it was compiled for is not known here. Drop its source tree, which is "
            "compiled on the way, or bring the version of this gateway.")

Node = dict[str, Any]
Nodes = Callable[[str], Sequence[Node]]


def zone(ident: str, words: str) -> None:
    """Where files may be dropped; the page hears `dropped` of them."""
    with mark(el("button", "drop"), type="button", data_drop=ident):
        ui.icon("upload_file").props("aria-hidden=true")
        say("strong", words)
        say("span", "LM_*.py, a folder or a whole set. Load modules are checked before anything is sent.", "small")


def is_set(names: Sequence[str], suffixes: tuple[str, ...] = (".py", ".mpy")) -> bool:
    return all(any(core + suffix in names for suffix in suffixes) for core in CORE)


class DropZone:
    """nodes(of): whom the files are for, asked when they come; of: the uid of the row they fell on, "" for none.
    when_done: told when all have theirs.
    """

    def __init__(self, page: Page, nodes: Nodes, words: str, when_done: Callable[[], Awaitable[None]] | None = None,
                 ident: str = "node") -> None:
        self._page, self._nodes, self._when_done, self._ident = page, nodes, when_done, ident
        self._bars: dict[str, tuple[Any, Any]] = {}
        self._under_way = 0
        with el("div", "stack"):
            zone(ident, words)
            self._news = el("div", "stack").props('aria-live="polite"')
        ui.on("dropped", self._dropped)
        self._left = asyncio.Event()                 # the page was closed
        ui.context.client.on_delete(self._left.set)
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
        if not self._under_way:                      # else the news of an earlier drop would go from under it
            self._news.clear()
        self._under_way += 1
        try:
            await self._taken(told)
        finally:
            self._under_way -= 1

    async def _taken(self, told: dict[str, Any]) -> None:
        images = [name for name in told["names"] if name.endswith(IMAGES)]
        names = [name for name in told["names"] if name not in images]
        nodes = list(self._nodes(told["of"]))
        with self._news:
            if images:
                _point_to_usb(images)
            if not self._page.may("admin"):
                say("p", "Sending files takes the role admin.", "note bad")
            elif names and not nodes:
                say("p", "Select the nodes that shall have these files, or drop them on a node.", "note warn")
            elif names:
                say("p", f"{_files(len(names))}, {size(told['bytes'])} in all", "soft")
                await self._bring(nodes, told["drop"], names)

    async def _bring(self, nodes: Sequence[Node], drop: str, names: Sequence[str]) -> None:
        if is_set(names) and not is_set(names, (".py",)):
            self._refuse_compiled(nodes)
            return
        for node in nodes:
            if not is_set(names):
                await self._send(node, drop, False)
            elif not await self._update(node, drop, False):
                break                            # what one node did not take the others are spared
        await self._tell_done()

    async def _tell_done(self) -> None:
        if self._when_done and not self._left.is_set():
            await self._when_done()

    # -- a set
    def _refuse_compiled(self, nodes: Sequence[Node]) -> None:
        async def update() -> None:
            self._news.clear()
            for node in nodes:
                with self._news:
                    row = await self._page.api.post("devices", node["uid"], "update", body={})
                    if not await self._watched(row):
                        break
            await self._tell_done()

        say("p", COMPILED, "note warn")
        with el("div", "line end"):
            button("Update with this gateway's version", trying(update))

    async def _update(self, node: Node, drop: str, force: bool) -> bool:
        """True when the node has taken the set."""
        wait = say("p", f"Sending the set to the gateway, for {node['name']}", "soft small")
        answer = await self._run("update", drop, node, force)
        wait.delete()
        told = answer.get("told")
        if told and told["run"]:
            return await self._watched(told["run"])
        with mark(el("div", "card"), data_sent=node["uid"]) as place:
            state = self._head(node)
            if not told:
                mood(state, "failed", "not sent")
                say("p", answer["why"], "note bad")
                return False
            self._tell_findings(told["findings"], state)
            self._offer(place, lambda: self._update(node, drop, True))
        return False

    async def _watched(self, row: dict[str, Any]) -> bool:
        """Show a run to its end; True when it is well. False, too, when the page is closed: the run goes on."""
        ended: asyncio.Queue[bool] = asyncio.Queue()

        async def end(last: dict[str, Any]) -> None:
            ended.put_nowait(last["state"] == "done")

        RunPanel(self._page, end).show(row)
        ui.context.client.on_delete(lambda: ended.put_nowait(False))
        return await ended.get()

    # -- files
    async def _send(self, node: Node, drop: str, force: bool) -> None:
        with mark(el("div", "card"), data_sent=node["uid"]) as place:
            state = self._head(node)
            step = say("span", "looking through the load modules", "soft small")
            bar = ui.linear_progress(0, show_value=False, size="6px").props('rounded aria-label="Progress"')
        self._bars[node["uid"]] = bar, step
        told = await self._run("send", drop, node, force)
        self._bars.pop(node["uid"], None)
        bar.delete()
        step.delete()
        with place:
            self._tell(told, state)
            if told["findings"] and not told["files"] and not told.get("why") and not told["done"]:
                self._offer(place, lambda: self._send(node, drop, True))

    async def _run(self, what: str, drop: str, node: Node, force: bool) -> dict[str, Any]:
        """What the browser made of it: it has the files."""
        words = f"return await dash.{what}({', '.join(map(json.dumps, (drop, node['uid'], force)))})"
        try:
            told: dict[str, Any] = await ui.run_javascript(words, timeout=SEND_S)
        except TimeoutError:
            return {"done": False, "why": "it took too long", "findings": [], "files": []}
        return told

    @staticmethod
    def _head(node: Node) -> Any:
        with el("div", "line apart"):
            say("h3", node["name"])
            return pill("running", "sending")

    def _tell(self, told: dict[str, Any], state: Any) -> None:
        for each in told["files"]:
            how = f"{size(each['bytes'])}, {each['seconds']:.2f} s" if each["sent"] else "was there already"
            with el("div", "line apart"):
                say("span", each["name"], "mono")
                say("span", how, "soft small")
        if told["done"]:
            mood(state, "done", "sent")
        elif told.get("why"):
            mood(state, "failed", "sent in part" if told["files"] else "not sent")
            say("p", f"{_files(len(told['files']))} sent, then: {told['why']}" if told["files"] else told["why"],
                "note bad")
        self._tell_findings(told["findings"], None if told["done"] or told.get("why") else state)

    @staticmethod
    def _tell_findings(findings: Sequence[dict[str, Any]], state: Any) -> None:
        """state: of what was not sent for them; None when it was sent all the same."""
        if state and findings:
            mood(state, "running", "not sent")
            say("p", f"The check found {len(findings)} thing{'s' * (len(findings) > 1)}:", "soft")
        for each in findings:
            with el("div", "finding"):
                say("span", f"{each['file']}:{each['line']}  {each['rule']}", "mono soft")
                say("strong", each["what"])
                say("span", f"Expected: {each['expected']}. {each['mend']}", "small soft")

    def _offer(self, place: ui.element, act: Callable[[], Awaitable[object]]) -> None:
        async def again() -> None:
            place.delete()
            with self._news:
                await act()
            await self._tell_done()

        with el("div", "line end"):
            button("Send all the same", again, "danger")


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"


def _point_to_usb(images: Sequence[str]) -> None:
    with el("p", "note warn"):
        say("span", f"{', '.join(images)}: a firmware image goes onto a board by cable, not over the air. ")
        mark(say("a", "To the page USB"), href="/gui/usb")


async def held(page: Page, uid: str) -> dict[str, Any] | None:
    """The files of a node; None and a word when it cannot tell them now."""
    try:
        answer: dict[str, Any] = await page.api.get("devices", uid, "files")
        return answer
    except ApiError as error:
        complain(error)
        return None
