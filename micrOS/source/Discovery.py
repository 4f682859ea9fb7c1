"""Opens the node's ears as the keys `beacon` and `mdns` say; in memory only for that."""
import asyncio
import socket

from micropython import const

import Beacon
from ConfigHandler import cfgget
from Debug import console_write
from Network import net

_BEACON_PORT = const(9007)     # as in pure/beacon.py and Mdns.py, which stay on the flash at boot
_MDNS_PORT = const(5353)
_GROUP = const("224.0.0.251")
_GROUP_BYTES = const(b"\xe0\0\0\xfb")
_ALL_OF_LOOPBACK = const("127.255.255.255")
_MULTICAST_IF = const(32)      # IP_MULTICAST_IF of <linux/in.h>


def begin():
    """Hear what is asked, and no longer as the keys said before."""
    own = net().ifconfig()[0]
    while Beacon.ears:
        task, link = Beacon.ears[:2]
        task.cancel()
        link.close()
        Beacon.ears = Beacon.ears[2:]
    if cfgget("beacon"):
        # a socket of one address hears no broadcast; 0.0.0.0 hears all, but on a virtual board it is its own address
        _hear("Introduction", _ALL_OF_LOOPBACK if own[:4] == "127." else "0.0.0.0", _BEACON_PORT)
    if cfgget("mdns"):
        _hear("Mdns", _GROUP, _MDNS_PORT, own)


def _hear(service, host, port, own=None):
    """own: our address, to join the group of mDNS."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)       # beside other boards of this machine
        link.bind(socket.getaddrinfo(host, port)[0][-1])
        if own:
            own = bytes([int(number) for number in own.split(".")])
            link.setsockopt(0, socket.IP_ADD_MEMBERSHIP, _GROUP_BYTES + own)
            if own[0] == 127:            # loopback has no route for a multicast
                link.setsockopt(0, _MULTICAST_IF, own)
        link.setblocking(False)
        Beacon.ears += (asyncio.create_task(Beacon.hear(link, service)), link)
    except Exception as error:       # outer wall: a node that cannot be found must serve; OSError: the port is taken
        link.close()
        console_write("[{}] off: {}".format(service, error))
