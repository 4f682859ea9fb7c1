"""Programs that nobody here wrote: paho as a thing of our server's role, mosquitto as the broker of our client."""
import asyncio
import shutil
import socket
import subprocess
import threading

import pytest

from micrOS.source.cloud import ground
from micrOS.source.cloud.mqtt_client import MqttClient, pause_s
from micrOS.source.pure import mqtt, mqtt_session, tr50
from tests.cloud.responder import TOKEN, eventually

paho = pytest.importorskip("paho.mqtt.client")


def test_paho_asks_our_server_and_hears_what_it_never_subscribed(cloud):
    heard, acked = [], threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "a-thing")
    client.username_pw_set("a-thing", TOKEN)
    client.on_message = lambda *words: heard.append((words[2].topic, words[2].payload))
    client.on_publish = lambda *_: acked.set()
    client.on_connect = lambda *_: client.publish("api/0001", tr50.request([tr50.diag_ping()]), 1)
    client.connect("127.0.0.1", cloud.port, 5)
    client.loop_start()
    try:
        eventually(lambda: heard)
        assert heard == [("reply/0001", b'{"1":{"success":true}}')] and acked.wait(5)
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def broker(tmp_path):
    """Function that starts mosquitto anew on the port of this test; it ends with the test."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin")
    if program is None:
        pytest.skip("no mosquitto")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    (tmp_path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    running = []

    def start():
        for old in running:
            old.kill()
            old.wait()
        running[:] = [subprocess.Popen([program, "-c", str(tmp_path / "conf")], stderr=subprocess.DEVNULL)]
        eventually(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        return port

    yield start
    for old in running:
        old.kill()
        old.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_our_client_publishes_and_hears_through_mosquitto_over_its_death(broker):
    port = broker()

    def client(name, **how):
        made = MqttClient(mqtt_session.Client(name, **how), lambda: ground.opened("127.0.0.1", port))
        return made, asyncio.create_task(made.run())

    async def talk():
        heard = []
        listener, hearing = client("listener")
        listener.subscribe("home/#", 1)
        listener.on_message = lambda topic, payload: heard.append((topic, payload))
        speaker, speaking = client("speaker", will=("home/speaker", b"gone", 1, False))

        async def came(count):
            while len(heard) < count:
                await asyncio.sleep(0.01)

        await speaker.publish("home/lamp", b"on", 1, True)
        await came(1)
        broker()
        while listener.ups < 2 or not listener.is_up():
            await asyncio.sleep(0.01)
        await speaker.publish("home/lamp", b"off", 1)
        await came(2)
        speaking.cancel()                # without a word: the will is told
        await came(3)
        listener.close()
        await hearing
        return heard

    heard = asyncio.run(asyncio.wait_for(talk(), 30))
    assert heard == [("home/lamp", b"on"), ("home/lamp", b"off"), ("home/speaker", b"gone")]


def test_pauses_between_tries_double_and_spread():
    assert [pause_s(tries, 1) for tries in (1, 2, 3, 6, 7, 50)] == [1, 2, 4, 32, 60, 60]
    assert pause_s(1, 0) == 0.5 and pause_s(1, 1, mqtt.NOT_ALLOWED) == 60
