"""The engine: its own server, shared and taken over; what is kept, and what is said when it is not."""
import asyncio
import os
import shutil
import signal
import socket
import stat
from pathlib import Path

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client

from tests.gateway import full_disk
from tests.gateway.fleet_fakes import cluster, running
from tests.toolkit.foreign import free_port
from toolkit.gateway.engine import MIB, ConflictError, Engine, EngineFullError, Store, built
from toolkit.gateway.errors import UnavailableError
from toolkit.gateway.nats_server import CONFIG, FACTS, SECRET, EmbeddedServer, Limits
from toolkit.gateway.settings import Settings

TABLE = Store("table", MIB)
LOG = Store("log", MIB, 3600, is_log=True, per_key=100)


def with_engine(folder: Path, test, **options):
    """What the coroutine function test(engine) returns."""
    async def run():
        engine = Engine(None, EmbeddedServer(folder / "engine", **options))
        engine.declare(TABLE, LOG)
        await engine.start()
        try:
            return await test(engine)
        finally:
            await engine.stop()

    return asyncio.run(run())


async def until(is_so, timeout_s: float = 20):
    async with asyncio.timeout(timeout_s):
        while not is_so():
            await asyncio.sleep(0.02)


def test_tables_and_logs(tmp_path):
    async def use(engine):
        first = await engine.swap(TABLE, "a.b", b"1", 0)
        with pytest.raises(ConflictError):
            await engine.swap(TABLE, "a.b", b"2", 0)
        await engine.swap(TABLE, "a.b", b"2", first)
        assert (await engine.get(TABLE, "a.b")).value == b"2"
        assert await engine.get(TABLE, "a.c") is None
        for number in range(120):
            await engine.put(LOG, "x", str(number).encode(), message_id=str(number // 2))
        assert [int(entry.value) for entry in [each async for each in engine.scan(LOG, "x")]] == list(range(0, 120, 2))
        assert await engine.js.consumers_info(LOG.stream) == []          # who reads leaves nothing behind
        assert await engine.keys(TABLE) == ["a.b"] and await engine.keys(TABLE, "*.c") == []
        await engine.remove(TABLE, "a.>")
        assert await engine.get(TABLE, "a.b") is None

    with_engine(tmp_path, use)


def test_what_was_acknowledged_outlives_a_kill_of_the_server(tmp_path):
    async def use(engine):
        for number in range(50):
            await engine.put(TABLE, f"k.{number}", b"v")
        os.kill(engine._embedded._process.pid, signal.SIGKILL)
        await until(lambda: engine.state == "down")
        with pytest.raises(UnavailableError, match="the engine is down"):
            await engine.put(TABLE, "k.0", b"w")
        await until(lambda: engine.state == "up")
        assert len(await engine.keys(TABLE)) == 50

    with_engine(tmp_path, use)


def test_what_is_kept_outlives_the_end_of_its_engine(tmp_path):
    async def write(engine):
        await asyncio.gather(*(engine.put(LOG, "x", str(number).encode()) for number in range(20)))

    async def read(engine):
        return sorted([int(entry.value) async for entry in engine.scan(LOG, "x")])

    with_engine(tmp_path, write)
    assert with_engine(tmp_path, read) == list(range(20))


def test_a_second_gateway_shares_the_server_and_takes_over(tmp_path):
    async def use(engine):
        second = Engine(None, EmbeddedServer(tmp_path / "engine"))
        second.declare(TABLE)
        try:
            await second.start()
            assert second.state == "up" and not second._embedded.is_owner
            await engine.put(TABLE, "a", b"1")
            await engine.stop()
            await until(lambda: second._embedded.is_owner)
            await until(lambda: second.state == "up")
            assert (await second.get(TABLE, "a")).value == b"1"
        finally:
            await second.stop()

    with_engine(tmp_path, use)


def test_a_server_whose_gateway_was_killed_is_used_on(tmp_path):
    orphan = EmbeddedServer(tmp_path / "engine")
    address = orphan.ensure()
    orphan._lock.close()                     # as the system does it for a process that is killed

    async def use(engine):
        assert engine.state == "up" and engine._address == [address]
        assert engine._embedded._process is None

    with_engine(tmp_path, use)
    assert orphan._process.wait(10) is not None      # and ends with the gateway that took it on


def test_nobody_else_on_the_machine_may_use_it(tmp_path):
    async def use(engine):
        host, port = engine._address[0].removeprefix("nats://").split(":")
        with socket.create_connection((host, int(port)), 5) as link:
            link.sendall(b'CONNECT {"user": "gateway", "pass": "guess"}\r\nPING\r\n')
            said = await asyncio.to_thread(lambda: b"".join(iter(lambda: link.recv(4096), b"")))
        assert b"Authorization Violation" in said and b"PONG" not in said

    with_engine(tmp_path, use)
    folder = tmp_path / "engine"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in (CONFIG, SECRET, FACTS)} == {0o600}


def test_a_full_store_refuses_in_words_and_keeps_what_it_has(tmp_path):
    async def use(engine):
        with pytest.raises(EngineFullError, match="the engine is full .*free disk space"):
            for number in range(100):
                await engine.put(TABLE, f"k.{number}", b"x" * 100_000)
        kept = await engine.keys(TABLE)
        assert 5 < len(kept) < 12
        assert all([(await engine.get(TABLE, key)).value for key in kept])

    with_engine(tmp_path, use)


def test_a_full_disk_refuses_in_words_and_reading_goes_on(tmp_path):
    limits = Limits()

    async def use(engine):
        await engine.put(TABLE, "a", b"1")
        engine._embedded._limits = Limits(spare_bytes=shutil.disk_usage(tmp_path).free + 1024 * MIB)
        with pytest.raises(EngineFullError, match="the engine's disk is full: .* free some, and it goes on"):
            await engine.put(TABLE, "a", b"2")
        assert (await engine.get(TABLE, "a")).value == b"1"
        engine._embedded._limits = limits
        await engine.put(TABLE, "a", b"3")

    with_engine(tmp_path, use, limits=limits)


def test_a_store_that_is_larger_than_the_disk_allows_leaves_the_engine_down_with_words(tmp_path):
    async def run():
        engine = Engine(None, EmbeddedServer(tmp_path / "engine", limits=Limits(file_bytes=MIB // 2)))
        engine.declare(TABLE)
        engine._keeper = asyncio.create_task(engine._keep())
        await until(lambda: "full" in engine.why)
        assert engine.state == "down"
        await engine.stop()

    asyncio.run(run())


def test_without_a_folder_to_write_in_it_says_so(tmp_path):
    (tmp_path / "file").write_text("")

    async def run():
        engine = Engine(None, EmbeddedServer(tmp_path / "file" / "engine"))
        engine._keeper = asyncio.create_task(engine._keep())
        await until(lambda: "cannot be used: Not a directory" in engine.why)
        await engine.stop()

    asyncio.run(run())


def test_off_is_off(tmp_path):
    async def run():
        engine = built(Settings(folder=tmp_path, engine="off"))
        await engine.start()
        assert engine.to_dict() == {"state": "off", "replicas": 0, "servers": 0, "embedded": False,
                                    "why": "switched off: start the gateway without --engine off"}
        with pytest.raises(UnavailableError, match="the engine is off: switched off"):
            await engine.get(TABLE, "a")
        await engine.stop()

    asyncio.run(run())


def test_three_servers_keep_three_copies(tmp_path):
    addresses, servers = cluster(tmp_path)

    async def run():
        engine = Engine(addresses)
        engine.declare(TABLE)
        await engine.start()
        await engine.wait_up()
        info = await engine.js.stream_info(TABLE.stream)
        assert (info.config.num_replicas, engine.to_dict()["replicas"]) == (3, 3)
        await engine.stop()

    with running(*servers):
        asyncio.run(run())


def test_boards_come_by_mqtt_and_reach_nothing_that_the_engine_keeps(tmp_path):
    port, codes = free_port(), []

    async def use(engine):
        for password in ("wrong", "right"):
            heard = []
            client = Client(CallbackAPIVersion.VERSION2, client_id=password)
            client.username_pw_set("board", password)
            client.on_connect = lambda _, __, ___, code, ____: codes.append(code.is_failure)
            client.on_message = lambda _, __, message, heard=heard: heard.append(message.topic)
            before = len(codes)
            client.connect("127.0.0.1", port)
            client.loop_start()
            try:
                await until(lambda: len(codes) > before)       # noqa: B023
                if password == "right":
                    await try_to_reach(engine, client, heard)
            finally:
                client.disconnect()
                client.loop_stop()

    async def try_to_reach(engine, client, heard):
        await engine.put(TABLE, "before", b"1")
        client.subscribe([("#", 1), ("_INBOX/#", 0), ("micros/table/#", 0)])
        for topic in ("micros/table/evil", "$JS/API/STREAM/PURGE/micros_table", "micros/u1/lamp/state"):
            await asyncio.to_thread(client.publish(topic, "", 1).wait_for_publish, 20)
        await engine.put(TABLE, "after", b"1")
        client.publish("micros/u1/last", "", 1)
        await until(lambda: "micros/u1/last" in heard)
        assert set(heard) == {"micros/u1/lamp/state", "micros/u1/last"}
        assert await engine.keys(TABLE) == ["after", "before"]

    with_engine(tmp_path, use, mqtt=f"127.0.0.1:{port}", users={"board": "right"})
    assert codes == [True, False]


@pytest.mark.slow
def test_on_a_disk_that_is_really_full_nothing_that_was_acknowledged_is_lost():
    said = full_disk.run_apart()
    if said is None:
        pytest.skip("this machine lets us have no small disk of our own: root and unshare -m are needed")
    state, why = said["start"]
    assert state == "down" and "No space left on device" in why
    assert "the engine's disk is full: 2 MiB are free" in said["bound"]
    for acknowledged, kept in (said["readings"], said["writes"]):
        assert 0 < acknowledged == kept
