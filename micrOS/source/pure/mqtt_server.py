"""The server's side of an MQTT session: what only a server takes and says, and one client as it sees it.

Packets beside those of mqtt.py:
  (CONNECT, client_id, username, password, keep_alive_s, is_clean, will)    None for what is not there; password bytes;
                                                                            will (topic, payload, qos, is_retained)
  (SUBSCRIBE, ident, [(filter, qos)])   (UNSUBSCRIBE, ident, [filter])   (PINGREQ,)   (DISCONNECT,)
"""
from struct import pack, unpack_from

from . import mqtt
from .mqtt import MqttError
from .mqtt_session import ANSWER_MS, PACKET_BYTES, WINDOW, Session, passed_ms


class VersionError(MqttError):
    """Raised for a version of MQTT that is not 3.1.1; the client is told BAD_VERSION."""


def connack(code=mqtt.ACCEPTED, is_present=False):
    return mqtt.packet(mqtt.CONNACK, bytes((is_present and not code, code)))


def suback(ident, codes):
    """SUBACK. codes: for each filter the QoS that it gets, or FAILED."""
    return mqtt.packet(mqtt.SUBACK, pack(">H", ident) + bytes(codes))


def _connect(_, data):
    name, at = mqtt.text_at(data, 0)
    if name not in ("MQTT", "MQIsdp") or len(data) < at + 4:
        raise MqttError("CONNECT begins with MQTT, got {!r}".format(name[:8]))
    level, flags, keep_alive_s = unpack_from(">BBH", data, at)
    if name != "MQTT" or level != 4:
        raise VersionError("MQTT 3.1.1 is level 4, got {} {}".format(name, level))
    _check_flags(flags)
    client_id, at = mqtt.text_at(data, at + 4)
    will = username = password = None
    if flags & 4:
        topic, at = mqtt.text_at(data, at)
        message, at = mqtt.bytes_at(data, at)
        will = mqtt.checked_topic(topic), message, flags >> 3 & 3, bool(flags & 32)
    if flags & 128:
        username, at = mqtt.text_at(data, at)
    if flags & 64:
        password, at = mqtt.bytes_at(data, at)
    if at != len(data):
        raise MqttError("CONNECT has {} bytes too many".format(len(data) - at))
    return mqtt.CONNECT, client_id, username, password, keep_alive_s, bool(flags & 2), will


def _check_flags(flags):
    """Section 3.1.2: bit 0 is 0, no will is all 0, a will has QoS 0-2, no password without a user."""
    if flags & 1 or not flags & 4 and flags & 0x38 or flags >> 3 & 3 == 3 or flags & 0xC0 == 0x40:
        raise MqttError("flags of CONNECT: 0x{:02x}".format(flags))


def _subscribe(_, data):
    wanted, at = [], 2
    ident = mqtt.ident_at(data)
    while at < len(data):
        name, at = mqtt.text_at(data, at)
        if at >= len(data) or data[at] > 2:
            raise MqttError("a filter is followed by a QoS of 0-2")
        wanted.append((mqtt.checked_filter(name), data[at]))
        at += 1
    return mqtt.SUBSCRIBE, ident, _some(wanted)


def _unsubscribe(_, data):
    filters, at = [], 2
    ident = mqtt.ident_at(data)
    while at < len(data):
        name, at = mqtt.text_at(data, at)
        filters.append(mqtt.checked_filter(name))
    return mqtt.UNSUBSCRIBE, ident, _some(filters)


def _some(items):
    if not items:
        raise MqttError("at least one filter")
    return items


SERVER = {mqtt.CONNECT: (0, _connect), mqtt.SUBSCRIBE: (2, _subscribe), mqtt.UNSUBSCRIBE: (2, _unsubscribe),
          mqtt.PINGREQ: (0, mqtt.bare(mqtt.PINGREQ)), mqtt.DISCONNECT: (0, mqtt.bare(mqtt.DISCONNECT))}
SERVER.update(mqtt.BOTH)


class Served(Session):
    """One connection of a client. state: "new", "asking" (said CONNECT, waits for accept), "up", "gone"

    feed() gives CONNECT: answer with accept() or refuse(); SUBSCRIBE: answer with granted(); UNSUBSCRIBE: is answered;
    PUBLISH: is acknowledged when the next packet is asked for; PUBACK; DISCONNECT: the will is void.
    """

    def __init__(self, now_ms, window=WINDOW, most_bytes=PACKET_BYTES):
        self.state = "new"
        self._keep_alive_ms = 0
        super().__init__(SERVER, window, most_bytes, False)
        self._begin(now_ms)

    def _is_up(self):
        return self.state == "up"

    def accept(self, is_present=False, in_flight=()):
        """Let it in. in_flight: that of its session before; it is sent again."""
        self.state = "up"
        self._out.append(connack(mqtt.ACCEPTED, is_present))
        self.in_flight = list(in_flight)
        self._again()

    def refuse(self, code):
        """code: BAD_VERSION to NOT_ALLOWED. Close the connection when it is sent."""
        self.state = "gone"
        self._out.append(connack(code))

    def granted(self, ident, codes):
        self._out.append(suback(ident, codes))

    def _check(self, kind):
        if (kind == mqtt.CONNECT) != (self.state == "new") or self.state in ("asking", "gone"):
            raise MqttError("a packet of kind {} while {}".format(kind, self.state))

    def _seen(self, packet, now_ms):
        kind = packet[0]
        if kind == mqtt.CONNECT:
            self.state, self._keep_alive_ms = "asking", 1500 * packet[4]
        elif kind == mqtt.DISCONNECT:
            self.state = "gone"
        elif kind == mqtt.UNSUBSCRIBE:
            self._out.append(mqtt.packet(mqtt.UNSUBACK, pack(">H", packet[1])))
        elif kind == mqtt.PINGREQ:
            self._out.append(mqtt.packet(mqtt.PINGRESP))
        return kind != mqtt.PINGREQ

    def feed(self, data, now_ms):
        """As Session.feed(); a client of another version is told so before it raises VersionError."""
        try:
            for packet in super().feed(data, now_ms):
                yield packet
        except VersionError:
            self.refuse(mqtt.BAD_VERSION)
            raise

    def tick(self, now_ms):
        """Milliseconds up to the next tick(). Raises MqttError when the client said nothing for 1.5 keep-alives."""
        is_up = self.state == "up"
        limit_ms = self._keep_alive_ms if is_up else ANSWER_MS
        if not limit_ms:
            return ANSWER_MS
        left_ms = limit_ms - passed_ms(self._heard_ms if is_up else self._begun_ms, now_ms)
        if left_ms <= 0:
            raise MqttError("silent for {} ms".format(limit_ms))
        return left_ms
