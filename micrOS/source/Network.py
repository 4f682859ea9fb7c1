"""The node's two radio interfaces and which of them is in use; Join.py brings them up."""
import binascii

import network

from ConfigHandler import cfgget
from Debug import console_write
from pure.lazy import door, once, unload


class Net:
    """mode: "" before up(), then "STA" (joined a network) or "AP" (opened its own)."""

    def __init__(self):
        self.station = network.WLAN(network.STA_IF)
        self.access_point = network.WLAN(network.AP_IF)
        self.mode = ""

    async def up(self):
        """Join a known network, or open our own. Returns the mode."""
        import Join
        self.mode = await Join.up(self.station, self.access_point)
        unload("Join")
        console_write("[NW] {} {}".format(self.mode, self.ifconfig()[0]))
        return self.mode

    def is_lost(self):
        """True when the node is on no network of others, and wants to be."""
        return not self.station.isconnected() and cfgget("nwmd") != "AP"

    def came_back(self):
        """A known network was joined, perhaps from our own."""
        self.access_point.active(False)
        self.mode = "STA"
        console_write("[NW] back: {}".format(self.ifconfig()[0]))

    def ifconfig(self):
        """(address, mask, gateway, dns)."""
        return (self.access_point if self.mode == "AP" else self.station).ifconfig()


@once
def net():
    """The node's one Net."""
    return Net()


def ifconfig():
    """(mode, (address, mask, gateway, dns))."""
    return net().mode, net().ifconfig()


def get_mac():
    """MAC address as text, `24:0a:c4:...`."""
    return str(binascii.hexlify(net().station.config("mac"), ":"), "utf-8")


def peer_address(writer):
    """(address, port) of a client."""
    peer = writer.get_extra_info("peername")
    if isinstance(peer, tuple):
        return peer[:2]
    import socket                        # the unix port gives raw sockaddr bytes
    _, address, port = socket.sockaddr(peer)[:3]
    return ".".join([str(number) for number in address]), port


__getattr__ = door               # sta_high_avail
