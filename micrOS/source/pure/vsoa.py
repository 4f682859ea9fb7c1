"""VSOA packets: their bytes, their rules, and a parser that takes them in any split.

0x29 1 | type 1 | pad count 2 bits, flags 6 bits | status 1 | seqno 4 | tunid 2 | url size 2 | param size 4
| data size 4 | url | param | data | pad 0-3;  all big-endian; the pad brings the whole to a multiple of four

A packet is a tuple (kind, flags, status, seqno, tunid, url, param, data): url a str, param and data bytes.
Source: wire of the PyPI package vsoa 1.0.4 and the Go package acoinfo/vsoa, as observed.
"""
import json
from struct import pack, unpack_from

SERVINFO, RPC, SUBSCRIBE, UNSUBSCRIBE, PUBLISH, DATAGRAM, QOSSETUP = 0, 1, 2, 3, 4, 5, 6
NOOP, PINGECHO = 0xFE, 0xFF
REPLY, TUNNEL, SET = 1, 2, 4                   # flags
SUCCESS, PASSWORD, ARGUMENTS, INVALID_URL, NO_RESPONDING, NO_PERMISSION, NO_MEMORY = 0, 1, 2, 3, 4, 5, 6     # status

HEAD_BYTES = 20
MOST_BYTES = 262144            # of a packet, header and pad included
MOST_UDP_BYTES = 65507
_MAGIC = 0x29                  # magic 9 below version 2
_HEAD = ">BBBBIHHII"           # encode() has both as they are: a board looks up each name, each time

# what becomes of a client in the eyes of a server: "new" may only log in, "known" has the password, "up" said SERVINFO
SERVER = {"new": {"login": "known", "closed": "gone"}, "known": {"servinfo": "up", "closed": "gone"},
          "up": {"servinfo": "up", "closed": "gone"}, "gone": {"closed": "gone"}}
# and of a client in its own
CLIENT = {"idle": {"connect": "linking", "closed": "idle"}, "linking": {"linked": "greeting", "closed": "idle"},
          "greeting": {"welcome": "up", "closed": "idle"}, "up": {"closed": "idle"}}


class PacketError(ValueError):
    """Raised for what cannot be a packet, or be put into one."""


class StateError(RuntimeError):
    """Raised for an event that its state has no place for."""


def after(table, state, event):
    """The state that follows. table: SERVER or CLIENT. Raises StateError."""
    try:
        return table[state][event]
    except KeyError:
        raise StateError("{} while {}".format(event, state))


def encode(kind, flags=0, status=0, seqno=0, tunid=0, url="", param=b"", data=b"", most_bytes=MOST_BYTES):
    """One packet. param: bytes, as encoded() makes them. Raises PacketError when it does not fit.

    Its pad is zeros; the public package lets old packets show there.
    """
    url = url.encode() if url else b""
    url_bytes, param_bytes, data_bytes = len(url), len(param), len(data)
    count = 20 + url_bytes + param_bytes + data_bytes
    pad = -count & 3
    if count + pad > most_bytes or url_bytes > 65535:
        raise PacketError("a packet takes {} bytes and a url 65535, got {} and {}".format(most_bytes, count, url_bytes))
    head = pack(">BBBBIHHII", 0x29, kind, flags | pad << 6, status, seqno, tunid, url_bytes, param_bytes, data_bytes)
    return b"".join((head, url, param, data, b"\0\0\0"[:pad]))


def encoded(param):
    """The bytes of a param: dict, list and str as JSON, bytes as they are, anything else as none."""
    if isinstance(param, (dict, list, str)):
        return _ascii(json.dumps(param, separators=(",", ":"))).encode()
    return bytes(param) if isinstance(param, (bytes, bytearray, memoryview)) else b""


def decoded(param):
    """What these bytes of a param mean: None, a JSON value, else the bytes."""
    if not param:
        return None
    try:
        return json.loads(param)
    # TypeError: {[]: 1} on MicroPython; the two last: a hundred thousand brackets
    except (ValueError, TypeError, RuntimeError, MemoryError):
        return param


def datagram(data):
    """The packet that this datagram is. Raises PacketError; lengths that point beyond its end are an error too."""
    if len(data) < HEAD_BYTES or data[0] != _MAGIC:
        raise PacketError("a packet begins with 0x29 and has {} bytes, got {}".format(HEAD_BYTES, len(data)))
    packet, end = _packet(data, 0, len(data))
    if packet is None:
        raise PacketError("lengths of {} bytes in a datagram of {}".format(end, len(data)))
    return packet


class Receiver:
    """Takes bytes in any split, gives packets.

    broken: None, or why no packet can come any more; what came before stands. Keeps up to most_bytes.
    """

    def __init__(self, most_bytes=MOST_BYTES):
        self._most = most_bytes
        self._rest = bytearray()
        self.broken = None

    def feed(self, data):
        """list of packets that data completes."""
        if self.broken:
            return []
        if self._rest:
            self._rest += data
            data = self._rest
        at, size, packets = 0, len(data), []
        try:
            while at < size:
                if data[at] != _MAGIC:
                    raise PacketError("a packet begins with 0x29, got 0x{:02x}".format(data[at]))
                if size - at < HEAD_BYTES:
                    break
                packet, end = _packet(data, at, self._most)
                if packet is None:
                    break
                packets.append(packet)
                at = end
        except ValueError as error:      # UnicodeError is one
            self.broken = str(error) or "a url is UTF-8"
        if at == size or self.broken:
            if self._rest:
                self._rest = bytearray()
        elif at or data is not self._rest:
            self._rest = bytearray(memoryview(data)[at:])
        return packets


def _packet(data, at, most_bytes):
    """(packet, where it ends) of a packet that begins there; (None, where it would end) when some is missing yet."""
    _, kind, flags, status, seqno, tunid, url, param, more = unpack_from(_HEAD, data, at)
    end = at + HEAD_BYTES + url + param + more + (flags >> 6)
    if end - at > most_bytes:
        raise PacketError("a packet takes {} bytes here, got {}".format(most_bytes, end - at))
    if end > len(data):
        return None, end
    at += HEAD_BYTES
    url += at
    param += url
    return (kind, flags & 63, status, seqno, tunid, str(data[at:url], "utf-8") if url > at else "",
            bytes(data[url:param]) if param > url else b"",
            bytes(memoryview(data)[param:param + more]) if more else b""), end


def _ascii(text):
    """JSON text with each character beyond ASCII as \\u; CPython has done it already."""
    if len(text.encode()) == len(text):
        return text
    return "".join([letter if ord(letter) < 128 else _escaped(ord(letter)) for letter in text])


def _escaped(number):
    if number < 0x10000:
        return "\\u{:04x}".format(number)
    number -= 0x10000
    return "\\u{:04x}\\u{:04x}".format(0xD800 | number >> 10, 0xDC00 | number & 0x3FF)


def matches(subscription, url):
    """True when a publication on url is for this subscription: the same, `/` for all, `/a/` for /a and all below it."""
    if subscription[-1:] != "/":
        return subscription == url
    return subscription == "/" or url == subscription[:-1] or url.startswith(subscription)


def handler(exact, wildcards, url):
    """What serves a request, None when nothing does.

    exact: {url: handler}; wildcards: (url that ends in `/`, handler), the longest first: `/` is last, the default
    """
    found = exact.get(url)
    if found is None:
        for prefix, found in wildcards:
            if matches(prefix, url):
                return found
        return None
    return found


def subscriptions(url, param):
    """list of urls that a SUBSCRIBE or UNSUBSCRIBE means, None when it means none (status 2)."""
    if url:
        return [url] if url[0] == "/" else None
    urls = decoded(param)
    if not isinstance(urls, list):
        return None
    return [item for item in urls if isinstance(item, str) and item[:1] == "/"]


def seqno_asked(last, pending):
    """The number of a request that wants its answer: 0-65535, one that no pending request has.

    last: the one before, -1 at first. Raises PacketError when all are taken.
    """
    if len(pending) >= 65535:
        raise PacketError("65535 requests wait for their answers")
    last = last + 1 & 0xFFFF
    while last in pending:
        last = last + 1 & 0xFFFF
    return last


def seqno_unasked(last):
    """The number of a request whose answer nobody wants: n << 16, n = 1-65535. last: the one before, 0 at first."""
    return (last >> 16) % 65535 + 1 << 16


def split_url(url):
    """(host, port, path) of `vsoa://host[:port][/path]`; port None where there is none. Raises ValueError."""
    _, mark, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    if not mark or not place:
        raise ValueError("a server is vsoa://host:port, got {}".format(url))
    if place[0] == "[":
        host, _, port = place[1:].partition("]")
        port = port[1:]
    else:
        host, _, port = place.partition(":")
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("a port is 1-65535, got {}".format(port))
    return host, int(port) if port else None, slash + path


def is_literal(host):
    """True for what needs no look-up: localhost, four numbers with dots, or an address of IPv6."""
    parts = host.split(".")
    return host == "localhost" or ":" in host or len(parts) == 4 and all(
        part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts)
