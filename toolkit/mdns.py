"""Asks for nodes by mDNS, as phones and other systems do: `_micros._tcp`, RFC 6763."""
from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from ipaddress import IPv4Interface
from typing import Any

from toolkit.inventory import Device, Introduction

SERVICE = "_micros._tcp.local."
MAX_NODES = 1000
_WORD = re.compile(r"[!-~]{1,40}")       # what a name or a uid can be, as in pure/beacon.py

log = logging.getLogger(__name__)


def ask(interfaces: Sequence[IPv4Interface], wait_s: float) -> list[Introduction]:
    """Nodes that tell of themselves on the networks of these interfaces of ours, each once.

    Of two nodes with one name only one is told: mDNS knows them by it.
    """
    # 0.2 s, and most commands look nobody up
    from zeroconf import IPVersion, ServiceBrowser, ServiceStateChange, Zeroconf

    end_s = time.monotonic() + wait_s
    if not interfaces:
        return []
    try:
        inquiry = Zeroconf(interfaces=[str(each.ip) for each in interfaces], ip_version=IPVersion.V4Only)
    except OSError as error:
        log.info("no mDNS on this machine: %s", error)
        return []
    names: dict[str, None] = {}

    def see(zeroconf: Any, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is not ServiceStateChange.Removed and len(names) < MAX_NODES:
            names[name] = None

    try:
        ServiceBrowser(inquiry, SERVICE, handlers=[see])
        time.sleep(max(0.0, end_s - time.monotonic()))
        met = [_introduction(inquiry, name) for name in list(names)]
    finally:
        inquiry.close()
    return list({told.device.uid: told for told in met if told}.values())


def _introduction(inquiry: Any, name: str) -> Introduction | None:
    """The node behind a service, None when it did not tell all of itself."""
    from zeroconf import ServiceInfo

    info = ServiceInfo(SERVICE, name)
    info.load_from_cache(inquiry)            # a node tells all in its first answer
    told = {key.decode("ascii", "replace"): (value or b"").decode("ascii", "replace")
            for key, value in info.properties.items()}
    label, uid, addresses = name.removesuffix("." + SERVICE), told.get("uid", ""), info.parsed_addresses()
    if not addresses or not info.port or not _WORD.fullmatch(label) or not _WORD.fullmatch(uid):
        return None
    return Introduction(Device(uid, addresses[0], info.port, label), _port(told.get("files", "")),
                        _shown(told, "version"), told.get("locked") == "yes", _shown(told, "board"))


def _port(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) and int(text) <= 65535 else 0


def _shown(told: dict[str, str], key: str) -> str:
    value = told.get(key, "")
    return value if _WORD.fullmatch(value) else ""
