"""Finds another node by its name: asks the network, and remembers who answered; in memory only while it asks.

A peer is (address, port, name, uid): name as its prompt says, None for any; uid None when it did not tell.

Anybody on a network can answer to any name. So our password goes only where a person has sent it: to a node that was
named by its address, and from then on to the node with that uid at that address. `intercon.pds` remembers them.
"""
import asyncio
import binascii
import os
import time

from micropython import const

import Beacon
import Udp
from ConfigHandler import cfgget
from Files import read, write_whole
from Time import seconds

_POLL_MS = const(10)
_POLLS = const(30)             # in which answers come
_BURST = const(16)             # answers that one poll looks at
_TRIES = const(3)
_AGE_S = const(300)            # after which we ask anew
_MOST = const(16)              # remembered, each under the name it was asked for
_GROUP = const("224.0.0.251")
_MDNS_PORT = const(5353)
_TRUSTED = const("intercon.pds")      # lines `<address> <uid>`, the latest last
_MOST_TRUSTED = const(32)


class PeerError(Exception):
    """Raised when there is no such node, or more than one; says so."""


async def find(host, end_ms):
    """The peer that goes by an address, a name or a uid; `:port` behind it when it is not what one would think.

    end_ms: until when to look, as time.ticks_ms() counts. Raises PeerError, OSError without a network, ValueError for
    a port that is no number.
    """
    tag, _, given = host.partition(":")
    port = int(given or cfgget("socport"))
    if not 0 < port < 65536:
        raise ValueError("a port is 1 to 65535, got {}".format(port))
    if Udp.is_address(tag):
        return tag, port, None, None
    address, told, name, uid = _remembered(tag) or await _looked_for(tag, port, end_ms)
    return address, port if given else told, name, uid


def forget(host):
    """Ask anew the next time."""
    tag = host.partition(":")[0]
    Beacon.known = tuple([entry for entry in Beacon.known if entry[0] != tag])


def cache():
    """{name: address} of those who are remembered."""
    return {tag: peer[0] for tag, met_s, peer in Beacon.known if seconds() - met_s < _AGE_S}


def is_trusted(address, uid):
    """True when our password has opened the node with this uid at this address."""
    return "{} {}".format(address, uid) in _trusted()


def trust(address, uid):
    """Remember that it has. Raises OSError."""
    row = "{} {}".format(address, uid)
    if row not in _trusted():
        others = [known for known in _trusted() if known.split()[:1] != [address]]
        write_whole(_TRUSTED, [known + "\n" for known in (others + [row])[-_MOST_TRUSTED:]])


def _trusted():
    return (read(_TRUSTED) or "").split("\n")[:-1]


def _remembered(tag):
    for known, met_s, peer in Beacon.known:
        if known == tag and seconds() - met_s < _AGE_S:
            return peer
    return None


async def _looked_for(tag, port, end_ms):
    label = tag[:-6] if tag.endswith(".local") else tag
    peer = await _by_beacon(label, end_ms)
    if peer is None and label != tag:
        peer = await _by_mdns(tag, label, port, end_ms)
    if peer is None and (label != tag or "." not in tag or tag.replace(".", "").isdigit()):
        raise PeerError("is not on this network; names are those of `devfid`")
    forget(tag)
    peer = peer or Udp.sender(Udp.place(tag, port)) + (None, None)       # the name server may know it
    Beacon.known = ((tag, seconds(), peer),) + Beacon.known[:_MOST - 1]
    return peer


async def _by_beacon(name, end_ms):
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
            met[address, uid] = (address, port, told_name, uid)

    await _ask(question, Udp.place("255.255.255.255", beacon.PORT), take, met, end_ms)
    if len(met) > 1:
        places = ["{} ({})".format(*place) for place in met]
        raise PeerError("is the name of {}; say which by its address".format(" and ".join(sorted(places))))
    return list(met.values())[0] if met else None


async def _by_mdns(host, label, port, end_ms):
    """The peer that has a host name `<label>.local`, as nodes without a beacon have."""
    from pure import dns
    ident = os.urandom(2)
    met = {}

    def take(data, _):
        told, is_answer, _, place = dns.questions(data)
        if is_answer and told == ident[0] << 8 | ident[1]:
            for name, kind, _, value in dns.records(data, place):
                if kind == dns.A and name == host.lower().encode():
                    met[label] = (".".join([str(number) for number in value]), port, label, None)

    question = dns.query(host.encode(), dns.A, ident[0] << 8 | ident[1])
    await _ask(question, Udp.place(_GROUP, _MDNS_PORT), take, met, end_ms)
    return met.get(label)


async def _ask(question, everybody, take, met, end_ms):
    """Send a question up to _TRIES times, until take(data, address) has put something of the answers into met.

    Raises TimeoutError at end_ms. Polls: a task that waits for the socket would outlive this module in its memory.
    """
    mouth = Udp.opened()
    try:
        for _ in range(_TRIES):
            mouth.sendto(question, everybody)
            for _ in range(_POLLS):
                await asyncio.sleep_ms(_POLL_MS)
                _take(mouth, take)
                if time.ticks_diff(end_ms, time.ticks_ms()) < 0:
                    raise asyncio.TimeoutError
            if met:
                return
    finally:
        mouth.close()


def _take(mouth, take):
    for _ in range(_BURST):
        heard = Udp.heard(mouth)
        if heard is None:
            return
        try:
            take(heard[0], Udp.sender(heard[1])[0])
        except ValueError:                       # not an answer, or not to us
            pass
