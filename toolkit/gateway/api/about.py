"""The gateway itself: how it is, who asks, tokens, a browser's session."""
from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel, Field

from toolkit import VERSION
from toolkit.errors import UnknownDeviceError
from toolkit.gateway.access import COOKIE, COOKIE_S
from toolkit.gateway.api.doors import Admin, TheGateway, View, entered

router = APIRouter(tags=["gateway"])

Role = Literal["view", "operate", "admin"]


class About(BaseModel):
    version: str
    uptime_s: float
    nodes: int
    up: int
    parts: list[str] = Field(description="what this gateway can do")
    left_out: dict[str, str] = Field(description="part -> why it is not there")
    engine: str = Field(description="state of the engine: up, down, none")
    role: Role


class Entry(BaseModel):
    token: str = Field(min_length=1, max_length=256)


class Who(BaseModel):
    ident: str = Field(description="which token; no secret")
    role: Role


class TokenRow(BaseModel):
    ident: str
    role: Role
    label: str
    made_at: float


class NewToken(BaseModel):
    role: Role
    label: str = Field(default="", max_length=40, pattern=r"^[A-Za-z0-9_ .@-]*$")


class TokenInClear(BaseModel):
    token: str = Field(description="shown this once; only its hash is kept")


@router.get("/gateway", dependencies=entered)
async def about(gateway: TheGateway, caller: View) -> About:
    """How the gateway is."""
    nodes = gateway.nodes.all()
    engine = getattr(gateway.engine, "state", "up") if gateway.engine else "none"
    return About(version=VERSION, uptime_s=round(time.time() - gateway.started_at, 1), nodes=len(nodes),
                 up=sum(node.now.state == "up" for node in nodes), parts=gateway.parts, left_out=gateway.left_out,
                 engine=str(engine), role=caller.role)  # type: ignore[arg-type]


@router.get("/session", dependencies=entered)
async def who(caller: View) -> Who:
    """Whom the gateway takes you for."""
    return Who(ident=caller.ident, role=caller.role)  # type: ignore[arg-type]


@router.post("/session", status_code=201)
async def enter(entry: Entry, gateway: TheGateway, response: Response) -> Who:
    """Enter with a browser: the token becomes a cookie that scripts cannot read and other sites cannot use."""
    caller = gateway.access.caller(entry.token)
    if caller is None:
        raise HTTPException(401, "that is no token of this gateway: devToolKit.py --gateway --token view makes one",
                            {"WWW-Authenticate": "Bearer"})
    response.set_cookie(COOKIE, gateway.access.cookie(caller), max_age=COOKIE_S, httponly=True, samesite="strict")
    return Who(ident=caller.ident, role=caller.role)  # type: ignore[arg-type]


@router.delete("/session", status_code=204)
async def leave(response: Response) -> None:
    """Forget the cookie."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


@router.get("/tokens", dependencies=entered)
async def tokens(gateway: TheGateway, caller: Admin) -> list[TokenRow]:
    """The tokens there are, without their secrets."""
    return [TokenRow(**{name: getattr(token, name) for name in TokenRow.model_fields})
            for token in gateway.access.tokens()]


@router.post("/tokens", status_code=201, dependencies=entered)
async def make_token(wanted: NewToken, gateway: TheGateway, caller: Admin) -> TokenInClear:
    """Make a token. It is told this once."""
    return TokenInClear(token=gateway.access.make(wanted.role, wanted.label))


@router.delete("/tokens/{ident}", status_code=204, dependencies=entered)
async def revoke(ident: Annotated[str, Path(pattern=r"^[0-9a-f]{8}$")], gateway: TheGateway, caller: Admin) -> None:
    """Take a token back. It counts no more from now on, nor do cookies that came of it."""
    if not gateway.access.revoke(ident):
        raise UnknownDeviceError(f"there is no token {ident}: GET /api/v1/tokens lists them")
