"""What the paths of the API take from a request: who asks, which node, and the gateway itself."""
from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPBearer

from toolkit.gateway.access import Caller, needs
from toolkit.gateway.errors import NotAllowedError
from toolkit.gateway.gateway import Gateway
from toolkit.gateway.nodes import Node
from toolkit.gateway.reading import role_for

bearer = Security(HTTPBearer(auto_error=False, description="a token; or the cookie that POST /api/v1/session sets"))


# Plain functions would be run in threads, which costs more than they do.
async def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def node_of(
    request: Request,
    device: Annotated[str, Path(min_length=1, max_length=80, description="uid, name, address or address:port")],
) -> Node:
    gateway = await gateway_of(request)
    return gateway.nodes.find(device)


# Of a router or path that nobody enters without a token: looked at before anything else, so strangers learn nothing.
entered = [bearer, Depends(needs("view"))]
View = Annotated[Caller, Depends(needs("view"))]
Operate = Annotated[Caller, Depends(needs("operate"))]
Admin = Annotated[Caller, Depends(needs("admin"))]
TheGateway = Annotated[Gateway, Depends(gateway_of)]
TheNode = Annotated[Node, Depends(node_of)]


def allowed(caller: Caller, role: str, what: str) -> None:
    """Raises NotAllowedError when a role does not reach to what this very request asks."""
    if not caller.may(role):
        raise NotAllowedError(f"{what[:60]!r} takes the role {role}, and the token shown has {caller.role}")


def allowed_by_get(caller: Caller, line: str) -> None:
    """A GET may act where 1.20 had it so, and any page can have a browser send one. Raises NotAllowedError."""
    role = role_for(line)
    allowed(caller, role, line)
    if caller.may_be_misled and role != "view":
        raise NotAllowedError(f"{line[:60]!r} acts, and the browser does not say whose page wants it: show a token, or "
                              "send it by POST, as /docs does")
