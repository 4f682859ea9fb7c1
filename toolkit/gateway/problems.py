"""Every error of the HTTP side in one form: application/problem+json, RFC 9457."""
from __future__ import annotations

import errno
import http
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from toolkit import errors as host
from toolkit.gateway import access, errors

MEDIA_TYPE = "application/problem+json"
MOST_DETAILS = 20

log = logging.getLogger(__name__)

# The first row that fits counts, so a class stands above those it comes from.
STATUSES: tuple[tuple[type[host.ToolkitError], int], ...] = (
    (errors.AmbiguousNameError, 409),
    (errors.NotAllowedError, 403),
    (errors.StrangeAnswerError, 502),
    (errors.NodeOfflineError, 503),
    (errors.NodeSilentError, 504),
    (errors.NodeBusyError, 503),
    (errors.NodeLockedError, 423),
    (errors.QueueFullError, 429),
    (errors.UnavailableError, 503),
    (access.NotKeptError, 507),
    (host.UnknownDeviceError, 404),
    (host.UsageError, 422),
    (host.LinkError, 503),
    (host.RefusedError, 409),
)

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class Problem(BaseModel):
    """RFC 9457, section 3.1. kind: one word a program can tell errors apart by."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    kind: str
    errors: list[dict[str, Any]] | None = Field(default=None, description="what is wrong with each field")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a router: the answers in this form that its paths may give, as OpenAPI wants them declared."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": http.HTTPStatus(status).phrase, "content": content} for status in statuses}


ALWAYS = (400, 401, 403, 404, 405, 408, 413, 422, 429, 507)            # any path may give them
OF_A_NODE = (*ALWAYS, 409, 423, 502, 503, 504)


def problem(status: int, detail: str, kind: str = "", headers: Mapping[str, str] | None = None,
            more: list[dict[str, Any]] | None = None) -> JSONResponse:
    title = http.HTTPStatus(status).phrase
    body = Problem(title=title, status=status, detail=detail, kind=kind or title.lower().replace(" ", "-"), errors=more)
    return JSONResponse(body.model_dump(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def status_of(error: host.ToolkitError) -> int:
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def kind_of(error: host.ToolkitError) -> str:
    """`NodeOfflineError` is node-offline."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def install(app: FastAPI) -> None:
    """Answer every error of an app in this form, and tell of the form in its OpenAPI."""
    described = app.openapi

    def with_problem() -> dict[str, Any]:
        told = described()
        told.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        return told

    app.openapi = with_problem  # type: ignore[method-assign]
    app.add_exception_handler(host.ToolkitError, _of_toolkit)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(OSError, _of_system)
    app.add_exception_handler(Exception, _of_a_bug)


async def _of_toolkit(request: Request, error: Exception) -> Response:
    assert isinstance(error, host.ToolkitError)
    status = status_of(error)
    return problem(status, str(error), kind_of(error), {"Retry-After": "1"} if status in (429, 503) else None)


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    takes = (error.headers or {}).get("Allow", "other methods")
    details = {404: f"there is nothing at {request.url.path[:200]}; /docs lists what is",
               405: f"this path takes {takes}, not {request.method[:20]}"}
    told = error.detail if error.detail != http.HTTPStatus(error.status_code).phrase else ""
    return problem(error.status_code, told or details.get(error.status_code, str(error.detail)), headers=error.headers)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    rows = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in error.errors()[:MOST_DETAILS]]
    first = rows[0] if rows else {"where": "request", "what": "not valid"}
    return problem(422, f"{first['where']}: {first['what']}", more=rows)


async def _of_system(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    if error.errno in NO_ROOM:
        return problem(507, f"the gateway cannot keep it: {error.strerror}", "not-kept")
    return await _of_a_bug(request, error)


async def _of_a_bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "the gateway failed at this; its log has the details")
