"""/api/v1: the gateway's own paths, each file one of its things."""
from __future__ import annotations

import importlib

from fastapi import FastAPI

from toolkit.gateway.gateway import Gateway
from toolkit.gateway.problems import ALWAYS, responses

FILES = ("about", "devices", "commands", "config", "modules", "help", "tasks", "files", "events", "console")
PREFIX = "/api/v1"


def mount(app: FastAPI, gateway: Gateway) -> None:
    for name in FILES:
        part = importlib.import_module(f"{__name__}.{name}")
        app.include_router(part.router, prefix=PREFIX, responses=responses(*ALWAYS))
