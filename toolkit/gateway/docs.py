"""A page at /docs that shows openapi.json and tries its paths; all of it is ours, so it works without the internet."""
from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse

from toolkit.gateway.gateway import Gateway

FOLDER = Path(__file__).parent / "docs_page"
KINDS = {"docs.html": "text/html", "docs.css": "text/css", "docs.js": "text/javascript"}
# Nothing from elsewhere, nothing inline: what a node calls itself cannot become a script.
POLICY = {"Content-Security-Policy":
          "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
          "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

router = APIRouter(include_in_schema=False)


def mount(app: FastAPI, gateway: Gateway) -> None:
    app.include_router(router)


@router.get("/docs")
async def page() -> FileResponse:
    return _file("docs.html")


@router.get("/docs/docs.css")
async def style() -> FileResponse:
    return _file("docs.css")


@router.get("/docs/docs.js")
async def script() -> FileResponse:
    return _file("docs.js")


def _file(name: str) -> FileResponse:
    return FileResponse(FOLDER / name, media_type=KINDS[name], headers=POLICY)
