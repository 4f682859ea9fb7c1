"""Asks networks who is there by one datagram each; every node answers for itself. The format: pure/beacon.py."""
from __future__ import annotations

import contextlib
import secrets
import select
import socket
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Interface

from micrOS.source.pure import beacon as codec
from toolkit.inventory import Device, Introduction

TRIES = 3                      # datagrams get lost; they are spread over the first half of the wait
MAX_NODES = 1000
_LIMITED = "255.255.255.255"   # RFC 919: who is on the same wire


def ask(interfaces: Sequence[IPv4Interface], wait_s: float) -> list[Introduction]:
    """Nodes on the networks of these interfaces of ours, each once, in the order of their answers.

    An interface that cannot broadcast is passed over.
    """
    token = secrets.token_hex(4)
    question = codec.question(token)
    met: dict[str, Introduction] = {}
    with contextlib.ExitStack() as stack:
        mouths = [(stack.enter_context(_mouth(each)), _everybody(each)) for each in interfaces]
        begun = time.monotonic()
        for number in range(1, TRIES + 1):
            for mouth, everybody in mouths:
                with contextlib.suppress(OSError):
                    mouth.sendto(question, (everybody, codec.PORT))
            end_s = begun + (wait_s if number == TRIES else number * wait_s / (2 * TRIES))
            for data, address in _heard([mouth for mouth, _ in mouths], end_s):
                with contextlib.suppress(codec.BeaconError):
                    told = _introduction(data, token, address)
                    if len(met) < MAX_NODES:
                        met.setdefault(told.device.uid, told)
    return list(met.values())


def _mouth(interface: IPv4Interface) -> socket.socket:
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    with contextlib.suppress(OSError):       # the address has just gone: it sends nothing
        mouth.bind((str(interface.ip), 0))
    return mouth


def _everybody(interface: IPv4Interface) -> str:
    network = interface.network
    return str(network.broadcast_address) if network.prefixlen < 31 else _LIMITED


def _heard(mouths: Sequence[socket.socket], end_s: float) -> Iterator[tuple[bytes, str]]:
    """(datagram, address it came from) until a moment of time.monotonic()."""
    while (rest_s := end_s - time.monotonic()) > 0:
        if not mouths:
            time.sleep(rest_s)
            return
        for mouth in select.select(mouths, (), (), rest_s)[0]:
            with contextlib.suppress(OSError):       # Windows tells here that nobody was there
                data, sender = mouth.recvfrom(codec.MOST_BYTES + 1)
                yield data, sender[0]


def _introduction(data: bytes, token: str, address: str) -> Introduction:
    """Raises BeaconError. The address is where the answer came from: what it says of itself may be behind a router."""
    name, uid, _, shell, files, version, locked, board = codec.told(data, token)
    return Introduction(Device(uid, address, shell, name), files, version, locked, board)
