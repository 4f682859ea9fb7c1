"""MQTT 3.1.1 packets, QoS 0 and 1: their bytes, their rules, and a parser that takes them in any split.

kind 4 bits, flags 4 bits | length 1-4 | what the kind wants;  big-endian; a text is length 2 | UTF-8
A packet is a tuple, its kind first:
  (CONNACK, is_present, code)   (PUBACK, ident)   (SUBACK, ident, codes)   (UNSUBACK, ident)   (PINGRESP,)
  (PUBLISH, topic, payload, qos, ident, is_dup, is_retained)    ident 0 with QoS 0; payload bytes, None: see Receiver
What only a server takes is in mqtt_server.py. Source: OASIS MQTT 3.1.1, chapters 2-4 and section 1.5.3.
"""
from struct import pack, unpack_from

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 1, 2, 3, 4, 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

ACCEPTED, BAD_VERSION, BAD_IDENT, UNAVAILABLE, BAD_LOGIN, NOT_ALLOWED = 0, 1, 2, 3, 4, 5     # codes of CONNACK
FAILED = 0x80                  # code of SUBACK
MOST_BYTES = 268435455         # behind the length, by the wire's own limit
_DUP, _RETAIN = 8, 1           # flags of PUBLISH


class MqttError(ValueError):
    """Raised for what cannot be MQTT, or has no place here; it ends the connection."""


def connect(client_id, username=None, password=None, keep_alive_s=60, will=None, is_clean=True):
    """CONNECT. password: text or bytes; keep_alive_s: 0 (never ask) to 65535; will: (topic, payload, qos, retain).

    Raises MqttError, and never tells the password.
    """
    flags, fields = 2 * bool(is_clean), [text(client_id)]
    if will:
        checked_topic(will[0])
        flags |= 4 | will[2] << 3 | bool(will[3]) << 5
        fields += [text(will[0]), text(will[1])]
    if username is not None:
        flags |= 128
        fields.append(text(username))
    if password is not None:
        if username is None:
            raise MqttError("a password needs a user")
        flags |= 64
        fields.append(text(password))
    return packet(CONNECT, b"\0\4MQTT\4" + pack(">BH", flags, keep_alive_s) + b"".join(fields))


def publish(topic, payload=b"", qos=0, ident=0, retain=False, dup=False):
    """PUBLISH. payload: bytes or text; qos: 0 or 1; ident: 1-65535 with QoS 1. Raises MqttError."""
    checked_topic(topic)
    payload = payload.encode() if isinstance(payload, str) else payload
    head = text(topic) + (pack(">H", ident) if qos else b"")
    return packet(PUBLISH, head, _DUP * bool(dup) | qos << 1 | bool(retain), payload)


def puback(ident):
    return packet(PUBACK, pack(">H", ident))


def packet(kind, head=b"", flags=0, rest=b""):
    """The bytes of a packet: its first byte, the length, and both parts behind. Raises MqttError."""
    size = len(head) + len(rest)
    if size > MOST_BYTES:
        raise MqttError("a packet takes {} bytes, got {}".format(MOST_BYTES, size))
    first, more = bytes((kind << 4 | flags,)), bytearray()
    while size > 127:
        more.append(size & 127 | 128)
        size >>= 7
    more.append(size)
    return b"".join((first, more, head, rest))


def text(value):
    """The bytes of a text or of bytes, behind their length. Raises MqttError."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) > 65535:
        raise MqttError("a text takes 65535 bytes, got {}".format(len(data)))
    return pack(">H", len(data)) + data


def checked_topic(topic):
    """The topic if one can publish on it. Raises MqttError."""
    if not topic or "#" in topic or "+" in topic or "\0" in topic:
        raise MqttError("a topic has no + # or NUL and is not empty, got {!r}".format(topic[:40]))
    return topic


# -- what comes in

def text_at(data, at):
    """(text, where it ends) of the text that begins there. Raises MqttError."""
    raw, end = bytes_at(data, at)
    try:
        text = str(raw, "utf-8")
    except UnicodeError:
        raise MqttError("a text is UTF-8")
    if "\0" in text or len(text) < len(raw) and not _is_strict(raw):
        raise MqttError("a text has no NUL, surrogate or overlong letter")
    return text, end


def bytes_at(data, at):
    """(bytes, where they end) behind a length of two bytes. Raises MqttError."""
    end = at + 2
    if end <= len(data):
        end += unpack_from(">H", data, at)[0]
    if end > len(data) or at + 2 > len(data):
        raise MqttError("a length points beyond its packet")
    return bytes(data[at + 2:end]), end


# by first byte, what the second one is at least and at most: RFC 3629, section 4
_STRICT = ((0xE0, 0xA0, 0xBF), (0xED, 0x80, 0x9F), (0xF0, 0x90, 0xBF), (0xF4, 0x80, 0x8F))


def _is_strict(data):
    """False for surrogates and for letters longer than need be: MicroPython takes them."""
    for at, byte in enumerate(data):
        if byte in (0xC0, 0xC1) or byte > 0xF4:
            return False
        for first, least, most in _STRICT:
            if byte == first and not least <= data[at + 1] <= most:
                return False
    return True


def ident_at(data, at=0):
    """The number of a packet, 1-65535. Raises MqttError."""
    if len(data) < at + 2 or not (data[at] or data[at + 1]):
        raise MqttError("a packet is numbered 1-65535")
    return unpack_from(">H", data, at)[0]


def _published(flags, data):
    topic, ident, at = publish_head(flags, data)
    return PUBLISH, topic, bytes(data[at:]), flags >> 1 & 3, ident, bool(flags & _DUP), bool(flags & _RETAIN)


def publish_head(flags, data):
    """(topic, ident, where the payload begins). Raises MqttError."""
    qos = flags >> 1 & 3
    if qos > 1 or flags & _DUP and not qos:
        raise MqttError("QoS is 0 or 1 here, and DUP not with 0, got flags {}".format(flags))
    topic, at = text_at(data, 0)
    return checked_topic(topic), ident_at(data, at) if qos else 0, at + 2 * qos


def _connack(flags, data):
    if len(data) != 2 or data[0] > 1:
        raise MqttError("CONNACK is two bytes")
    return CONNACK, bool(data[0]), data[1]


def _suback(flags, data):
    return SUBACK, ident_at(data), tuple(data[2:])


def numbered(kind):
    """Function that takes a packet of which there is only its number."""
    def taken(flags, data):
        if len(data) != 2:
            raise MqttError("a packet of kind {} is two bytes, got {}".format(kind, len(data)))
        return kind, ident_at(data)
    return taken


def bare(kind):
    """Function that takes a packet of which there is nothing more."""
    def taken(flags, data):
        if data:
            raise MqttError("a packet of kind {} is empty, got {} bytes".format(kind, len(data)))
        return (kind,)
    return taken


# kind: (flags it must have or None, function(flags, data) that gives the packet)
BOTH = {PUBLISH: (None, _published), PUBACK: (0, numbered(PUBACK))}
CLIENT = {CONNACK: (0, _connack), SUBACK: (0, _suback), UNSUBACK: (0, numbered(UNSUBACK)),
          PINGRESP: (0, bare(PINGRESP))}
CLIENT.update(BOTH)


class Receiver:
    """Takes bytes in any split, gives packets.

    takes: CLIENT, or SERVER of mqtt_server.py: the packets that this side takes
    most_bytes: of a packet behind its length. With is_skipping a longer PUBLISH comes with payload None, its bytes
    are dropped as they come; any other that is longer raises.
    """

    def __init__(self, takes, most_bytes=MOST_BYTES, is_skipping=False):
        self._takes, self._most, self._is_skipping = takes, most_bytes, is_skipping
        self._rest, self._at = b"", 0    # what is not taken yet begins there
        self._skip = 0                   # bytes still to be dropped

    def feed(self, data):
        """Generator of the packets that data completes; take them all. Raises MqttError, and again ever after."""
        dropped = min(self._skip, len(data))
        self._skip -= dropped
        self._trim(bytes(data[dropped:]))
        while not self._skip:
            found, end = self._packet(self._at)
            if found is None:
                break
            self._skip = max(0, end - len(self._rest))
            self._at = end               # now: who leaves the loop never comes back to a line behind the yield
            yield found
        self._trim(b"")

    def _trim(self, more):
        self._rest, self._at = self._rest[self._at:] + more, 0

    def _packet(self, at):
        """(packet, where it ends), (None, None) when some is missing yet."""
        rest = self._rest
        size, body = self._size(at + 1)
        if not body:
            return None, None
        kind, flags = rest[at] >> 4, rest[at] & 15
        needed, read = self._takes.get(kind, (None, None))
        if read is None or needed not in (None, flags):
            raise MqttError("no packet for this side: kind {}, flags {}".format(kind, flags))
        end = body + size
        if size > self._most:
            return self._long(kind, flags, body, end)
        if end > len(rest):
            return None, None
        return read(flags, memoryview(rest)[body:end]), end

    def _size(self, at):
        """(length that is told there, where it ends); (0, 0) when it is not whole."""
        size = 0
        for place in range(4):
            if at + place >= len(self._rest):
                return 0, 0
            byte = self._rest[at + place]
            size |= (byte & 127) << 7 * place
            if byte < 128:
                return size, at + place + 1
        raise MqttError("a length has four bytes at most")

    def _long(self, kind, flags, body, end):
        rest = memoryview(self._rest)[body:]
        if kind != PUBLISH or not self._is_skipping:
            raise MqttError("a packet takes {} bytes here, got {}".format(self._most, end - body))
        head = 4 + (unpack_from(">H", rest)[0] if len(rest) > 1 else 0)
        if head > self._most:
            raise MqttError("a topic of {} bytes".format(head - 4))
        if len(rest) < head:
            return None, None
        topic, ident, _ = publish_head(flags, rest[:head])
        return (PUBLISH, topic, None, flags >> 1 & 3, ident, bool(flags & _DUP), bool(flags & _RETAIN)), end


def __getattr__(name):
    """subscribe unsubscribe checked_filter matches: mqtt_filters.py, when wanted."""
    from . import mqtt_filters
    if name[:1] == "_" or not hasattr(mqtt_filters, name):
        raise AttributeError(name)
    return getattr(mqtt_filters, name)
