"""Answers mDNS questions for this node's service and host name; in memory only for a few of them.

Sources: RFC 6762 (mDNS), RFC 6763 (services).
"""
from micropython import const

import Udp
from Introduction import facts
from pure import dns
from pure.lazy import unload

_PORT = const(5353)
_GROUP = const("224.0.0.251")
_SERVICE = const(b"_micros._tcp.local")
_SERVICES = const(b"_services._dns-sd._udp.local")        # asks which services there are: RFC 6763, section 9
_TTL_S = const(120)            # RFC 6762, section 10
_PLAIN_TTL_S = const(10)       # for who speaks plain DNS: section 6.7


def answer(link, data, peer):
    """Answer what is asked about us: to everybody, or to the one who asked in plain DNS."""
    unload("Introduction", "Udp", "pure.beacon", "pure.dns")
    try:
        _answer(link, data, peer)
    except dns.DnsError:             # no question, or a `devfid` such as `a..b` that cannot be a host name
        pass


def _answer(link, data, peer):
    ident, is_answer, questions, place = dns.questions(data)
    if is_answer:
        return
    is_plain = Udp.sender(peer)[1] != _PORT
    us = _Us(_PLAIN_TTL_S if is_plain else _TTL_S, not is_plain, _told(data, place))
    for name, kind in questions:
        records = us.records(name, kind)
        if records and is_plain:
            link.sendto(dns.reply(records, ident, (name, kind)), peer)
        elif records:
            link.sendto(dns.reply(records), Udp.place(_GROUP, _PORT))


class _Us:
    """What is to be said of us. flush: what others have kept of it is old; told: names that need no answer."""

    def __init__(self, ttl_s, flush, told):
        self._facts = facts()
        self._instance = self._facts[0].replace(".", "\\.").encode() + b"." + _SERVICE
        self._host = self._facts[0].encode() + b".local"
        self._ttl_s = ttl_s
        self._flush = flush
        self._told = told

    def records(self, name, kind):
        """Records that answer a question, () when it is not about us or has its answer already."""
        if name == _SERVICES and kind in (dns.PTR, dns.ANY):
            return (dns.record(_SERVICES, dns.PTR, self._ttl_s, dns.pointer(_SERVICE)),)
        kinds = {_SERVICE: (dns.PTR, dns.ANY), self._host.lower(): (dns.A, dns.ANY),
                 self._instance.lower(): (dns.SRV, dns.TXT, dns.ANY)}
        if kind not in kinds.get(name, ()) or name == _SERVICE and self._instance.lower() in self._told:
            return ()
        return self._all()

    def _all(self):
        """One answer tells all, so that nobody has to ask again."""
        _, uid, address, port, files, version, locked, board = self._facts
        about = (("uid", uid), ("version", version), ("locked", "yes" if locked else "no"), ("files", files),
                 ("board", board))
        numbers = bytes([int(number) for number in address.split(".")])
        return (dns.record(_SERVICE, dns.PTR, self._ttl_s, dns.pointer(self._instance)),
                dns.record(self._instance, dns.SRV, self._ttl_s, dns.service(port, self._host), self._flush),
                dns.record(self._instance, dns.TXT, self._ttl_s, dns.texts(about), self._flush),
                dns.record(self._host, dns.A, self._ttl_s, numbers, self._flush))


def _told(data, place):
    """Names of services that the one who asks has been told of lately: RFC 6762, section 7.1."""
    names = []
    try:
        for _, kind, ttl_s, value in dns.records(data, place):
            if kind == dns.PTR and 2 * ttl_s >= _TTL_S:
                names.append(value)
    except dns.DnsError:             # the end of a long list is cut off
        pass
    return names
