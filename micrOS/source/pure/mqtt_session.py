"""An MQTT session without its socket: numbers, what is under way, keep-alive, and the client's side of it.

Bytes go in by feed(), packets come out of it; bytes to be sent lie in take(). The server's side is mqtt_server.py.
now_ms: whole milliseconds of any clock that counts up; time.ticks_ms() will do, differences are modulo 2 ** 30.
"""
from . import mqtt
from .mqtt import MqttError

WINDOW = 20                    # publications with QoS 1 that may be under way
PACKET_BYTES = 65536           # of a packet that is taken in, by default
ANSWER_MS = 10000              # for CONNACK and PINGRESP, and for CONNECT at the server
_NEVER_MS = 3600000            # nothing is to be done for so long, at least
_CLOCK = (1 << 30) - 1


def passed_ms(then_ms, now_ms):
    return now_ms - then_ms & _CLOCK


class Session:
    """What both sides have. in_flight: list of [ident, topic, payload, is_retained] sent with QoS 1, in their order."""

    def __init__(self, takes, window, most_bytes, is_skipping):
        self.in_flight = []
        self._takes, self._window, self._most, self._is_skipping = takes, window, most_bytes, is_skipping
        self._ident = 0                  # the number given last
        self._out = []
        self._begin(0)

    def _begin(self, now_ms):
        self._receiver = mqtt.Receiver(self._takes, self._most, self._is_skipping)
        self._out = []
        self._begun_ms = self._heard_ms = now_ms

    def take(self, most_bytes=mqtt.MOST_BYTES):
        """The bytes to be sent now; b"": none. Whole packets, so many bytes of them, but one at least."""
        count, size = 0, 0
        for packet in self._out:
            size += len(packet)
            if count and size > most_bytes:
                break
            count += 1
        data = self._out[0] if count == 1 else b"".join(self._out[:count])
        self._out = self._out[count:]
        return data

    def room(self):
        """How many more publications with QoS 1 may be under way."""
        return self._window - len(self.in_flight)

    def publish(self, topic, payload=b"", qos=0, retain=False):
        """Number of the publication, 0 with QoS 0; None when there is no room for it. Raises MqttError."""
        if not qos:
            self._out.append(mqtt.publish(topic, payload, retain=retain))
            return 0
        if self.room() <= 0:
            return None
        ident = self._next()
        data = mqtt.publish(topic, payload, qos, ident, retain)
        self.in_flight.append([ident, topic, payload, retain])
        if self._is_up():
            self._out.append(data)
        return ident

    def _next(self):
        taken = [row[0] for row in self.in_flight]
        self._ident = self._ident % 65535 + 1
        while self._ident in taken:
            self._ident = self._ident % 65535 + 1
        return self._ident

    def _again(self):
        """Send once more what was never acknowledged."""
        for ident, topic, payload, retain in self.in_flight:
            self._out.append(mqtt.publish(topic, payload, 1, ident, retain, True))

    def feed(self, data, now_ms):
        """Generator of the packets in it that are news; take them all. Raises MqttError.

        A publication is acknowledged when the next packet is asked for: who could not keep it leaves the loop.
        """
        self._heard_ms = now_ms
        for packet in self._receiver.feed(data):
            self._check(packet[0])
            if packet[0] == mqtt.PUBACK:
                self.in_flight = [row for row in self.in_flight if row[0] != packet[1]]
            if self._seen(packet, now_ms):
                yield packet
            if packet[0] == mqtt.PUBLISH and packet[3]:
                self._out.append(mqtt.puback(packet[4]))


class Client(Session):
    """state: "idle", "opening" (CONNECT is out), "up" """

    def __init__(self, client_id, username=None, password=None, keep_alive_s=60, will=None, is_clean=True,
                 window=WINDOW, most_bytes=PACKET_BYTES):
        self.state = "idle"
        self.keep_alive_ms = 1000 * keep_alive_s
        self._hello = mqtt.connect(client_id, username, password, keep_alive_s, will, is_clean)
        self._is_asking = False          # True: CONNECT or PINGREQ waits for its answer
        self._asked_ms = 0               # when the last of these went out
        super().__init__(mqtt.CLIENT, window, most_bytes, True)

    def _is_up(self):
        return self.state == "up"

    def open(self, now_ms):
        """A connection is there: say CONNECT."""
        self._begin(now_ms)
        self.state, self._is_asking, self._asked_ms = "opening", True, now_ms
        self._out.append(self._hello)

    def lost(self):
        """The connection is gone; what was under way is sent again after the next open()."""
        self.state, self._out = "idle", []

    def close(self):
        """Say DISCONNECT: the server forgets the will."""
        if self.state == "up":
            self._out.append(mqtt.packet(mqtt.DISCONNECT))
        self.state = "idle"

    def subscribe(self, *wanted):
        """Number that its SUBACK will have. wanted: pairs (filter, qos). Raises MqttError."""
        ident = self._next()
        self._out.append(mqtt.subscribe(ident, wanted))
        return ident

    def unsubscribe(self, *filters):
        ident = self._next()
        self._out.append(mqtt.unsubscribe(ident, filters))
        return ident

    def _check(self, kind):
        if (kind == mqtt.CONNACK) != (self.state == "opening"):
            raise MqttError("a packet of kind {} while {}".format(kind, self.state))

    def _seen(self, packet, now_ms):
        """True when it is news: CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK."""
        if packet[0] == mqtt.CONNACK and packet[2] == mqtt.ACCEPTED:
            self.state, self._is_asking = "up", False
            self._again()
        if packet[0] == mqtt.PINGRESP:
            self._is_asking = False
        return packet[0] != mqtt.PINGRESP

    def tick(self, now_ms):
        """Milliseconds up to the next tick(). Raises MqttError when the server has gone silent."""
        if self._is_asking:
            left_ms = ANSWER_MS - passed_ms(self._asked_ms, now_ms)
            if left_ms <= 0:
                raise MqttError("no answer in {} ms".format(ANSWER_MS))
            return left_ms
        if not self.keep_alive_ms:
            return _NEVER_MS
        left_ms = self.keep_alive_ms - passed_ms(self._asked_ms, now_ms)
        if left_ms > 0:
            return left_ms
        # whatever else was said: only an answer shows that the link is alive
        self._out.append(mqtt.packet(mqtt.PINGREQ))
        self._is_asking, self._asked_ms = True, now_ms
        return min(ANSWER_MS, self.keep_alive_ms)
