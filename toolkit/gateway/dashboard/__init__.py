"""The dashboard: what a person opens first. It knows the gateway by its REST API only, so another could take its place.

    client.py   the API, asked with the browser's own session      frame.py    the frame of a page, its parts
    pages/      one file a page                                    assets/     style, script, icons
    door.py     entering, by token or from this machine            pictures.py what a board shows, drawn
"""
from __future__ import annotations

import importlib
import logging
import pkgutil
from typing import TYPE_CHECKING

from nicegui import core, ui

from toolkit.gateway import api_layout, api_usb, api_virtual, runs
from toolkit.gateway.dashboard import door, pages

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit.gateway.gateway import Gateway

PLACE = "/gui"

log = logging.getLogger(__name__)


def mount(app: FastAPI, gateway: Gateway) -> None:
    for part in (runs, api_virtual, api_usb, api_layout, door):
        part.mount(app, gateway)
    if core.app.middleware_stack is not None:      # NiceGUI is one per process, and another gateway has it
        gateway.left_out["the dashboard's pages"] = "another gateway of this process shows them"
        return
    for page in pkgutil.iter_modules(pages.__path__):
        importlib.import_module(f"{pages.__name__}.{page.name}")
    ui.run_with(app, mount_path=PLACE, title="micrOS", favicon=door.ASSETS / "icon.svg", dark=None, tailwind=False,
                language="en-US", reconnect_timeout=10.0, show_welcome_message=False, binding_refresh_interval=None)
    gateway.start_page = f"{PLACE}/"
