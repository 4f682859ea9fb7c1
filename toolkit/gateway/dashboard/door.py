"""How a person enters: with a token, or at once from the machine that the gateway runs on."""
from __future__ import annotations

import asyncio
import contextlib
import hmac
import html
import secrets
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import nicegui
from fastapi import APIRouter, FastAPI, Form, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from toolkit.archive import write_whole
from toolkit.gateway.access import COOKIE, COOKIE_S, Caller

if TYPE_CHECKING:
    from toolkit.gateway.gateway import Gateway

ASSETS = Path(__file__).parent / "assets"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png",
         ".html": "text/html", ".webmanifest": "application/manifest+json"}
POLICY = {"Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
          "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
CODE_S = 120.0                 # the browser of this machine opens within that
OPEN_FILE = "open.html"
LABEL = "browser of this machine"
# The page posts the code, so that it stands in no address, history or process list.
OPENING = """<!doctype html><meta charset="utf-8"><title>micrOS</title>
<form method="post" action="{url}/enter/code"><input type="hidden" name="code" value="{code}"></form>
<script>document.forms[0].submit()</script>
"""
ENTERED = """<!doctype html><meta charset="utf-8"><title>micrOS</title><script>location.replace("/gui/")</script>
<a href="/gui/">On to the dashboard</a>
"""

router = APIRouter(include_in_schema=False)


class Door:
    """A code that opens the door once, for a browser that we start ourselves."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._code, self._until_s = "", 0.0

    def open_browser(self, url: str) -> None:
        """Start the browser of this machine, by a file that only its owner can read. Raises OSError."""
        self._code, self._until_s = secrets.token_urlsafe(32), time.monotonic() + CODE_S
        path = self._gateway.settings.folder / OPEN_FILE
        write_whole(path, OPENING.format(url=html.escape(url), code=self._code).encode())
        webbrowser.open(path.as_uri())

    def cookie_for(self, code: str) -> str | None:
        """A session of role admin, for the code; None for a wrong or an old one."""
        right = bool(self._code) and hmac.compare_digest(self._code.encode(), code.encode())
        if not right or time.monotonic() > self._until_s:
            return None
        self.close()
        access = self._gateway.access
        own = next((token for token in access.tokens() if token.label == LABEL), None)
        if own is None:
            access.make("admin", LABEL)
            own = next(token for token in access.tokens() if token.label == LABEL)
        return access.cookie(Caller(own.ident, own.role))

    def close(self) -> None:
        self._code = ""
        with contextlib.suppress(OSError):
            (self._gateway.settings.folder / OPEN_FILE).unlink(missing_ok=True)


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.state.door = Door(gateway)

    async def stop() -> None:
        await asyncio.to_thread(app.state.door.close)

    gateway.on_stop(stop)
    app.include_router(router)


@router.get("/enter")
async def page() -> Response:
    fonts = f"/gui/_nicegui/{nicegui.__version__}/static/fonts.css"
    return HTMLResponse((ASSETS / "enter.html").read_text(encoding="utf-8").replace("FONTS", fonts), headers=POLICY)


@router.post("/enter/code")
async def by_code(request: Request, code: Annotated[str, Form(max_length=100)]) -> Response:
    cookie = request.app.state.door.cookie_for(code)
    if cookie is None:
        raise HTTPException(401, "this code has been used, or is too old: enter with a token at /enter")
    answer = HTMLResponse(ENTERED)         # a page, since a redirect from a file would not carry a strict cookie
    answer.set_cookie(COOKIE, cookie, max_age=COOKIE_S, httponly=True, samesite="strict")
    return answer


@router.get("/gui-assets/{name}")
async def asset(name: str) -> Response:
    path = ASSETS / name
    if path.suffix not in KINDS or path.parent != ASSETS or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=KINDS[path.suffix], headers={
        "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Service-Worker-Allowed": "/gui/"})
