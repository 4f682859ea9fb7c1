"""Brings the node onto a network, then leaves memory."""
import asyncio

import network
from micropython import const

from ConfigHandler import cfgget, cfgput
from Debug import console_write, errlog_add
from Network import net
from pure.lazy import publish

_JOIN_MS = const(30000)           # a slow router answers within this
_POLL_MS = const(100)


async def up():
    """Join one of the known networks, else open our own."""
    net().mode = await _mode(net().station, net().access_point)
    console_write("[NW] {} {}".format(net().mode, net().ifconfig()[0]))
    publish("network", net().mode)


async def _mode(station, access_point):
    """"STA" when a known network was joined, "AP" when our own is open, "Unknown" without either."""
    for mode, way in (("STA", _join_any), ("AP", _open)):
        try:
            if await way(station, access_point):
                return mode
        except Exception as error:       # outer wall: a radio that refuses must not cost the shell; Rejoin.py goes on
            errlog_add("[ERR] network {}: {}".format(mode, error))
    return "Unknown"


async def again(station, anew):
    """True when a known network was joined. anew: restart the radio before; then each is tried, without a scan."""
    if anew:
        station.active(False)
    station.active(True)
    return await _join(station, _known())


def came_back():
    """A known network was joined, perhaps from our own."""
    net().access_point.active(False)
    net().mode = "STA"
    console_write("[NW] back: {}".format(net().ifconfig()[0]))


async def _join_any(station, access_point):
    access_point.active(False)
    if cfgget("nwmd") == "AP":
        return False
    network.hostname(cfgget("devfid"))
    station.active(True)
    if station.isconnected():        # a soft reboot keeps the link
        _remember(station.ifconfig()[0])
        return True
    visible = [found[0] for found in station.scan()]
    return await _join(station, [known for known in _known() if known[0].encode() in visible])


async def _open(station, access_point):
    station.active(False)
    access_point.active(True)
    access_point.config(ssid=cfgget("devfid"), key=cfgget("appwd"), authmode=network.AUTH_WPA2_PSK)
    return True


async def _join(station, known):
    """True when one of the networks, pairs (name, password), was joined."""
    for name, password in known:
        try:
            station.connect(name, password)
        except OSError:                  # the ESP32's driver is at it by itself
            pass
        for _ in range(_JOIN_MS // _POLL_MS):
            if station.isconnected():
                _fix_address(station)
                _remember(station.ifconfig()[0])
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
