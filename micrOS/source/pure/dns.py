"""Questions and records of DNS, as mDNS has them.

A name is bytes with dots between its labels, in lower case once it was read; a dot of a label itself is `\\.`.

    ident 2 | flags 2 | questions 2 | answers 2 | authority 2 | additional 2 | question ... | record ...
    question   name | kind 2 | class 2
    record     name | kind 2 | class 2 | ttl 4 | size 2 | data
    name       { size 1 | label } 0      in place of a size, 11xxxxxx xxxxxxxx: the rest of it stands at that place
Sources: RFC 1035, section 4.1, RFC 2782 (SRV), RFC 6762, section 18 (mDNS), RFC 6763, section 6 (TXT).
"""
import struct

A, PTR, TXT, SRV, ANY = 1, 12, 16, 33, 255         # kinds
_CLASS = 1                     # Internet
_FLUSH = 0x8000                # in the class of a record: forget what was told before (RFC 6762, 10.2)
_ANSWER, _AUTHORITATIVE = 0x8000, 0x0400           # flags
_OPCODE = 0x7800               # 0: a plain question
_HEAD_BYTES = 12
_NAME_BYTES, _LABEL_BYTES = 255, 63
_DOT = b"\\."
_MOST = 64                     # questions, records of one message that are looked at


class DnsError(ValueError):
    """Raised for bytes that are no DNS message, and for a name that cannot be in one; says why."""


def query(name, kind, ident=0):
    """The message that asks one question."""
    return struct.pack(">6H", ident, 0, 1, 0, 0, 0) + _asked(name, kind)


def reply(records, ident=0, question=None):
    """The message that tells records, made by record(). question: (name, kind) to repeat, for who speaks plain DNS."""
    head = struct.pack(">6H", ident, _ANSWER | _AUTHORITATIVE, 1 if question else 0, len(records), 0, 0)
    return head + (_asked(*question) if question else b"") + b"".join(records)


def record(name, kind, ttl_s, data, flush=False):
    """One record as bytes. data: as pointer(), service() and texts() make it, 4 bytes of an address."""
    return _name(name) + struct.pack(">HHIH", kind, _FLUSH | _CLASS if flush else _CLASS, ttl_s, len(data)) + data


def pointer(name):
    """Data of a PTR."""
    return _name(name)


def service(port, target):
    """Data of an SRV."""
    return struct.pack(">HHH", 0, 0, port) + _name(target)


def texts(pairs):
    """Data of a TXT. pairs: (key, value), both text."""
    items = ["{}={}".format(key, value).encode()[:255] for key, value in pairs]
    return b"".join([bytes((len(item),)) + item for item in items]) or b"\0"


def questions(data):
    """(ident, is_answer, [(name, kind), ...], place of the first record). Raises DnsError."""
    if len(data) < _HEAD_BYTES:
        raise DnsError("no head")
    ident, flags, count = struct.unpack(">HHH", data[:6])
    if flags & _OPCODE or count > _MOST:
        raise DnsError("not a plain question or answer")
    place, found = _HEAD_BYTES, []
    for _ in range(count):
        name, place = _read_name(data, place)
        found.append((name, _number(data, place)))
        _number(data, place + 2)             # the class: nobody uses another one
        place += 4
    return ident, bool(flags & _ANSWER), found, place


def records(data, place):
    """Each record from a place on: (name, kind, ttl_s, value). Raises DnsError where one is cut off.

    value: PTR name, SRV (port, name), others bytes
    """
    for _ in range(min(_MOST, sum(struct.unpack(">HHH", data[6:_HEAD_BYTES])))):
        name, place = _read_name(data, place)
        kind = _number(data, place)
        size = _number(data, place + 8)
        end = place + 10 + size
        if end > len(data):
            raise DnsError("cut off")
        ttl_s = struct.unpack(">I", data[place + 4:place + 8])[0]
        yield name, kind, ttl_s, _value(data, place + 10, end, kind)
        place = end


def _value(data, place, end, kind):
    if kind == PTR:
        return _read_name(data, place)[0]
    if kind == SRV:
        return _number(data, place + 4), _read_name(data, place + 6)[0]
    if kind == A and end - place != 4:
        raise DnsError("an address of {} bytes".format(end - place))
    return data[place:end]


def _number(data, place):
    """16 bits."""
    if place + 2 > len(data):
        raise DnsError("cut off")
    return data[place] << 8 | data[place + 1]


def _read_name(data, place):
    """(name, place behind it). A jump leads back, each time further, so no chain of them is endless."""
    labels, behind, limit, size = [], 0, place, 0
    while True:
        if place >= len(data):
            raise DnsError("cut off")
        head = data[place]
        if head >= 0xC0:
            place, behind = _number(data, place) & 0x3FFF, behind or place + 2
            if place >= limit:
                raise DnsError("a name that leads in a circle")
            limit = place
        elif head > _LABEL_BYTES:
            raise DnsError("a label of an unknown kind")
        elif not head:
            return b".".join(labels).lower(), behind or place + 1
        else:
            labels.append(data[place + 1:place + 1 + head].replace(b".", _DOT))
            place += 1 + head
            size += 1 + head
            if size > _NAME_BYTES:
                raise DnsError("a name of more than {} bytes".format(_NAME_BYTES))


def _name(name):
    labels = [label.replace(b"\0", b".") for label in name.replace(_DOT, b"\0").split(b".")]
    if len(name) >= _NAME_BYTES or not all(0 < len(label) <= _LABEL_BYTES for label in labels):
        raise DnsError("{} is no name".format(name))
    return b"".join([bytes((len(label),)) + label for label in labels]) + b"\0"


def _asked(name, kind):
    return _name(name) + struct.pack(">HH", kind, _CLASS)
