"""Brings the node onto a network, then leaves memory."""
import asyncio

import network
from micropython import const

from ConfigHandler import cfgget, cfgput
from Debug import console_write
from Network import net

_JOIN_MS = const(30000)           # a slow router answers within this
_POLL_MS = const(100)


async def up():
    """Join one of the known networks, else open our own."""
    net().mode = await _mode(net().station, net().access_point)
    console_write("[NW] {} {}".format(net().mode, net().ifconfig()[0]))


async def _mode(station, access_point):
    """"STA" when a known network was joined, else "AP"."""
    access_point.active(False)
    if cfgget("nwmd") != "AP" and await _join_any(station):
        _remember(station.ifconfig()[0])
        return "STA"
    station.active(False)
    access_point.active(True)
    access_point.config(ssid=cfgget("devfid"), key=cfgget("appwd"), authmode=network.AUTH_WPA2_PSK)
    return "AP"


async def again(station, anew):
    """True when a known network was joined. anew: restart the radio before; then each is tried, without a scan."""
    if anew:
        station.active(False)
    station.active(True)
    for name, password in _known():
        if await _join(station, name, password):
            _remember(station.ifconfig()[0])
            return True
    return False


async def _join_any(station):
    station.active(True)
    if station.isconnected():        # a soft reboot keeps the link
        return True
    network.hostname(cfgget("devfid"))
    visible = [str(found[0], "utf-8") for found in station.scan()]
    for name, password in _known():
        if name in visible and await _join(station, name, password):
            return True
    return False


async def _join(station, name, password):
    try:
        station.connect(name, password)
    except OSError:                  # the ESP32's driver is at it by itself
        pass
    for _ in range(_JOIN_MS // _POLL_MS):
        if station.isconnected():
            _fix_address(station)
            return True
        await asyncio.sleep_ms(_POLL_MS)
    station.disconnect()
    return False


def _fix_address(station):
    """Take the address `devip` where it belongs into this network."""
    fixed = cfgget("devip")
    address, mask, gateway, dns = station.ifconfig()
    if fixed != address and fixed.rpartition(".")[0] == dns.rpartition(".")[0]:
        station.ifconfig((fixed, mask, gateway, dns))


def _known():
    """Pairs (name, password); a network without a password of its own gets the last one."""
    names = cfgget("staessid").split(";")
    passwords = cfgget("stapwd").split(";")
    for at, name in enumerate(names):
        yield name.strip(), passwords[min(at, len(passwords) - 1)].strip()


def _remember(address):
    """The first lease becomes the fixed address, as 1.20 does."""
    if cfgget("devip") != address:
        cfgput("devip", address)
