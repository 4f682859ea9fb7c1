"""The node's two radio interfaces and which of them is in use; Join.py brings them up."""
import network

from ConfigHandler import cfgget
from pure.lazy import door, once


class Net:
    """mode: "" before Join.up(), then "STA" (joined a network) or "AP" (opened its own)."""

    def __init__(self):
        self.station = network.WLAN(network.STA_IF)
        self.access_point = network.WLAN(network.AP_IF)
        self.mode = ""

    def is_lost(self):
        """True when the node is on no network of others, and wants to be."""
        return not self.station.isconnected() and cfgget("nwmd") != "AP" and self.mode != "OFF"

    def ifconfig(self):
        """(address, mask, gateway, dns)."""
        return (self.access_point if self.mode == "AP" else self.station).ifconfig()


@once
def net():
    """The node's one Net."""
    return Net()


def peer_address(writer):
    """(address, port) of a client."""
    peer = writer.get_extra_info("peername")
    if isinstance(peer, tuple):
        return peer[:2]
    import socket                        # the unix port gives raw sockaddr bytes
    _, address, port = socket.sockaddr(peer)[:3]
    return ".".join([str(number) for number in address]), port


__getattr__ = door               # ifconfig, get_mac, sta_high_avail
