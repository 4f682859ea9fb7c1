"""What handlers and callers are given: attributes, and keys as a dict has them."""
from .ground import wire


class _Record:
    def __getitem__(self, key):
        return getattr(self, key)


class Header(_Record):
    """The head of a reply."""

    def __init__(self, type, flags, status, seqno, tunid):
        self.type, self.flags, self.status, self.seqno, self.tunid = type, flags, status, seqno, tunid

    def keys(self):
        return ["type", "flags", "status", "seqno", "tunid"]


class Request(_Record):
    """What an RPC handler is asked. method: METHOD_GET or METHOD_SET; mwdata: for who passes a request on"""

    def __init__(self, url, seqno, method, mwdata=None):
        self.url, self.seqno, self.method, self.mwdata = url, seqno, method, {} if mwdata is None else mwdata

    def keys(self):
        return ["url", "seqno", "method", "mwdata"]


class Payload(_Record):
    """param: dict, list, str, or bytes; data: bytes; None: not there"""

    def __init__(self, param=None, data=None):
        self.param, self.data = param, data

    def keys(self):
        return ["param", "data"]


def received(packet, is_raw):
    """The Payload of a packet. is_raw: a param stays bytes"""
    param = packet[6] or None
    return Payload(param if param is None or is_raw else wire.decoded(param), packet[7] or None)


def parts(payload):
    """(param, data), bytes, of a Payload, a dict with these keys, or None."""
    if payload is None:
        return b"", b""
    if isinstance(payload, dict):
        param, data = payload.get("param"), payload.get("data")
    else:
        param, data = payload.param, payload.data
    return b"" if param is None else wire.encoded(param), data or b""


def checked(url):
    """url, if it can be one. Raises TypeError, ValueError."""
    if not isinstance(url, str):
        raise TypeError("a url is text, got {}".format(type(url)))
    if url[:1] != "/":
        raise ValueError("a url begins with /, got {}".format(url))
    return url
