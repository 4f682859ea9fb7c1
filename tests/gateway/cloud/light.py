"""A thing for these tests: blocking, over the client's side of pure/mqtt, without an agent's manners."""
import asyncio
import contextlib
import json
import socket
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass

from micrOS.source.pure import mqtt, mqtt_session, tr50
from tests.cloud.responder import eventually
from tests.gateway.running import running_gateway
from toolkit.gateway.cloud.samples import SAMPLES
from toolkit.gateway.cloud.settings import CloudSettings
from toolkit.gateway.engine import escaped
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.settings import Settings

WAIT_S = 30.0
PARTS = ("api", "engine", "cloud")


@dataclass(frozen=True)
class WithCloud(Settings):
    cloud: CloudSettings | None = None


@contextmanager
def running_cloud(folder, engine="off", parts=PARTS, more=None, **cloud):
    """A gateway whose cloud listens at a free port: Running, with .port of its MQTT door and .cloud."""
    import tests.gateway.running as running

    settings = CloudSettings(**{"mqtt": 0, "mqtts": 0, "https": 0, **cloud})
    before, running.Settings = running.Settings, WithCloud
    try:
        with running_gateway(folder, parts=parts, engine=engine, cloud=settings, **(more or {})) as made:
            made.cloud = made.app.state.cloud
            loop = made.cloud.files._chore.get_loop()
            made.kick = lambda key: loop.call_soon_threadsafe(made.cloud.door.kick, key)
            made.do = lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(WAIT_S)
            made.port = made.cloud.door.ports["mqtt"]
            yield made
    finally:
        running.Settings = before


class Light:
    """One connection. received: (topic, payload) that nobody has asked for yet."""

    def __init__(self, port, key, token, client_id=None, host="127.0.0.1", context=None, keep_alive_s=60):
        self.key = key
        self.socket = socket.create_connection((host, port), WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.session = mqtt_session.Client(client_id or key, key, token, keep_alive_s)
        self.session.open(now_ms())
        self.number = 0
        self.received = []
        self.code = None
        self.is_acking = True
        self._flush()

    def hello(self):
        """Code of the CONNACK, None when the door was shut without."""
        self._until(lambda: self.code is not None)
        return self.code

    def send(self, *commands, number=None, qos=1, is_dup=False):
        """Topic of the reply. commands: (name, params); is_dup: as an agent sends again what was not acknowledged"""
        self.number = number or self.number + 1
        topic, payload = tr50.api_topic(self.number), tr50.request(commands)
        if is_dup:
            self.raw(mqtt.publish(topic, payload, 1, 60_000, dup=True))
        else:
            self.session.publish(topic, payload, qos)
            self._flush()
        return f"reply/{self.number:04d}"

    def ask(self, name, /, **params):
        """The entry of the reply to one command."""
        return self.asked((name, params))["1"]

    def asked(self, *commands, **options):
        topic = self.send(*commands, **options)
        return json.loads(self.heard(topic))

    def heard(self, topic):
        """Payload of the next publication on a topic."""
        self._until(lambda: any(row[0] == topic for row in self.received))
        row = next(row for row in self.received if row[0] == topic)
        self.received.remove(row)
        return row[1]

    def notified(self):
        return json.loads(self.heard("notify/mailbox_activity"))

    def mails(self):
        return self.ask("mailbox.check", autoComplete=False)["params"]["messages"]

    def is_shut(self):
        """True when the cloud has closed the connection."""
        try:
            self._until(lambda: False)
        except (EOFError, OSError):
            return True
        except TimeoutError:
            return False
        return False

    def raw(self, data):
        self.socket.sendall(data)

    def close(self):
        self.socket.close()

    def __enter__(self):
        try:
            assert self.hello() == 0
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _until(self, is_so):
        deadline = time.monotonic() + WAIT_S
        while not is_so():
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the cloud has closed the connection")
            for packet in self.session.feed(data, now_ms()):
                if packet[0] == mqtt.CONNACK:
                    self.code = packet[2]
                elif packet[0] == mqtt.PUBLISH:
                    self.received.append((packet[1], packet[2]))
            self._flush()

    def _flush(self):
        data = self.session.take()
        if not self.is_acking:           # as if the link broke just before: no PUBACK gets out
            data = b"" if data[:1] == b"\x40" else data
        if data:
            self.socket.sendall(data)


def kept(running, key, name):
    """Values of a property as they lie in the log, in the order in which they came; who reads them over REST does not
    see what is there twice.
    """
    async def found():
        rows = [json.loads(entry.value) async for entry in running.cloud.vault.scan(SAMPLES, escaped(key))]
        return [item["value"] for row in rows for item in row["items"] if item.get("key") == name]

    def looked():
        with contextlib.suppress(UnavailableError):          # an engine that is busy
            return [running.do(found())]

    return eventually(looked)[0]


def greeted(port, key, token, **options):
    """Code of the CONNACK that such a client gets."""
    light = Light(port, key, token, **options)
    try:
        return light.hello()
    finally:
        light.close()


def thrown(port, data):
    """All that the door says to these bytes before it closes."""
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as link:
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: link.recv(65536), b""))


def trusted(certificate):
    return ssl.create_default_context(cafile=certificate)


def now_ms():
    return int(time.monotonic() * 1000)
