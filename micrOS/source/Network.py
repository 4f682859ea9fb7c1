"""Brings the node onto a network: joins a known one, else opens its own."""
import asyncio
import binascii

import network
from ConfigHandler import cfgget, cfgput
from Debug import console_write
from pure.once import once

JOIN_MS = 30000           # a slow router answers within this
POLL_MS = 100


class Net:
    """The two radios' interfaces; mode: "", "STA", "AP"."""

    def __init__(self):
        self.station = network.WLAN(network.STA_IF)
        self.access_point = network.WLAN(network.AP_IF)
        self.mode = ""

    async def up(self):
        """Join one of the known networks, or open our own. Returns the mode."""
        if cfgget("nwmd") != "AP" and await self._join_any():
            self.mode = "STA"
            self._remember_address()
        else:
            self._open()
            self.mode = "AP"
        console_write("[NW] {} {}".format(self.mode, self.address()))
        return self.mode

    def address(self):
        return self._interface().ifconfig()[0]

    def ifconfig(self):
        """(mode, (address, mask, gateway, dns))."""
        return self.mode, self._interface().ifconfig()

    def _interface(self):
        return self.access_point if self.mode == "AP" else self.station

    async def _join_any(self):
        self.access_point.active(False)
        self.station.active(True)
        if self.station.isconnected():       # a soft reboot keeps the link
            return True
        network.hostname(cfgget("devfid"))
        visible = [str(found[0], "utf-8") for found in self.station.scan()]
        for name, password in _known_networks():
            if name in visible and await self._join(name, password):
                return True
        return False

    async def _join(self, name, password):
        self.station.connect(name, password)
        for _ in range(JOIN_MS // POLL_MS):
            if self.station.isconnected():
                return True
            await asyncio.sleep_ms(POLL_MS)
        self.station.disconnect()
        return False

    def _remember_address(self):
        """The first lease becomes the fixed address, as 1.20 does."""
        address = self.station.ifconfig()[0]
        if cfgget("devip") != address:
            cfgput("devip", address)

    def _open(self):
        self.station.active(False)
        self.access_point.active(True)
        self.access_point.config(ssid=cfgget("devfid"), key=cfgget("appwd"), authmode=network.AUTH_WPA2_PSK)


def _known_networks():
    """Pairs (name, password); a network without a password of its own gets the last one."""
    names = cfgget("staessid").split(";")
    passwords = cfgget("stapwd").split(";")
    for at, name in enumerate(names):
        yield name.strip(), passwords[min(at, len(passwords) - 1)].strip()


@once
def net():
    """The node's one Net."""
    return Net()


def ifconfig():
    return net().ifconfig()


def get_mac():
    """MAC address as text, `24:0a:c4:...`."""
    return str(binascii.hexlify(net().station.config("mac"), ":"), "utf-8")
