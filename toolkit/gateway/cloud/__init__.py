"""The gateway as Device Cloud: things speak TR50 to it over MQTT, people and programs REST.

Parts: door and session (who is connected), commands (what may be said), things, samples, mailbox, files, relay,
packages; http (what things ask over HTTP), operator (/api), api_things (/api/v1/things). All that is kept lies in the
engine; with the engine off in a file of this one gateway, see vault.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit.gateway.gateway import Gateway


def mount(app: FastAPI, gateway: Gateway) -> None:
    """Listens where settings.cloud says; its paths on the gateway's own port are there in any case."""
    from toolkit.gateway.cloud import api_things, http, operator
    from toolkit.gateway.cloud.cloud import Cloud
    from toolkit.gateway.cloud.https import Https

    cloud = app.state.cloud = Cloud(gateway)
    routes = [*http.routes(cloud), *operator.routes(cloud)]
    https = Https(routes, cloud.settings, gateway.settings)

    async def start() -> None:
        await cloud.start()
        await https.start()
        cloud.https = _named(cloud.settings.public, https.port)
        if https.port:
            cloud.door.ports["https"] = https.port

    app.include_router(api_things.router)
    app.include_router(api_things.sockets)
    app.router.routes.extend(routes)
    gateway.on_start(start)
    gateway.on_stop(cloud.stop)
    gateway.on_stop(https.stop)


def _named(public: str, port: int) -> str:
    """Where things find our HTTPS; public counts even without one of ours, as behind a proxy."""
    if public or not port:
        return public
    return f"localhost:{port}"
