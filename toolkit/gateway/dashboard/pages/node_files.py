"""The files of a node, and a place to drop more."""
from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from toolkit.gateway.dashboard.drop import DropZone, held
from toolkit.gateway.dashboard.frame import button, card, el, empty, field, mark, say, size, table
from toolkit.gateway.dashboard.node_frame import NodePage, opened_node


@ui.page("/node/{uid}/files")
async def files(request: Request, uid: str) -> RedirectResponse | None:
    page = await opened_node(request, uid, "files")
    if not isinstance(page, NodePage):
        return page

    async def read() -> None:
        told = await held(page, page.uid)
        if told is None:
            return
        free.set_text(f"{len(told['files'])} files, {size(told['free_bytes'])} free")
        rows.clear()
        with rows:
            for each in told["files"]:
                with mark(el("tr"), data_file=each["name"]) as line:
                    say("td", each["name"], "mono")
                    say("td", size(each["bytes"]), "num soft")
                lines[each["name"]] = line
        waiting.set_visibility(False)
        sift()

    def sift() -> None:
        for name, line in lines.items():
            line.set_visibility((find.value or "").lower() in name.lower())

    lines: dict[str, ui.element] = {}
    with page.inside:
        DropZone(page, lambda of: [page.node], f"Drop files for {page.node['name']}", read)
        with card("On its flash", "flush") as side:
            rows = table(("File", "Size"), numbers=(1,))
            waiting = empty("folder_open", "Reading the files", "Each is read and hashed on the node.")
        with side:
            free = say("span", "", "soft")
            find = field("Find a file").props("clearable")
            button("Refresh", read)
        find.on_value_change(sift)
    ui.timer(0.1, read, once=True)
    return None
