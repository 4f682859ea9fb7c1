"""VSOA beyond one connection: TLS, timers, queues, events, and the node as a server."""
import asyncio
import subprocess
import threading

import pytest

from micrOS.source import vsoa as ours
from tests.device.test_vsoa import MODULE, WAIT_S, Heard, Raw, begun, free_port, is_up, official, process
from tests.device.wire import eventually
from toolkit.simulator import VirtualBoard

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.slow]
CLIENT = '''
import asyncio
import vsoa

async def talk(address, port):
    client, told = vsoa.Client(), []
    client.onmessage = lambda client, url, payload, quick: told.append([url, payload.param, quick])
    client.ondata = lambda client, url, payload, quick: told.append([url, quick])
    out = [await client.connect("vsoa://{}:{}".format(address, port))]
    header, payload, code = await client.fetch("/echo", 0, vsoa.Payload({"a": 1}, b"123"))
    out += [header.status, payload.param, payload.data, code]
    out.append((await client.fetch("/never", timeout=0.2))[2])
    client.subscribe(["/m", "/q/"])
    await client.fetch("/pub", payload=vsoa.Payload({"url": "/m"}))
    await client.fetch("/pub", payload=vsoa.Payload({"url": "/q/x", "quick": 1}))
    client.datagram("/d", None, True)
    header, _, _ = await client.fetch("/stream")
    said = []

    def ondata(stream, data):
        said.append(data)
        if len(said) == 1:
            stream.send(b"hello")

    stream = client.create_stream(header.tunid, None, ondata)
    for _ in range(100):
        if len(told) == 3 and len(said) == 2:
            break
        await asyncio.sleep(0.02)
    stream.close()
    client.close()
    return repr((out, sorted([row[0] for row in told]), b"".join(said)))
'''


@pytest.fixture(scope="module")
def node():
    files = {"modules/LM_peer.py": MODULE, "modules/LM_asker.py": CLIENT}
    with VirtualBoard(mpy=True, files=files, config={"ntphost": "n/a"}) as board:
        yield board


def test_the_boards_client_talks_to_the_public_server_and_to_ours(node):
    wanted = ([0, 0, {"a": 1}, b"123", 0, 4], ["/back", "/m", "/q/x"], b"server-says-helloecho:hello")
    for kind in ("official", "host"):
        with process(kind) as place:
            assert node.shell("asker talk {} {}".format(*place)) == repr(wanted), kind


# -- TLS


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    for name in (cert, key):
        kind = ["x509"] if name == cert else ["ec"]
        subprocess.run(["openssl", *kind, "-in", name, "-outform", "DER", "-out", name + ".der"], check=True,
                       capture_output=True)
    return cert, key


def echoing(package, sslopt):
    server, port = package.Server("", ""), free_port()
    server.command("/echo")(lambda client, request, payload: client.reply(request.seqno, payload))
    threading.Thread(target=server.run, args=("127.0.0.1", port, sslopt), daemon=True).start()
    eventually(lambda: is_up(("127.0.0.1", port)), bool)     # TLS of the public client waits for ever where nobody is
    return server, ("127.0.0.1", port)


@pytest.mark.parametrize("pair", [(ours, ours), (ours, official), (official, ours)], ids=["ours", "into", "from"])
def test_tls_carries_requests_and_has_no_quick_channel(keys, pair):
    server, place = echoing(pair[0], {"cert": keys[0], "key": keys[1]})
    heard = Heard(pair[1], place, sslopt={"ca_cert": keys[0], "hostname": "localhost"})
    assert heard.code == 0
    assert heard.ask("/echo", {"a": 1}, bytes(100_000))[1].param == {"a": 1}
    assert heard.client.datagram("/d", None, True) is False
    heard.client.close()
    if pair[0] is ours:
        assert server.publish("/x", quick=True) is False
        server.close()


def test_a_certificate_that_nobody_trusts_is_code_7_and_an_empty_sslopt_is_tls(keys):
    server, place = echoing(ours, {"cert": keys[0], "key": keys[1]})
    trusting = Heard(ours, place, sslopt={"ca_cert": keys[0]})
    assert trusting.code == 0
    trusting.client.close()
    assert Heard(ours, place, sslopt={}).code == 7
    assert Heard(ours, place, timeout=0.5).code in (1, 4, 5)       # no TLS to a TLS server
    server.close()


# -- on the loop of the caller


def test_in_a_running_loop_everything_is_awaited():
    async def talk():
        server, port, links = ours.Server({"n": 1}), free_port(), []

        @server.command("/slow")
        async def slow(client, request, payload):
            await asyncio.sleep(0)
            client.reply(request.seqno, payload)

        job = asyncio.create_task(server.run("127.0.0.1", port))
        client = ours.Client()
        client.onconnect = lambda client, is_up, info: links.append((is_up, info))
        await asyncio.sleep(0)
        assert await client.connect(f"vsoa://127.0.0.1:{port}") == 0
        assert (await client.fetch("/slow", payload={"param": [1]}))[1].param == [1]
        assert [client.id for client in server.clients()] == [0] and server.address() == ("127.0.0.1", port)
        client.close()
        server.close()
        await job
        assert links == [(True, {"n": 1}), (False, None)]
        with pytest.raises(RuntimeError):
            server.address()

    asyncio.run(talk())


# -- the small helpers


def test_a_timer_fires_at_its_interval_whatever_its_callback_raises():
    fired, timer = [], ours.Timer()

    def callback(*args, **kwargs):
        fired.append((args, kwargs))
        if len(fired) == 3:
            timer.stop()
        raise KeyError("of the test")

    timer.start(0.01, callback, 0.01, (1,), {"b": 2})
    assert timer.is_started()
    eventually(lambda: timer.is_started(), lambda runs: not runs)
    assert fired == [((1,), {"b": 2})] * 3
    again = threading.Event()
    timer.start(30, fired.append, 0, (1,))
    timer.start(0, again.set)
    assert again.wait(WAIT_S)
    for wrong, error in (((-1, print), ValueError), ((1, None), TypeError)):
        with pytest.raises(error):
            timer.start(*wrong)


def test_a_queue_runs_its_jobs_in_order_whatever_one_raises():
    queue, done, gate, started = ours.WorkQueue(), [], threading.Event(), threading.Event()

    def first():
        started.set()
        gate.wait(WAIT_S)

    def fails():
        raise KeyError("of the test")

    queue.add(first)
    assert started.wait(WAIT_S)
    queue.add(fails)
    queue.add(done.append, args=(1))                 # as the papers have it
    assert queue.is_queued(fails) and not queue.is_queued(first)
    assert not queue.add_if_not_queued(fails) and queue.add_if_not_queued(done.extend, ([2, 3],))
    queue.add(gate.clear)
    assert queue.delete(gate.clear) and not queue.delete(gate.clear)
    gate.set()
    eventually(lambda: done[:], lambda jobs: jobs == [1, 2, 3])
    assert gate.is_set()


def test_listeners_are_called_in_order_and_once_means_once():
    emitter, told = ours.EventEmitter(), []
    emitter.on("new_listener", lambda event, listener: told.append(("new", event)))
    emitter.on("remove_listener", lambda event, listener: told.append(("gone", event)))
    for add, name in ((emitter.once, "a"), (emitter.add_listener, "b"), (emitter.add_listerner, "c")):
        add("e", lambda value, name=name: told.append((name, value)))
    emitter.on("e", lambda value: 1 // 0)
    last = told.append
    emitter.on("e", last)
    told.clear()
    assert emitter.emit("e", (1,)) and told == [("gone", "e"), ("a", 1), ("b", 1), ("c", 1), 1]
    assert emitter.listener_count("e") == 4 and emitter.listeners("e")[-1] == last
    assert emitter.remove_listener("e", last) and not emitter.remove_listener("e", last)
    emitter.remove_all_listeners()
    assert not emitter.emit("e", (1,)) and emitter.listener_count("new_listener") == 0


def test_headers_requests_and_payloads_are_dicts_too():
    from micrOS.source.vsoa.records import Request
    assert dict(ours.Payload([1], b"x")) == {"param": [1], "data": b"x"}
    assert dict(ours.Header(1, 2, 3, 4, 5)) == {"type": 1, "flags": 2, "status": 3, "seqno": 4, "tunid": 5}
    assert dict(Request("/a", 1, 0)) == {"url": "/a", "seqno": 1, "method": 0, "mwdata": {}}
    assert ours.parser.VSOA_STATUS_NO_MEMORY == 6 and ours.METHOD_SET == 1 and ours.CLIENT_DEF_TIMEOUT == 60.0


# -- the node as a server


@pytest.fixture
def served(node):
    port = free_port()
    assert node.shell(f"vsoa load {port}") == f"VSOA on port {port}"
    heard = eventually(lambda: Heard(official, (node.address, port)), lambda made: made.code == 0)
    yield heard
    heard.client.close()
    assert node.shell("vsoa stop") == "VSOA is off"
    eventually(lambda: node.shell("task list"), lambda text: "Yes       vsoa.server" not in text)


def test_a_request_runs_a_load_module(served, node):
    header, payload = served.ask("/system/heartbeat")
    assert header.status == 0 and payload.param["result"] == node.shell("system heartbeat")
    assert served.ask("/genIO/set_out", [5])[0].status == 0 and served.ask("/genIO/get_in", {"pin": 5})[0].status == 0
    assert served.ask("/system/nothing")[0].status == 128 and served.ask("/nowhere/x")[0].status == 128
    assert "no function" in served.ask("/system/nothing")[1].param["error"]
    for url in ("/system", "/system/_x", "/a/b/c"):
        assert served.ask(url)[0].status in (3, 128)
    assert "clients: 1" in node.shell("vsoa status")


@pytest.mark.parametrize("state, level", ((True, 1), (False, 0), ("True", 1)))
def test_truth_reaches_a_module_as_truth(served, node, state, level):
    assert served.ask("/genIO/set_out", {"pin": 5, "state": state})[0].status == 0
    assert node.pins[5] == level


def test_the_bus_goes_both_ways(served, node):
    assert served.done(served.client.subscribe, ["/bus/lamp", "/bus/from"])
    node.shell("bus publish lamp 7")
    served.hears(("/bus/lamp", {"message": 7}, b"", False))
    served.client.datagram("/bus/from", official.Payload({"message": "out"}))
    served.hears(("/bus/from", {"message": "out"}, b"", False))


def test_a_node_asks_other_servers(served, node):
    with process("host") as place:
        assert node.shell("vsoa call vsoa://{}:{}/echo [1,2]".format(*place)) == "[1, 2]"
    assert node.shell("vsoa call nonsense") == "no reply: not found"
    assert "no connection" in node.shell(f"vsoa call vsoa://127.0.0.1:{free_port()}/x")


def test_the_shell_publishes_to_who_subscribed(served, node):
    assert served.done(served.client.subscribe, "/x")
    assert node.shell('vsoa publish /x [1]') == "True"
    served.hears(("/x", [1], b"", False))
    assert "a url begins with /, got x" in node.shell("vsoa publish x")


def test_who_serves_nobody_cannot_publish(node):
    assert "nobody serves: vsoa load" in node.shell("vsoa publish /x")


def test_the_shell_hears_what_a_server_publishes(node):
    server, place = echoing(ours, None)
    said = []
    asker = threading.Thread(target=lambda: said.append(node.shell(
        "vsoa subscribe vsoa://{}:{} /m/ seconds=60".format(*place))))
    asker.start()
    eventually(lambda: server.is_subscribed("/m/1"), bool)
    for number in range(33):                 # it has room for 32, and then it has heard enough
        server.publish(f"/m/{number}", ours.Payload([number]))
    asker.join(WAIT_S)
    server.close()
    assert said == ["\n".join(f"/m/{number}: [{number}]" for number in range(32))]


def test_a_subscription_of_the_shell_that_cannot_be_says_why(node):
    place = f"vsoa://127.0.0.1:{free_port()}"
    assert "a url begins with /, got m" in node.shell(f"vsoa subscribe {place} m")
    assert "subscribe takes seconds=1-60, got 61" in node.shell(f"vsoa subscribe {place} /m seconds=61")
    assert "no connection" in node.shell(f"vsoa subscribe {place} /m seconds=1")


def test_eight_clients_and_no_more(node):
    place = begun(node, free_port())
    raws = [Raw(place) for _ in range(8)]
    from tests.device.test_vsoa import ECHOED, rpc
    eventually(lambda: [raw.say(rpc()).hear() for raw in raws], lambda heard: heard == [[ECHOED]] * 8)
    with Raw(place) as ninth:
        assert ninth.is_ended()
    for raw in raws:
        raw.link.close()
