"""Finds another node by its name: asks the network, and remembers who answered; in memory only while it asks.

A peer is (address, port, name, uid, trusted): name as its prompt says, None for any; uid None when it did not tell;
trusted: it may be told our password, since its address answered the beacon or was given to us as an address.
"""
import binascii
import os
import time

from micropython import const

import Beacon
import Udp
from ConfigHandler import cfgget
from Time import seconds

_WINDOW_MS = const(300)        # in which answers come
_TRIES = const(3)
_AGE_S = const(300)            # after which we ask anew
_MOST = const(16)              # remembered, each under the name it was asked for
_GROUP = const("224.0.0.251")
_MDNS_PORT = const(5353)


class PeerError(Exception):
    """Raised when there is no such node, or more than one; says so."""


async def find(host):
    """The peer that goes by an address, a name or a uid; `:port` behind it when it is not what one would think.

    Raises PeerError, OSError without a network, ValueError for a port that is no number.
    """
    tag, _, given = host.partition(":")
    port = int(given or cfgget("socport"))
    if not 0 < port < 65536:
        raise ValueError("a port is 1 to 65535, got {}".format(port))
    if tag.count(".") == 3 and tag.replace(".", "").isdigit():
        return tag, port, None, None, True
    address, told, name, uid, trusted = _remembered(tag) or await _looked_for(tag, port)
    return address, port if given else told, name, uid, trusted


def forget(host):
    """Ask anew the next time."""
    tag = host.partition(":")[0]
    Beacon.known = tuple([entry for entry in Beacon.known if entry[0] != tag])


def cache():
    """{name: address} of those who are remembered."""
    return {tag: peer[0] for tag, met_s, peer in Beacon.known if seconds() - met_s < _AGE_S}


def _remembered(tag):
    for known, met_s, peer in Beacon.known:
        if known == tag and seconds() - met_s < _AGE_S:
            return peer
    return None


async def _looked_for(tag, port):
    label = tag[:-6] if tag.endswith(".local") else tag
    peer = await _by_beacon(label)
    if peer is None and label != tag:
        peer = await _by_mdns(tag, label, port)
    if peer is None and (label != tag or "." not in tag):
        raise PeerError("is not on this network; names are those of `devfid`")
    forget(tag)
    peer = peer or (tag, port, None, None, False)        # a name of the internet: the name server may know it
    Beacon.known = ((tag, seconds(), peer),) + Beacon.known[:_MOST - 1]
    return peer


async def _by_beacon(name):
    """The one node that answers to a name or uid, None when none does."""
    from pure import beacon
    token = str(binascii.hexlify(os.urandom(4)), "utf-8")
    try:
        question = beacon.question(token, name)
    except beacon.BeaconError:
        raise PeerError("is no name that a node can have")
    met = {}

    def take(data, address):
        told_name, uid, _, port = beacon.told(data, token)[:4]
        if name in (told_name, uid) and len(met) < _MOST:
            met[uid] = (address, port, told_name, uid, True)

    await _ask(question, Udp.place("255.255.255.255", beacon.PORT), take, met)
    if len(met) > 1:
        places = ["{} ({})".format(peer[0], uid) for uid, peer in met.items()]
        raise PeerError("is the name of {}; say which by its address".format(" and ".join(sorted(places))))
    return list(met.values())[0] if met else None


async def _by_mdns(host, label, port):
    """The peer that has a host name `<label>.local`, as nodes without a beacon have; it is not trusted."""
    from pure import dns
    ident = os.urandom(2)
    met = {}

    def take(data, _):
        told, is_answer, _, place = dns.questions(data)
        if is_answer and told == ident[0] << 8 | ident[1]:
            for name, kind, _, value in dns.records(data, place):
                if kind == dns.A and name == host.lower().encode():
                    met[label] = (".".join([str(number) for number in value]), port, label, None, False)

    question = dns.query(host.encode(), dns.A, ident[0] << 8 | ident[1])
    await _ask(question, Udp.place(_GROUP, _MDNS_PORT), take, met)
    return met.get(label)


async def _ask(question, everybody, take, met):
    """Send a question up to _TRIES times, until a window brought something that take(data, address) put into met."""
    mouth = Udp.opened()
    try:
        for _ in range(_TRIES):
            mouth.sendto(question, everybody)
            end_ms = time.ticks_add(time.ticks_ms(), _WINDOW_MS)
            while True:
                heard = await Udp.heard(mouth, end_ms)
                if heard is None:
                    break
                try:
                    take(heard[0], Udp.sender(heard[1])[0])
                except ValueError:       # not an answer, or not to us
                    pass
            if met:
                return
    finally:
        mouth.close()
