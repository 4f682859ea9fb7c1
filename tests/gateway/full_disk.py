"""An engine on a disk of 40 MB that is really full: at its start, and while it works.

    python -m tests.gateway.full_disk FOLDER        the disk is mounted there already; prints what was seen as JSON

The disk is a tmpfs in a mount namespace of its own, so nobody else sees it. Source of the calls: unshare(1), tmpfs(5).
"""
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import paho.mqtt.client as paho

from tests.toolkit.foreign import free_port
from toolkit.gateway import engine as machinery
from toolkit.gateway.engine import MIB, Engine, EngineFullError, Store
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.mqtt_readings import Readings
from toolkit.gateway.nats_server import EmbeddedServer, Limits

ROOT = Path(__file__).parents[2]
TABLE = Store("table", 30 * MIB, per_key=1)
PIECE = b"x" * 100_000
ROOM = 2 * MIB
PATIENCE_S = 40
UNHEARD_S = 2.0
MOUNT = 'mount -t tmpfs -o size=40m tmpfs "$1" && exec "$2" -m tests.gateway.full_disk "$1"'


def run_apart():
    """What main() says; None where no such disk can be had."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["unshare", "-m", "sh", "-c", MOUNT, "sh", folder, sys.executable], cwd=ROOT, text=True,
                              capture_output=True, timeout=4 * PATIENCE_S)
    if "mount:" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def fill(ballast, room=0):
    """Until nothing has place but `room` bytes."""
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(PIECE):
            pass
    os.truncate(ballast, ballast.stat().st_size - room)


async def until(is_so):
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.05)


async def main(folder):
    """{"start": state and why, "bound": words, "writes", "readings": [acknowledged, kept]}"""
    ballast, port = folder / "ballast", free_port()
    server = EmbeddedServer(folder / "engine", f"127.0.0.1:{port}", {"node": "secret"}, Limits(file_bytes=60 * MIB))
    engine = Engine(None, server)
    engine.declare(TABLE)
    fill(ballast)
    await engine.start()
    said = {"start": [engine.state, engine.why]}
    ballast.unlink()
    try:
        await engine.wait_up()
        said["readings"] = await readings(engine, ballast, port)
        said["bound"], said["writes"] = await writes(engine, ballast)
    finally:
        await engine.stop()
    return said


async def readings(engine, ballast, port):
    """[what was acknowledged by MQTT up to the end of the disk, what the history is given of it]"""
    await taken(engine, lambda levels: True)
    acknowledged = await asyncio.to_thread(spoken, port, lambda: fill(ballast, ROOM))
    ballast.unlink()
    levels = await taken(engine, set(acknowledged).issubset)
    return [len(acknowledged), len(set(acknowledged) & set(levels))]


async def taken(engine, is_enough):
    levels = []

    async def take(_, __, values):
        levels.append(int(values["lamp.level"]))

    source = Readings(engine, take)
    chore = asyncio.create_task(source.run())
    await until(lambda: source.are_taken and is_enough(levels))
    await machinery.ended([chore])
    return levels


def spoken(port, when_in):
    """Levels that were acknowledged, until one is not."""
    acknowledged, is_up = [], threading.Event()
    node = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="node")
    node.username_pw_set("node", "secret")
    node.on_connect = lambda *_: is_up.set()
    node.connect("127.0.0.1", port)
    node.loop_start()
    assert is_up.wait(PATIENCE_S)
    when_in()
    for level in range(400):
        told = node.publish("micros/micrX1OS/lamp/state", json.dumps({"level": level, "text": "x" * len(PIECE)}), 1)
        told.wait_for_publish(UNHEARD_S)
        if not told.is_published():
            break
        acknowledged.append(level)
    node.loop_stop()
    return acknowledged


async def writes(engine, ballast):
    """(words at the bound that leaves room to others, [what was acknowledged without it to the end, what is kept])"""
    acknowledged, words = [], ""
    await again(engine)
    fill(ballast, ROOM)
    try:
        await engine.put(TABLE, "refused", PIECE)
    except EngineFullError as error:
        words = str(error)
    engine._embedded._limits = Limits(spare_bytes=0)
    with contextlib.suppress(UnavailableError):
        for number in range(400):
            await engine.put(TABLE, f"k.{number}", PIECE)
            acknowledged.append(f"k.{number}")
    ballast.unlink()
    await again(engine)
    return words, [len(acknowledged), len([key for key in acknowledged if await engine.get(TABLE, key)])]


async def again(engine):
    """There is room again: it goes on, by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(UnavailableError):
                await engine.put(TABLE, "again", b"1")
                return
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    machinery.STUCK_S = 2.0          # the patience is for a busy server, and this one has nothing else to do
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
