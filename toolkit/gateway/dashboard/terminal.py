"""A terminal on a page: a console of the API, with lines that are typed here or keys that go as they are."""
from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from nicegui import background_tasks, ui
from websockets.exceptions import WebSocketException

from toolkit.console import is_secret
from toolkit.gateway.dashboard.frame import Page, el

RETRY_S = 2.0
MOST_KEPT = 100
UP, DOWN = ("\x1b[A", "\x1bOA"), ("\x1b[B", "\x1bOB")
ENTER, ERASE, CANCEL = "\r", "\x7f", "\x03"
COLOURS = {"background": "#0f151b", "foreground": "#dbe4ec", "cursor": "#6bcbd4", "selectionBackground": "#2f4a5a"}


class Terminal:
    """path, query: of the console. edits: the line is typed here, with history, since the other end has no echo.
    again: a connection that ends is followed by another one.

    close() when its place is wanted for something else: the line at the other end is free again.
    """

    def __init__(self, page: Page, *path: str, edits: bool, again: bool = True, **query: str) -> None:
        self._page, self._path, self._query, self._edits, self._again = page, path, query, edits, again
        self._line, self._at = "", 0
        self._history: list[str] = []
        self._key = "history:" + ":".join(path[1:2])
        self._socket: Any = None
        with el("div", "term"):
            self.view = ui.xterm({"fontSize": 14, "fontFamily": "'Roboto Mono', 'DejaVu Sans Mono', monospace",
                                  "theme": COLOURS, "cursorBlink": True, "scrollback": 2000, "convertEol": True,
                                  "screenReaderMode": False})
        self.view.on_data(lambda event: self._typed(event.data))
        ui.timer(0.1, self._settle, once=True)
        self._task = background_tasks.create(self._joined(), name="console of a page")
        ui.context.client.on_delete(self._task.cancel)
        if edits:
            ui.timer(0.2, self._remember, once=True)

    def close(self) -> None:
        self._task.cancel()

    def _settle(self) -> None:
        self.view.fit()
        self.view.run_terminal_method("focus")

    async def _remember(self) -> None:
        with contextlib.suppress(TimeoutError):
            kept = await ui.run_javascript(f"return localStorage.getItem({json.dumps(self._key)}) || '[]'")
            self._history = [*(str(each) for each in json.loads(kept)), *self._history][-MOST_KEPT:]
            self._at = len(self._history)

    async def _joined(self) -> None:
        while True:
            try:
                async with self._page.api.console(*self._path, **self._query) as self._socket:
                    async for text in self._socket:
                        self.view.write(text if isinstance(text, str) else text.decode())
            except (OSError, WebSocketException, TimeoutError) as error:
                why = getattr(getattr(error, "rcvd", None), "reason", "") or type(error).__name__
                self.view.write(f"\r\n\x1b[33m[no connection: {why}]\x1b[0m\r\n")
            self._socket = None
            if not self._again:
                self.view.write("\r\n\x1b[90m[closed]\x1b[0m\r\n")
                return
            await asyncio.sleep(RETRY_S)
            self.view.write("\r\n\x1b[90m[connecting]\x1b[0m\r\n")

    async def _send(self, text: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(WebSocketException):
                await self._socket.send(text)

    async def _typed(self, data: str) -> None:
        if not self._edits:
            await self._send(data)
        elif data in UP + DOWN:
            self._recall(-1 if data in UP else 1)
        else:
            for letter in data.replace("\r\n", "\r").replace("\n", "\r"):
                await self._key_pressed(letter)

    async def _key_pressed(self, letter: str) -> None:
        if letter == ENTER:
            line, self._line = self._line, ""
            self.view.write("\r\n")
            self._keep(line)
            await self._send(line + "\n")
        elif letter == ERASE:
            if self._line:
                self._line = self._line[:-1]
                self.view.write("\b \b")
        elif letter == CANCEL:
            self._replace("")
        elif letter >= " ":
            self._line += letter
            self.view.write(letter)

    def _recall(self, step: int) -> None:
        self._at = min(max(0, self._at + step), len(self._history))
        self._replace(self._history[self._at] if self._at < len(self._history) else "")

    def _replace(self, line: str) -> None:
        self.view.write("\b \b" * len(self._line) + line)
        self._line = line

    def _keep(self, line: str) -> None:
        if line.strip() and not is_secret(line) and self._history[-1:] != [line]:
            self._history = [*self._history, line][-MOST_KEPT:]
            kept = json.dumps(json.dumps(self._history))
            with self.view:
                ui.run_javascript(f"localStorage.setItem({json.dumps(self._key)}, {kept})")
        self._at = len(self._history)
