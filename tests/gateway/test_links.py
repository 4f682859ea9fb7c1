"""What a gateway makes of nodes that are offline, slow, strange, moved, locked, or two of one name."""
import asyncio
import concurrent.futures

import pytest

from tests.device.wire import eventually
from tests.gateway.fakes import FakeNode
from tests.toolkit.foreign import RECORDED, Node120
from toolkit import archive
from toolkit.gateway import nodes as nodes_file
from toolkit.gateway.events import Events
from toolkit.gateway.session import Session
from toolkit.gateway.settings import Settings
from toolkit.inventory import Device, Inventory


def fake(name="node01", uid="micr01OS", **facts):
    node = FakeNode(name, uid)
    for key, value in facts.items():
        setattr(node, key, value)
    return node


def run(client, tag, command, timeout_s=None):
    return client.post(f"/api/v1/devices/{tag}/commands", json={"command": command, "timeout_s": timeout_s})


def kind(response):
    return response.status_code, response.json().get("kind")


def kicked(gateway, node):
    """Its sessions are over, and the gateway knows: a line that goes out at that moment is 504."""
    node.kick()
    eventually(lambda: gateway.gateway.nodes.find(node.uid).link.is_open, lambda is_open: not is_open)


def together(*calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


def test_one_session_serves_all_and_keeps_the_seats_of_others_free(make_gateway):
    node = fake()
    _, client, _ = make_gateway(node)
    answers = together(*(lambda at=at: run(client, "node01", f"lamp set {at}") for at in range(20)))
    assert [answer.json()["text"] for answer in answers] == [f"did lamp set {at}" for at in range(20)]
    assert len(node.sessions) == 1 and node.most == 1            # what acts goes alone


def test_reading_commands_are_pipelined_and_each_gets_its_own_answer(make_gateway):
    node = fake(delay_s=0.05, answers={**fake().answers, **{f"task show t.{at}": f"output {at}" for at in range(8)}})
    _, client, _ = make_gateway(node)
    read = [lambda at=at: client.get(f"/api/v1/devices/node01/tasks/t.{at}") for at in range(8)]
    assert [answer.json()["text"] for answer in together(*read)] == [f"output {at}" for at in range(8)]
    assert 1 < node.most <= 8 and len(node.sessions) == 1


def test_a_node_of_1_20_gets_one_line_at_a_time(make_gateway):
    node = fake(delay_s=0.02)
    node.answers["version"] = "1.20.7-0"
    _, client, _ = make_gateway(node)
    run(client, "node01", "version")
    node.most = 0                        # a search says hello beside the session
    together(*(lambda at=at: client.get(f"/api/v1/devices/node01/tasks/t.{at}") for at in range(4)))
    assert node.most == 1


def test_recorded_answers_of_1_20_are_understood(make_gateway):
    with Node120() as node:
        _, client, _ = make_gateway(device_hosts=(f"127.0.0.1:{node.port}",), retry_s=0)
        asked = [command for command in RECORDED if RECORDED[command][-1] in (b"node01 $ ", None)]
        for command in sorted(set(asked) - {"", "exit", "conf", "noconf"}):
            said = b"".join(RECORDED[command][:-1]).decode()
            assert run(client, "node01", command).json()["text"] == said.rstrip("\n"), command


def test_answers_are_shared_and_kept_by_age(make_gateway):
    node = fake(delay_s=0.05)
    _, client, _ = make_gateway(node)
    run(client, "node01", "version")
    node.heard.clear()
    params = {"command": "system info", "max_age_s": 60}
    read = [lambda: client.get("/api/v1/devices/node01/commands", params=params).json()["text"]] * 10
    assert len(set(together(*read))) == 1 and node.heard.count("system info") == 1
    client.get("/api/v1/devices/node01/commands", params={"command": "system info"})
    assert node.heard.count("system info") == 2


def test_a_node_that_is_offline_is_503_and_served_again_when_it_is_back(make_gateway):
    node = fake()
    _, client, do = make_gateway(node, retry_s=0)
    run(client, "node01", "lamp on")
    do(_stopped(node))
    assert kind(run(client, "node01", "lamp on")) in ((503, "node-offline"), (504, "node-silent"))
    assert kind(run(client, "node01", "lamp on")) == (503, "node-offline")
    assert client.get("/api/v1/devices/node01").json()["state"] == "down"
    do(node.start())
    assert run(client, "node01", "lamp on").json()["ok"]
    assert client.get("/api/v1/devices/node01").json()["state"] == "up"


async def _stopped(node):
    node.stop()


def test_a_silent_node_is_504_the_others_are_not_held_up_and_it_recovers(make_gateway):
    slow, quick = fake("slow", "micr02OS"), fake("quick", "micr03OS")
    _, client, _ = make_gateway(slow, quick, retry_s=0)
    run(client, "slow", "version")
    slow.mode = "silent"
    silent, *others = together(lambda: run(client, "slow", "lamp on", 0.5),
                               *[lambda: run(client, "quick", "lamp on")] * 5)
    assert kind(silent) == (504, "node-silent") and "may have done it" in silent.json()["detail"]
    assert all(other.json()["ok"] for other in others)
    slow.mode = ""
    assert run(client, "slow", "lamp on").json()["ok"]
    assert client.get("/api/v1/devices/slow").json()["lost"] == 1


def test_a_command_that_acts_is_never_sent_twice_and_one_that_reads_is(make_gateway):
    node = fake()
    _, client, _ = make_gateway(node, retry_s=0)
    run(client, "node01", "version")
    node.mode = "drop"
    assert kind(run(client, "node01", "lamp on")) == (504, "node-silent")
    assert node.heard.count("lamp on") == 1
    node.heard.clear()
    client.get("/api/v1/devices/node01/commands", params={"command": "task list"})
    assert node.heard.count("task list") == 2


@pytest.mark.parametrize("mode, status", (("garbage", 502), ("mute", 503)))
def test_what_is_no_shell_is_told_and_left_alone(make_gateway, mode, status):
    node = fake()
    gateway, client, _ = make_gateway(node, connect_s=0.3, retry_s=0)
    run(client, "node01", "version")
    node.mode = mode
    kicked(gateway, node)
    assert run(client, "node01", "lamp on").status_code == status
    node.mode = ""
    assert run(client, "node01", "lamp on").json()["ok"]


def test_an_endless_answer_ends_at_its_bound(make_gateway):
    node = fake()
    node.answers["lamp flood"] = "x" * (2 << 20)
    _, client, _ = make_gateway(node)
    assert kind(run(client, "node01", "lamp flood")) == (504, "node-silent")
    assert run(client, "node01", "lamp on").json()["ok"]


def test_a_node_that_has_moved_is_followed_by_its_uid_and_never_mistaken(make_gateway):
    lamp, heater = fake("lamp", "micrL1OS"), fake("heater", "micrH1OS")
    gateway, client, do = make_gateway(lamp, heater, retry_s=0)
    run(client, "lamp", "version")
    run(client, "heater", "version")
    at = lamp.port, heater.port
    do(_swapped(lamp, heater))
    assert (heater.port, lamp.port) == at
    for name, uid in (("lamp", "micrL1OS"), ("heater", "micrH1OS")):
        if (answer := run(client, name, f"switch {name}")).status_code == 502:       # the other one answers there
            client.post("/api/v1/devices/search")
            answer = run(client, name, f"switch {name}")
        assert (answer.json()["uid"], answer.json()["text"]) == (uid, f"did switch {name}")
    assert not any("heater" in line for line in lamp.heard) and not any("lamp" in line for line in heater.heard)


async def _swapped(one, other):
    one.stop()
    other.stop()
    await asyncio.sleep(0)
    one.port, other.port = other.port, one.port
    await one.start()
    await other.start()


def test_two_of_one_name_are_both_listed_and_need_their_uid(make_gateway):
    first, second = fake("twin", "micrA1OS"), fake("twin", "micrB2OS")
    _, client, _ = make_gateway(first, second)
    assert [row["uid"] for row in client.get("/api/v1/devices").json()] == ["micrA1OS", "micrB2OS"]
    refused = run(client, "twin", "lamp on")
    assert kind(refused) == (409, "ambiguous-name") and "micrA1OS, micrB2OS" in refused.json()["detail"]
    assert run(client, "micrB2OS", "lamp on").json()["ok"]
    assert "lamp on" in second.heard and "lamp on" not in first.heard


def test_a_full_queue_and_a_rate_are_429_and_bounded(make_gateway):
    node = fake(delay_s=0.2)
    _, client, _ = make_gateway(node, queue=4)
    codes = [answer.status_code for answer in together(*[lambda: run(client, "node01", "lamp on")] * 12)]
    assert set(codes) == {200, 429} and codes.count(200) <= 6


def test_a_rate_is_kept_and_who_would_wait_too_long_hears_so(make_gateway):
    _, client, _ = make_gateway(fake(), rate_hz=1.0, burst=2)
    codes = [run(client, "node01", "lamp on", 0.3).status_code for _ in range(6)]
    assert 429 in codes and codes[0] == 200


def test_a_busy_node_is_up_and_says_so(make_gateway):
    node = fake(seats=1)
    gateway, client, _ = make_gateway(node, retry_s=0)
    run(client, "node01", "version")
    node.seats = 0
    kicked(gateway, node)
    assert kind(run(client, "node01", "lamp on")) == (503, "node-busy")
    assert client.get("/api/v1/devices/node01").json()["state"] == "up"


def test_a_locked_node_opens_by_the_archive_and_a_wrong_password_is_sent_once(make_gateway, data):
    node = fake("vault", "micrV1OS", password="open sesame")
    gateway, client, _ = make_gateway(node, retry_s=0)
    assert kind(run(client, "vault", "lamp on")) == (423, "node-locked")
    assert client.get("/api/v1/devices/vault").json()["locked"]
    archive.archive(b'{"devfid": "vault", "hwuid": "micrV1OS", "appwd": "wrong wrong"}')
    for _ in range(4):
        assert kind(run(client, "vault", "lamp on")) == (423, "node-locked")
    assert node.heard.count("wrong wrong") == 1
    archive.archive(b'{"devfid": "vault", "hwuid": "micrV1OS", "appwd": "open sesame"}')
    answer = run(client, "vault", "lamp on")
    assert answer.json()["ok"] and "sesame" not in answer.text


def test_what_another_command_finds_is_known_and_never_overwritten(make_gateway, tmp_path):
    first, second = fake("node01", "micr01OS"), fake("node02", "micr02OS")
    _, client, do = make_gateway(first)
    do(second.start())
    Inventory(tmp_path / "devices.json").keep(Device(second.uid, second.address, second.port, second.name))
    client.post("/api/v1/devices/search")
    assert run(client, "node02", "lamp on").json()["ok"]
    first.name = "renamed"
    first.kick()
    run(client, first.uid, "version")
    assert {device.name for device in Inventory(tmp_path / "devices.json")} == {"renamed", "node02"}
    do(_stopped(second))


def test_a_value_that_is_too_long_in_bytes_never_comes_to_the_node(make_gateway):
    """A node of 1.20 would take the rest of such a line for a command."""
    node = fake()
    node.answers["dump"] = "  guimeta   :        n/a\n"
    _, client, _ = make_gateway(node)
    answer = client.put("/api/v1/devices/node01/config/guimeta", json={"value": "\u00e9" * 1500})
    assert kind(answer) == (422, "usage") and "2047 bytes" in answer.json()["detail"]
    assert not [line for line in node.heard if line.startswith("guimeta")]


def test_a_node_that_takes_nothing_ends_its_console_before_memory_does():
    async def use():
        node = await fake().start()
        device = Device(node.uid, node.address, node.port, node.name)
        session = await Session.open(device, 3.0, lambda: None)
        session.go_raw(lambda data: None)
        for talk in node.sessions:
            talk.transport.pause_reading()
        for _ in range(10_000):                 # the kernel keeps some megabytes
            session.write(b"x" * 4096)
            if not session.is_open:
                break
            await asyncio.sleep(0)
        assert not session.is_open
        node.stop()

    asyncio.run(use())


def test_a_remark_of_1_20_that_comes_in_two_pieces_is_no_answer():
    over = asyncio.Event()

    async def talk(reader, writer):
        says = {b"hello\n": b"hello:node01:micr01OS\n", b"version\n": b"1.20.7-0\n",
                b"lamp on\n": b"eanup: 1 -> 0\nlamp is on\n"}
        writer.write(b"node01 $ ")
        while line := await reader.readline():
            writer.write(says[line] + b"node01 $ " + b"[HA] Shells cl" * (line == b"version\n"))
        writer.close()
        over.set()

    async def use():
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        device = Device("micr01OS", "127.0.0.1", server.sockets[0].getsockname()[1], "node01")
        session = await Session.open(device, 3.0, lambda: None)
        assert await session.say("lamp on", 3.0) == "lamp is on"
        session.close()
        await over.wait()
        server.close()

    asyncio.run(use())


def test_more_nodes_than_there_is_room_for_are_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(nodes_file, "MOST_NODES", 3)
    known = nodes_file.Nodes(Settings(folder=tmp_path), Events(), Inventory(tmp_path / "devices.json"))
    known.keep([Device(f"micr{at}OS", "127.0.0.1", 9000 + at, f"node{at}") for at in range(9)])
    assert len(known) == 3
    known.forget(known.find("node1"))
    assert [device.name for device in Inventory(tmp_path / "devices.json")].count("node1") == 0


def test_a_slow_listener_loses_the_oldest_and_is_told_how_many():
    events = Events()
    with events.subscribe("node.*", box=2) as news:
        for number in range(5):
            events.publish("node.up", {"number": number})
        events.publish("other", {})
        assert news.dropped == 3 and [event.data["number"] for event in news._box] == [3, 4]
    assert events.dropped == 3 and events.listeners == 0


def test_the_settings_suit_a_person_with_a_few_nodes():
    assert (Settings().host, Settings().port) == ("127.0.0.1", 5000)
