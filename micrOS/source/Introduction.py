"""Says who this node is: answers a beacon's question; in memory only for a few of them."""
import os

from micropython import const

import Udp
from ConfigHandler import cfgget
from Network import net
from pure import beacon
from pure.lazy import unload

_FILES = const(8266)           # port of Update.py


def facts():
    """(name, uid, ip, shell, files, version, locked, board), as a beacon's answer and an mDNS record tell them."""
    return (cfgget("devfid"), cfgget("hwuid"), net().ifconfig()[0], cfgget("socport"), _FILES, cfgget("version"),
            cfgget("auth"), os.uname()[4].split()[-1])


def answer(link, data, peer):
    """Answer a question that means us, from a socket of our own address: link may have everybody's."""
    unload("Udp", "pure.beacon")
    told = facts()
    try:
        token, name = beacon.asked(data)
    except beacon.BeaconError:
        return
    if name in ("", told[0], told[1]):
        mouth = Udp.opened()
        try:
            mouth.sendto(beacon.answer(token, told), peer)
        finally:
            mouth.close()
