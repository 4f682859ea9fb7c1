"""Asks boards by beacon and by mDNS as a stranger does, on loopback. Many may answer; a test looks for its own."""
import contextlib
import secrets
import socket
import struct
import uuid

from micrOS.source.pure import beacon, dns

EVERYBODY = ("127.255.255.255", beacon.PORT)
GROUP = ("224.0.0.251", 5353)
WINDOW_S = 0.3
TRIES = 20
TOKEN = "3f9a01c2"


def own_name(word):
    """A device name that no other board on this machine has."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def mouth(address="127.0.0.1"):
    """A socket on any port that may ask everybody."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    link.bind((address, 0))
    link.settimeout(WINDOW_S)
    return link


def ear():
    """A socket that hears all questions of the beacon, beside the boards."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind(EVERYBODY)
    link.settimeout(WINDOW_S)
    return link


def came(link):
    """(data, (address, port)) of all datagrams until there is silence."""
    with contextlib.suppress(TimeoutError):
        while True:
            yield link.recvfrom(2048)


def answers(question, address="127.0.0.1"):
    """{address: values} of who answers one question in WINDOW_S."""
    with mouth(address) as link:
        link.sendto(question, EVERYBODY)
        return {sender[0]: beacon.told(data, TOKEN) for data, sender in came(link)}


def answer_of(name, **asked):
    """(address, values) of the node that answers to a name; asked again, as a datagram may be lost. None: nobody."""
    for _ in range(TRIES):
        told = answers(beacon.question(TOKEN, name), **asked)
        if told:
            return next(iter(told.items()))
    return None


def looked_up(name, kind):
    """[(name, kind, value)] that plain DNS to the group tells, by unicast; [] when nobody answers."""
    with mouth() as link:
        for _ in range(TRIES):
            link.sendto(dns.query(name, kind, 7), GROUP)
            for data, _ in came(link):
                ident, is_answer, _, place = dns.questions(data)
                if is_answer and ident == 7:
                    return [(owner, what, value) for owner, what, _, value in dns.records(data, place)]
    return []


def group_member():
    """A socket in the group of mDNS, which hears what is said to everybody."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind(GROUP)
    own = socket.inet_aton("127.0.0.1")
    link.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", socket.inet_aton(GROUP[0]), own))
    link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    link.settimeout(WINDOW_S)
    return link


def own_address():
    """A loopback address that no board takes by itself."""
    while True:
        address = f"127.77.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
        with contextlib.suppress(OSError), socket.create_server((address, 9008)):
            return address
