"""An MQTT client that keeps its link up: one task owns it, brings it up and declares it down.

    client = MqttClient(mqtt_session.Client("id", "user", "password"), lambda: ground.opened("broker", 1883))
    client.filters.append(("home/#", 1))
    client.on_message = print                      # (topic, payload); payload None: it was too large for us
    task = asyncio.create_task(client.run())
    await client.publish("home/lamp", b"on", 1)    # returns when the broker has it
"""
import asyncio
import random

from . import ground
from .ground import mqtt, now_ms

FIRST_S = 1                    # to the second try to connect; each further one comes twice as late
LONGEST_S = 60
STEADY_MS = 10000              # a link that was up so long begins with FIRST_S again


class Refused(OSError):
    """Raised inside when the server says no; code: of CONNACK."""

    def __init__(self, code):
        super().__init__("the server refuses: {}".format(_REASONS.get(code, code)))
        self.code = code


_REASONS = {1: "its MQTT is another version", 2: "client id", 3: "it is unavailable", 4: "user or password",
            5: "not authorised"}


def pause_s(tries, share, code=0):
    """Seconds before the next try. tries: 1 and up that failed; share: 0-1, by chance, so that a crowd spreads.

    code: of CONNACK; a wrong password is not tried so often.
    """
    longest_s = LONGEST_S if code in (mqtt.BAD_LOGIN, mqtt.NOT_ALLOWED) else FIRST_S << min(tries - 1, 6)
    return min(LONGEST_S, longest_s) * (0.5 + share / 2)


async def turn(event, timeout_ms):
    """Wait until somebody sets the event, at most so long; then it is clear again."""
    if not event.is_set():
        await ground.until(event, timeout_ms)
    event.clear()


class MqttClient:
    """session: a mqtt_session.Client; opened: coroutine function() that gives a link

    filters: pairs (filter, QoS) that each connection subscribes; state: "down" "up" "closed"
    on_message(topic, payload), on_up(is_present), on_down(error), on_room(): functions that do not wait, or None
    code: of the last CONNACK, None before; error: why it was down last; ups: how often it was up
    """

    def __init__(self, session, opened):
        self.session = session
        self.filters = []
        self.on_message = self.on_up = self.on_down = self.on_room = None
        self.state = "down"
        self.code = self.error = None
        self.ups = 0
        self._opened = opened
        self._acks = []                  # (ident, function(is_acked))
        self._wake = asyncio.Event()     # there is something to be sent, or an end
        self._hurry = asyncio.Event()    # do not wait before the next try
        self._rooms = []                 # events of who waits for room
        self._unsent = 0                 # publications with QoS 0 since all of them were on their way
        self._failure = None
        self._tries = 0
        self._up_ms = 0

    # -- what is said

    def is_up(self):
        return self.state == "up"

    def offer(self, topic, payload, qos=0, retain=False, done=None):
        """False when there is no room, or no link for QoS 0. done(): the server has it. Raises MqttError."""
        if not qos and not self.is_up():
            return False
        ident = self.session.publish(topic, payload, qos, retain)
        if ident is None:
            return False
        if not ident:
            self._unsent += 1
        elif done:
            self._acks.append((ident, done))
        self._wake.set()
        if done and not ident:
            done()
        return True

    def room(self):
        """How many more publications may be under way; those with QoS 0 until they are written."""
        return self.session.room() - self._unsent

    async def publish(self, topic, payload, qos=0, retain=False):
        """Returns when the server has it; with QoS 0 when it is on its way. Waits for room and for the link."""
        has_it = asyncio.Event()
        while not self.offer(topic, payload, qos, retain, has_it.set):
            await self._room()
        await has_it.wait()

    async def _room(self):
        event = asyncio.Event()
        self._rooms.append(event)
        try:
            await event.wait()
        finally:
            self._rooms.remove(event)

    def subscribe(self, name, qos=0):
        """From now on, and after each connect."""
        wanted = mqtt.checked_filter(name), qos
        if wanted not in self.filters:
            self.filters.append(wanted)
            if self.is_up():
                self.session.subscribe(wanted)
                self._wake.set()

    def close(self):
        """Say DISCONNECT and end; run() returns when that is said."""
        self.session.close()
        self.state = "closed"
        self._wake.set()
        self._hurry.set()

    def reopen(self):
        """Undo close(): run() may be called again, in another loop too."""
        self.state, self._tries = "down", 0
        self._wake, self._hurry = asyncio.Event(), asyncio.Event()

    # -- the owner of the link

    async def run(self):
        """Keep the link up until close(). Passes cancellation on."""
        while self.state != "closed":
            try:
                await self._connected()
            except (OSError, mqtt.MqttError, asyncio.TimeoutError) as error:
                self._went_down(error)
            except Exception as error:       # outer wall: a fault of ours must not end the link for ever
                ground.blame("link", error)
                self._went_down(error)
            if self.state != "closed":
                await turn(self._hurry, int(1000 * pause_s(self._tries, random.random(), self.code or 0)))

    async def _connected(self):
        link = await asyncio.wait_for(self._opened(), ground.OPEN_S)
        reading = None
        self._failure = None
        try:
            self.session.open(now_ms())
            # before anybody reads: the handshake of TLS inside of it reads, too, and only one may wait
            await asyncio.wait_for(link.write(self.session.take()), ground.WRITE_S)
            reading = asyncio.create_task(self._read(link))
            while True:
                wait_ms = 0 if self.state == "closed" else self.session.tick(now_ms())
                data = self.session.take(ground.SEND_BYTES)
                if data:
                    await asyncio.wait_for(link.write(data), ground.WRITE_S)
                elif self.state == "closed":
                    return
                elif self._failure:
                    raise self._failure
                elif self._unsent:
                    self._unsent = 0
                    self._has_room()
                else:
                    await turn(self._wake, wait_ms)
        finally:
            if reading:
                reading.cancel()
            link.close()
            self.session.lost()
            self._unsent = 0

    def _went_down(self, error):
        was_up, self.error = self.is_up(), error
        if was_up and now_ms() - self._up_ms & 0x3FFFFFFF > STEADY_MS:
            self._tries = 0
        self._tries += 1
        if self.state != "closed":
            self.state = "down"
        if isinstance(error, Refused):
            self.code = error.code
        self._tell(self.on_down, error)

    async def _read(self, link):
        try:
            while True:
                data = await link.read()
                if not data:
                    raise OSError("the server has closed the connection")
                for packet in self.session.feed(data, now_ms()):
                    self._heard(packet)
                self._wake.set()
        except Exception as error:           # whatever it is, the owner of the link has to know
            self._failure = error
            self._wake.set()

    def _heard(self, packet):
        kind = packet[0]
        if kind == mqtt.PUBLISH:
            self._tell(self.on_message, packet[1], packet[2])
        elif kind == mqtt.PUBACK:
            self._acked(packet[1])
        elif kind == mqtt.CONNACK:
            self._answered(packet[1], packet[2])

    def _answered(self, is_present, code):
        self.code = code
        if code:
            raise Refused(code)
        if self.state == "closed":
            return
        self.state, self._up_ms = "up", now_ms()
        self.ups += 1
        if self.filters:
            self.session.subscribe(*self.filters)
        self._tell(self.on_up, is_present)
        self._has_room()

    def _acked(self, ident):
        for row in self._acks:
            if row[0] == ident:
                self._acks.remove(row)
                self._tell(row[1])
                break
        self._has_room()

    def _has_room(self):
        for event in self._rooms:
            event.set()
        self._tell(self.on_room)

    def _tell(self, hook, *words):
        if hook:
            try:
                hook(*words)
            except Exception as error:       # outer wall: a guest must not bring the link down
                ground.blame("hook", error)
