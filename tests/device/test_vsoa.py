"""VSOA on the wire: our server on the board and on the host, the public one, and the clients of both, in all pairs.

The public package is the peer (PyPI vsoa, extra dev); it cannot be stopped, so its server is a process.
"""
import json
import re
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from micrOS.source import vsoa as ours
from micrOS.source.pure import vsoa as wire
from tests.device.wire import eventually
from tests.toolkit.foreign import free_port
from toolkit.simulator import VirtualBoard

ROOT = Path(__file__).parents[2]
official = pytest.importorskip("vsoa")
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.slow]
WAIT_S = 20.0

# what all servers of these tests do, whoever made their package
BODY = '''
def build(vsoa, passwd="", raw=False):
    server, seen = vsoa.Server({"name": "golden", "ver": 1}, passwd, raw), {"on": None, "streams": []}
    queue = vsoa.WorkQueue()

    def onclient(client, is_connected):
        seen["on"] = [client.id, is_connected]

    def ondata(client, url, payload, quick):
        client.datagram("/back", {"param": {"url": url, "was": payload.param}}, quick)

    server.onclient, server.ondata = onclient, ondata

    @server.command("/echo")
    def echo(client, request, payload):
        client.reply(request.seqno, payload)

    @server.command("/method")
    def method(client, request, payload):
        client.reply(request.seqno, {"param": {"method": request.method, "url": request.url}})

    @server.command("/status")
    def status(client, request, payload):
        client.reply(request.seqno, None, 130)

    @server.command("/never")
    def never(client, request, payload):
        pass

    @server.command("/bytes")
    def raw(client, request, payload):
        client.reply(request.seqno, {"param": bytes((114, 97, 119, 255, 254))})

    @server.command("/queued", queue)
    def queued(client, request, payload):
        client.reply(request.seqno, payload)

    @server.command("/pub")
    def publish(client, request, payload):
        server.publish(payload.param["url"], {"param": {"p": 1}, "data": b"abc"}, payload.param.get("quick", False))
        client.reply(request.seqno)

    @server.command("/prio")
    def priority(client, request, payload):
        client.priority = payload.param["p"]
        client.reply(request.seqno)

    @server.command("/stream")
    def stream(client, request, payload):
        def onlink(stream, is_connected):
            seen["streams"].append(is_connected)
            if is_connected:
                stream.send(b"server-says-hello")

        made = server.create_stream(onlink, lambda stream, data: stream.send(b"echo:" + bytes(data)))
        client.reply(request.seqno, None, 0, made.tunid)

    @server.command("/seen")
    def tell(client, request, payload):
        client.reply(request.seqno, {"param": seen})

    return server
'''
OWN_ONLY = '''
    @server.command("/raise")
    def fails(client, request, payload):
        raise KeyError("of the test")

    @server.command("/reply_raise")
    def replies(client, request, payload):
        client.reply(request.seqno, payload)
        raise KeyError("of the test")

    @server.command("/a/")
    def below(client, request, payload):
        client.reply(request.seqno, {"param": {"wild": "/a/", "url": request.url}})

    @server.command("/")
    def default(client, request, payload):
        client.reply(request.seqno, {"param": {"wild": "/", "url": request.url}})

    @server.command("/later")
    def later(client, request, payload):
        async def answer():
            client.reply(request.seqno, payload)
        return answer()

    @server.command("/counts")
    def counts(client, request, payload):
        client.reply(request.seqno, {"param": {"dropped": server.dropped, "strange": server.strange,
                                               "clients": len(server.clients())}})

    @server.command("/flood")
    def flood(client, request, payload):
        for _ in range(payload.param["n"]):
            server.publish("/flood", {"data": b"x" * payload.param["size"]})
        client.reply(request.seqno)

    return server
'''
OURS = BODY.replace("    return server\n", OWN_ONLY.lstrip("\n"))
MODULE = OURS + '''
import vsoa
from TaskManager import manager


def load(port, passwd="", raw=False):
    manager().start("vsoa.{}".format(port), build(vsoa, passwd, raw).run("0.0.0.0", port))
    return "up"
'''
RUN = '''
import sys
build({module}, sys.argv[2], bool(sys.argv[3])).run("127.0.0.1", int(sys.argv[1]))
'''
IMPORTS = {"host": ("from micrOS.source import vsoa", OURS), "official": ("import vsoa", BODY)}


def is_up(address):
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return False
    return True


@contextmanager
def process(kind, passwd="", port=None, raw=False):
    """(address, port) of a server in a process of its own."""
    line, body = IMPORTS[kind]
    port = port or free_port()
    words = [sys.executable, "-c", line + body + RUN.format(module="vsoa"), str(port), passwd, "raw" * raw]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: is_up(("127.0.0.1", port)), bool)
            yield "127.0.0.1", port
        finally:
            running.kill()


def begun(board, port, passwd="", raw=False):
    """(address, port) of a server that begins on a board with LM_peer."""
    assert board.shell(f'peer load {port} "{passwd}" {raw}') == "up"
    eventually(lambda: is_up((board.address, port)), bool)
    return board.address, port


@pytest.fixture(scope="module")
def servers():
    """{kind: (address, port)}, without a password, {kind + "+": ...} with the password pw, {kind + "+raw": ...} raw."""
    from contextlib import ExitStack
    with ExitStack() as stack:
        places = {}
        for kind in IMPORTS:
            places[kind] = stack.enter_context(process(kind))
            places[kind + "+"] = stack.enter_context(process(kind, "pw"))
        places["host+raw"] = stack.enter_context(process("host", "pw", raw=True))
        board = stack.enter_context(VirtualBoard(files={"modules/LM_peer.py": MODULE}, config={"ntphost": "n/a"}))
        for kind, port, how in (("board", 3005, ()), ("board+", 3006, ("pw",)), ("board+raw", 3007, ("pw", True))):
            places[kind] = begun(board, port, *how)
        yield places


PAIRS = [(server, client) for server in ("board", "host", "official") for client in ("ours", "official")
         if (server, client) != ("official", "official")]
OWN = ("board", "host")


class Heard:
    """A client and all that it was told."""

    def __init__(self, package, place, **how):
        self.package, self.messages, self.connects = package, [], []
        self.client = package.Client()
        self.client.onmessage = lambda client, url, payload, quick: self.messages.append(
            (url, payload.param, bytes(payload.data or b""), quick))
        self.client.ondata = lambda client, url, payload, quick: self.messages.append((url, payload.param, quick))
        self.client.onconnect = lambda client, is_up, info: self.connects.append((is_up, info))
        self.code = self.client.connect("vsoa://{}:{}".format(*place), **how)
        if not self.code:
            threading.Thread(target=self.client.run, daemon=True).start()

    def ask(self, url, param=None, data=None, method=0, timeout=WAIT_S):
        header, payload, code = self.client.fetch(url, method, self.package.Payload(param, data), timeout)
        assert code == 0, (url, code)
        return header, payload

    def done(self, request, *args):
        told = threading.Event()
        answers = []
        assert request(*args, lambda client, is_done: (answers.append(is_done), told.set()))
        assert told.wait(WAIT_S)
        return answers[0]

    def hears(self, *wanted):
        eventually(lambda: self.messages[:], lambda messages: len(messages) >= len(wanted))
        assert self.messages == list(wanted)
        self.messages.clear()


@pytest.fixture(params=PAIRS, ids="-".join)
def heard(request, servers):
    server, client = request.param
    made = Heard({"ours": ours, "official": official}[client], servers[server])
    assert made.code == 0
    yield made
    made.client.close()


# -- the steps of the golden recording, in all pairs


def test_requests_get_their_replies_with_data_of_any_length(heard):
    assert heard.connects == [(True, {"name": "golden", "ver": 1})]
    for size in (0, 1, 2, 3, 4, 5000):
        header, payload = heard.ask("/echo", {"a": size}, bytes(size))
        assert header.status == 0 and payload.param == {"a": size} and bytes(payload.data or b"") == bytes(size)
    for param in ([1, 2], "text", {"k": "\u8f66"}, {}):
        assert heard.ask("/echo", param)[1].param == param
    assert heard.ask("/method", method="set")[1].param == {"method": 1, "url": "/method"}
    assert heard.ask("/status")[0].status == 130
    assert bytes(heard.ask("/bytes")[1].param) == b"raw\xff\xfe"
    assert heard.ask("/queued", [1, 2])[1].param == [1, 2]


def test_a_reply_that_does_not_come_is_none_after_its_time(heard):
    header, payload, code = heard.client.fetch("/never", timeout=0.2)
    assert (header, payload, code) == (None, None, 4)
    assert heard.ask("/echo", [1])[1].param == [1]


def test_a_ping_is_answered(heard):
    assert heard.done(heard.client.ping) is True
    assert heard.client.ping()


def test_publications_reach_who_subscribed(heard):
    client = heard.client
    assert heard.done(client.subscribe, "/topic1") and heard.done(client.subscribe, ["/t2", "/t3/"])
    message = {"p": 1}, b"abc"
    for url in ("/topic1", "/t3/x/y", "/t3"):
        heard.ask("/pub", {"url": url})
        heard.hears((url, *message, False))
    heard.ask("/pub", {"url": "/topic1/sub"})
    heard.ask("/pub", {"url": "/t2", "quick": 1})
    heard.hears(("/t2", *message, True))
    assert heard.done(client.unsubscribe, "/topic1") and heard.done(client.unsubscribe, ["/t2", "/t3/"])
    heard.ask("/pub", {"url": "/topic1"})
    heard.ask("/pub", {"url": "/t3"})
    assert heard.done(client.ping) and not heard.messages


def test_a_subscription_without_slash_is_refused(heard):
    assert heard.done(heard.client.subscribe, ["/ok"]) is True
    assert heard.done(heard.client.subscribe, "bad") is False
    if heard.package is ours:
        assert heard.client.wanted == ["/ok"]        # nor does a robot ask for it again


def test_datagrams_go_both_ways_over_tcp_and_udp(heard):
    assert heard.client.datagram("/d", heard.package.Payload({"v": 1}, b"\x09"))
    heard.hears(("/back", {"url": "/d", "was": {"v": 1}}, False))
    assert heard.client.datagram("/dq", heard.package.Payload({"v": 2}), True)
    heard.hears(("/back", {"url": "/dq", "was": {"v": 2}}, True))


def test_a_priority_goes_on_to_the_sockets_of_the_client(heard):
    assert heard.ask("/prio", {"p": 5})[0].status == 0
    assert heard.ask("/echo", [1])[1].param == [1]
    if heard.package is ours:
        links = heard.client._out.link.raw, heard.client._udp._link
        assert [link.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) for link in links] == [5 << 5 | 8] * 2


def test_a_stream_carries_bytes_both_ways_and_ends(heard):
    links, said, linked = [], b"", threading.Event()

    def ondata(stream, data):
        nonlocal said
        said += bytes(data)

    def onlink(stream, is_connected):
        links.append(is_connected)
        linked.set()

    header, _ = heard.ask("/stream")
    stream = heard.client.create_stream(header.tunid, onlink, ondata)
    assert linked.wait(WAIT_S)
    eventually(lambda: said, lambda text: text == b"server-says-hello")
    assert stream.send(b"client-data") == 11
    eventually(lambda: said, lambda text: text.endswith(b"echo:client-data"))
    stream.close()
    eventually(lambda: heard.ask("/seen")[1].param["streams"], lambda states: states[-1] is False)


def test_a_one_shot_fetch(servers):
    for package, kinds in ((ours, ("board", "host", "official")), (official, OWN)):
        for kind in kinds:
            url = "vsoa://{}:{}/echo".format(*servers[kind])
            header, payload, code = package.fetch(url, payload=package.Payload({"a": 1}), timeout=WAIT_S)
            assert code == 0 and header.status == 0 and payload.param == {"a": 1}
            code = package.fetch(url.replace("/echo", ""), timeout=WAIT_S)[2]
            assert code == 0


@pytest.mark.parametrize("kind", ["board", "host", "official"])
def test_the_password_opens_and_a_wrong_one_does_not(servers, kind):
    place = servers[kind + "+"]
    for package, wrong in ((ours, 6), (official, 5)):      # the public client says 5 to every refusal
        if kind == "official" and package is official:
            continue
        right = Heard(package, place, passwd="pw")
        assert right.code == 0 and right.ask("/echo", [1])[1].param == [1]
        right.client.close()
        assert Heard(package, place, passwd="no").code == wrong
        assert Heard(package, place).code == wrong


def test_who_is_not_there_has_its_code():
    client = ours.Client()
    assert client.connect(f"vsoa://127.0.0.1:{free_port()}") in (1, 2)
    assert client.connect("vsoa://127.0.0.1") == 3 and client.connect("nonsense") == 3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert client.connect(f"vsoa://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2) == 4
    assert client.fetch("/echo") == (None, None, 1) and not client.call("/echo") and not client.ping()
    for wrong, error in ((1, TypeError), ("echo", ValueError)):
        with pytest.raises(error):
            client.fetch(wrong)


# -- what only our server does


class Raw:
    """A socket that says packets, well-formed or not."""

    def __init__(self, place, receive_bytes=None):
        self.link = socket.socket()
        self.link.settimeout(WAIT_S)
        if receive_bytes:
            self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.link.connect(place)
        self.receiver, self.packets = wire.Receiver(), []

    def say(self, data):
        self.link.sendall(data)
        return self

    def hear(self, count=1):
        """So many packets, fewer at the end of the connection."""
        while len(self.packets) < count:
            try:
                data = self.link.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                break
            self.packets += self.receiver.feed(data)
        got, self.packets = self.packets[:count], self.packets[count:]
        return got

    def is_ended(self):
        return self.hear() == []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()


def rpc(url="/echo", param=b'{"a":1}', number=1, flags=0):
    return wire.encode(wire.RPC, flags, 0, number, 0, url, param)


HELLO = wire.encode(wire.SERVINFO, seqno=0)
ECHOED = (wire.RPC, wire.REPLY, 0, 1, 0, "", b'{"a":1}', b"")


def status_of(packets):
    return [packet[2] for packet in packets]


@pytest.fixture(params=OWN)
def place(request, servers):
    yield servers[request.param]
    made = Heard(ours, servers[request.param])       # whatever happened, others are served
    assert made.code == 0 and made.ask("/echo", [1])[1].param == [1]
    made.client.close()


def test_m01_to_m04_and_m10_what_cannot_be_a_packet_ends_the_connection(place):
    too_long = rpc()[:16] + b"\0\x04\0\x01" + rpc()[20:]
    endless = rpc()[:16] + b"\xff\xff\xff\xff" + rpc()[20:]
    no_utf8 = rpc("/eco").replace(b"/eco", b"/\xff\xfe\xff")
    for wrong in (b"\x19" + rpc()[1:], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", too_long, endless, no_utf8):
        with Raw(place) as raw:
            assert raw.say(wrong).is_ended(), wrong


def test_m05_to_m09_splits_glue_and_pads_change_nothing(place):
    with Raw(place) as raw:
        raw.say(rpc()[:10])
    with Raw(place) as raw:
        raw.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in rpc():
            raw.say(bytes((octet,)))
        assert raw.hear() == [ECHOED]
        assert raw.say(rpc() + rpc()).hear(2) == [ECHOED, ECHOED]
        unpadded = rpc("/status", b"a")                    # 20 + 7 + 1: aligned; then odd ones
        odd = wire.encode(wire.RPC, 0, 0, 1, 0, "/echo")[:25]
        for wrong in (unpadded, odd[:2] + b"\0" + odd[3:], unpadded[:2] + b"\xc0" + unpadded[3:] + b"abc"):
            assert len(raw.say(wrong).hear()) == 1, wrong


def test_m11_m12_m39_params_that_are_no_json_come_back_as_they_are(place):
    with Raw(place) as raw:
        for param in (b"{oops", b"[" * 8000, b"\xff\xfe"):
            assert raw.say(rpc(param=param)).hear()[0][6] == param
        assert status_of(raw.say(rpc(param=b"true")).hear()) == [0]


def test_m12_a_hundred_thousand_brackets_come_back_or_are_too_long_for_a_board(servers):
    brackets = b"[" * 100_000
    for kind, wanted in (("host", [(wire.RPC, wire.REPLY, 0, 1, 0, "", brackets, b"")]), ("board", [])):
        with Raw(servers[kind]) as raw, Raw(servers[kind]) as other:
            with suppress(ConnectionError):  # a board ends it after 8 KiB
                raw.say(rpc(param=brackets))
            assert raw.hear() == wanted, kind
            assert other.say(rpc()).hear() == [ECHOED]


def test_m13_to_m16_and_m40_what_is_ignored_and_what_is_refused(place):
    with Raw(place) as raw:
        raw.say(wire.encode(0x77, seqno=9) + rpc(flags=wire.REPLY) + wire.encode(wire.NOOP, data=bytes(100)))
        raw.say(wire.encode(wire.SUBSCRIBE, wire.REPLY, url="/x"))
        assert raw.say(rpc(flags=0x38)).hear() == [ECHOED]
        assert status_of(raw.say(rpc("")).hear() + raw.say(rpc("echo")).hear()) == [2, 2]


def test_m17_to_m19_m35_the_first_packet_of_any_type_may_bring_the_password(servers):
    for kind in OWN:
        with Raw(servers[kind]) as raw:
            assert raw.say(rpc()).hear() == [ECHOED]
        with Raw(servers[kind + "+"]) as raw:
            for packet in (rpc(), wire.encode(wire.SUBSCRIBE, url="/x"), wire.encode(wire.PINGECHO),
                           wire.encode(wire.SERVINFO, param=b"[1]")):
                assert [(row[0], row[2]) for row in raw.say(packet).hear()] == [(packet[1], 1)]
        with Raw(servers[kind + "+"]) as raw:
            assert status_of(raw.say(rpc(param=b'{"passwd":"pw"}')).hear()) == [0]


def test_m36_a_raw_server_knows_its_password_and_leaves_params_as_they_are(servers):
    for kind in OWN:
        with Raw(servers[kind + "+raw"]) as raw:
            for param, status in ((b"", 1), (b'{"passwd":"no"}', 1), (b'{"passwd":"pw"}', 0)):
                assert status_of(raw.say(wire.encode(wire.SERVINFO, param=param)).hear()) == [status], param
            assert raw.say(rpc(param=b'{"a" : 1}')).hear()[0][6] == b'{"a" : 1}'


def test_m20_m21_subscriptions_of_mixed_kinds(place):
    with Raw(place) as raw:
        assert status_of(raw.say(wire.encode(wire.SUBSCRIBE, url="bad")).hear()) == [2]
        mixed = wire.encode(wire.SUBSCRIBE, param=b'["/a",1,null,{"x":[]},"b"]')
        assert status_of(raw.say(mixed).hear() + raw.say(wire.encode(wire.SUBSCRIBE, param=b"{}")).hear()) == [0, 2]
        many = wire.encode(wire.SUBSCRIBE, param=json.dumps([f"/{number}" for number in range(1100)]).encode())
        assert status_of(raw.say(many).hear()) == [6] or raw.is_ended()      # too many, or too long for a board


STAMP = 35                     # SO_TIMESTAMPNS of Linux: when the kernel had it


def came_at(raw):
    """(s, ns) at which the next packet of this client was there."""
    data, marks, _, _ = raw.link.recvmsg(65536, 64)
    raw.packets += raw.receiver.feed(data)
    return struct.unpack("qq", marks[0][2])


def mark_of(place, raw):
    """The TOS that the server's end of this connection has."""
    address, port = raw.link.getsockname()
    ends = "src", "{}:{}".format(*place), "dst", f"{address}:{port}"
    said = subprocess.run(["ss", "-Htn", "--tos", *ends], capture_output=True, text=True, check=True).stdout
    return re.search(r"tos:(\S+)", said)[1]


def test_a_higher_priority_is_told_to_its_client_marks_its_packets_and_comes_first(place):
    with Raw(place) as first, Raw(place) as second, Raw(place) as asker:
        for raw in (first, second):
            raw.link.setsockopt(socket.SOL_SOCKET, STAMP, 1)
            assert status_of(raw.say(HELLO + wire.encode(wire.SUBSCRIBE, url="/m")).hear(2)) == [0, 0]
        for priority, mark in ((5, "0xa8"), (0, "0"), (7, "0xe8")):
            said = second.say(rpc("/prio", b'{"p":%d}' % priority)).hear(2)
            assert [packet[:4] for packet in said] == [(wire.QOSSETUP, wire.REPLY, priority, 0), (wire.RPC, 1, 0, 1)]
            assert mark_of(place, second) == mark and mark_of(place, first) == "0"
        assert status_of(second.say(rpc("/prio", b'{"p":8}')).hear()) == [4]
        for before, after in ((second, first), (first, second)):
            for _ in range(3):
                assert status_of(asker.say(rpc("/pub", b'{"url":"/m"}')).hear()) == [0]
                assert came_at(before) < came_at(after)
                assert [raw.hear()[0][5] for raw in (before, after)] == ["/m", "/m"]
            second.say(rpc("/prio", b'{"p":0}')).hear(2)     # and so the one that came first is the first again


def test_m22_a_second_servinfo_is_answered_with_the_same_number(place):
    with Raw(place) as raw:
        first, second = raw.say(HELLO).hear()[0], raw.say(HELLO).hear()[0]
        assert first[7] == second[7] and len(first[7]) == 4 and json.loads(first[6]) == {"name": "golden", "ver": 1}


def test_m23_to_m26_urls_with_slashes_find_their_handler(place):
    rows = (("/a", "/a/"), ("/a/", "/a/"), ("/a/b", "/a/"), ("/", "/"), ("/zzz", "/"), ("/ab", "/"))
    with Raw(place) as raw:
        for url, wild in rows:
            assert json.loads(raw.say(rpc(url)).hear()[0][6]) == {"wild": wild, "url": url}


def test_m27_a_handler_that_raises_costs_one_reply(place):
    with Raw(place) as raw:
        assert status_of(raw.say(rpc("/raise")).hear()) == [4]
        assert raw.say(rpc("/reply_raise") + rpc("/later")).hear(2) == [ECHOED, ECHOED]


def test_m28_to_m32_m38_quick_datagrams_count_only_from_the_address_that_was_announced(place):
    with Raw(place) as raw, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        for udp in (own, foreign):
            udp.bind(("127.0.0.1", 0))
            udp.settimeout(WAIT_S)
        ident = int.from_bytes(raw.say(wire.encode(wire.SERVINFO, wire.TUNNEL, tunid=own.getsockname()[1])).hear()
                               [0][7], "big")
        good = wire.encode(wire.DATAGRAM, 0, 0, ident, 0, "/q", b"[1]")
        before = json.loads(raw.say(rpc("/counts")).hear()[0][6])["strange"]
        for wrong in (b"abc", b"", rpc(number=ident), good[:16] + b"\0\0\xff\xff" + good[20:]):
            own.sendto(wrong, place)
        foreign.sendto(good, place)
        eventually(lambda: json.loads(raw.say(rpc("/counts")).hear()[0][6])["strange"], lambda now: now == before + 5)
        own.sendto(good, place)
        packet = wire.datagram(own.recv(2000))
        assert packet[0] == wire.DATAGRAM and json.loads(packet[6]) == {"url": "/q", "was": [1]}
        own.sendto(wire.encode(wire.DATAGRAM, seqno=ident), place)
        assert json.loads(wire.datagram(own.recv(2000))[6]) == {"url": "", "was": None}


def test_m33_m34_clients_that_come_and_go(place):
    for end in (False, True):
        for number in range(50):
            with Raw(place) as raw:
                if not number % 8:       # so that no more are waiting for accept() than a board has room for
                    assert raw.say(HELLO).hear()
                if end:
                    raw.say(HELLO)
                    raw.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_m37_who_never_says_servinfo_is_closed_after_five_seconds(servers):
    raws = [Raw(servers[kind]) for kind in OWN]
    for raw in raws:
        raw.link.settimeout(10)
        assert raw.say(rpc()).hear() == [ECHOED]
    for raw in raws:
        assert raw.is_ended()
        raw.link.close()


def test_a_client_that_never_reads_is_dropped_and_counted_and_the_others_are_served(place):
    with Raw(place, 4096) as deaf, Raw(place) as other:
        assert len(deaf.say(HELLO + wire.encode(wire.SUBSCRIBE, url="/flood")).hear(2)) == 2
        other.say(HELLO).hear()
        dropped = json.loads(other.say(rpc("/counts")).hear()[0][6])["dropped"]
        for _ in range(200):
            flood = rpc("/flood", b'{"n":20,"size":4000}')
            assert status_of(other.say(flood).hear()) == [0]
            if json.loads(other.say(rpc("/counts")).hear()[0][6])["dropped"] == dropped + 1:
                return
        raise AssertionError("nobody was dropped")


# -- our client


class Scripted(threading.Thread):
    """A server that says exactly these segments to one client after its greeting."""

    def __init__(self, *segments):
        super().__init__(daemon=True)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.segments, self.is_over, self.said = segments, threading.Event(), b""
        self.place = self.door.getsockname()
        self.start()

    def run(self):
        link, _ = self.door.accept()
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with link, self.door:
            self.said = link.recv(4096)
            for segment in self.segments:
                link.sendall(segment)
            self.is_over.wait(WAIT_S)


WELCOME = wire.encode(wire.SERVINFO, wire.REPLY, param=b'{"x":1}', data=b"\0\0\0\7")


def test_a_greeting_octet_by_octet_and_what_is_glued_to_it_is_heard():
    message = wire.encode(wire.PUBLISH, url="/m", param=b"[1]")
    for segments in ([WELCOME[at:at + 1] for at in range(len(WELCOME))] + [message], [WELCOME + message]):
        server = Scripted(*segments)
        heard = Heard(ours, server.place)
        assert heard.code == 0 and heard.client.id == 7
        heard.hears(("/m", [1], b"", False))
        heard.client.close()
        server.is_over.set()


def test_a_server_that_talks_nonsense_has_its_code():
    for segment, code in ((b"HTTP/1.1 200 OK\r\n\r\n      ", 5), (wire.encode(wire.PUBLISH, url="/m"), 5),
                          (wire.encode(wire.SERVINFO, wire.REPLY, data=b"\0"), 5),
                          (wire.encode(wire.SERVINFO, wire.REPLY, wire.PASSWORD), 6)):
        server = Scripted(segment)
        assert Heard(ours, server.place).code == code
        server.is_over.set()
