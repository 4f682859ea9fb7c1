"""VSOA: what our client does with a server that does not play along, and which packets leave a server together."""
import asyncio
import socket

import pytest

from micrOS.source import vsoa as ours
from micrOS.source.pure import vsoa as wire
from micrOS.source.vsoa.remote import RemoteClient
from tests.device.test_vsoa import HELLO, WAIT_S, WELCOME, Heard, Raw, Scripted, free_port, is_up, process, rpc
from tests.device.test_vsoa_names import node  # noqa: F401 - a fixture
from tests.device.wire import eventually

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.slow]


@pytest.fixture
def udp():
    """(the server's socket, one of somebody else on the same host)"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        for link in (own, foreign):
            link.bind(("127.0.0.1", 0))
            link.settimeout(WAIT_S)
        yield own, foreign


def welcome(udp):
    """A greeting that names another port for quick packets than that of the server."""
    port = udp.getsockname()[1]
    return wire.encode(wire.SERVINFO, wire.REPLY, data=b"\0\0\0\7" + port.to_bytes(2, "big"))


def message(url):
    return wire.encode(wire.PUBLISH, url=url, param=b"[1]")


# -- the quick channel


def test_quick_packets_count_only_from_the_port_of_the_server(udp):
    own, foreign = udp
    server = Scripted(welcome(own))
    heard = Heard(ours, server.place)
    place = "127.0.0.1", wire.datagram(server.said)[4]       # as it has announced
    foreign.sendto(message("/foreign"), place)
    own.sendto(message("/own"), place)
    heard.hears(("/own", [1], b"", True))
    heard.client.close()
    server.is_over.set()


def mark_of(link):
    """The TOS of the next datagram."""
    _, marks, _, _ = link.recvmsg(2000, 64)
    return marks[0][2][0]


@pytest.mark.parametrize("kind", ["host", "board"])
def test_a_priority_marks_what_a_client_sends(udp, node, kind):  # noqa: F811
    own, _ = udp
    own.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    marked = Scripted(welcome(own), wire.encode(wire.QOSSETUP, wire.REPLY, 5) + message("/m"))
    if kind == "host":
        heard = Heard(ours, marked.place)
        heard.hears(("/m", [1], b"", False))
        assert heard.client.datagram("/q", None, True)
        assert mark_of(own) == 5 << 5 | 8
        heard.client.close()
    else:
        node.shell("robot go vsoa://{}:{}".format(*marked.place))
        eventually(lambda: node.shell("robot state"), lambda said: "/m" in said)
        assert node.shell("robot quick /q") == "True"
        assert mark_of(own) == 5 << 5 | 8
        node.shell("robot stop")
    marked.is_over.set()


# -- what does not leave, and what is refused


def test_who_learns_that_a_request_does_not_leave_is_not_called_back():
    server, called, sent = Scripted(WELCOME), [], 0
    heard = Heard(ours, server.place)
    data = ours.Payload(None, bytes(200_000))
    while heard.client.call("/x", payload=data, callback=lambda *args: called.append(args[1:])):
        sent += 1
        assert sent < 1000
    assert heard.client.pendings == sent > 0 and not called
    server.is_over.set()                     # it closes, unread
    eventually(lambda: len(called), lambda count: count >= sent)
    assert called == [(None, None)] * sent and not heard.client.connected


def test_what_a_server_refuses_is_not_asked_for_again_and_what_it_took_is():
    with process("host") as place:
        heard = Heard(ours, place)
        assert heard.done(heard.client.subscribe, "/m") is True
        many = [f"/{number}" for number in range(1100)]
        assert heard.done(heard.client.subscribe, ["/m", *many]) is False      # more than a server keeps
        assert heard.client.wanted == ["/m"]
        heard.client.subscribe(many)         # nobody waits for its answer
        heard.client.subscribe(["bad", 1])
        assert heard.done(heard.client.ping) is True and heard.client.wanted == ["/m"]
        heard.client.close()


# -- what leaves together


class Written:
    """A link that has one read, and remembers each write; ends when as many packets were written as are wanted."""

    def __init__(self, read, wanted):
        self.read, self.wanted, self.writes = read, wanted, []
        self.raw = None

    def send(self, data):
        self.writes.append([packet[3] for packet in wire.Receiver().feed(bytes(data))])
        return len(data)

    async def receive(self):
        read, self.read = self.read, b""
        while not read and sum(map(len, self.writes)) < self.wanted:
            await asyncio.sleep(0)
        return read

    async def writable(self):
        pass

    def close(self):
        pass


def written(stream, wanted, answer=lambda client, request, payload: client.reply(request.seqno, payload)):
    """[[number of a reply, ...] of each write] of a server that reads this in one piece."""
    async def serve():
        server, link = ours.Server(), Written(stream, wanted)
        server.command("/echo")(answer)
        client = RemoteClient(server, 0, link, ("127.0.0.1", 1))
        client.state = "up"
        await asyncio.wait_for(server._serve(client), WAIT_S)
        return link.writes
    return asyncio.run(serve())


def test_replies_to_what_came_together_leave_in_order_and_in_fewer_writes():
    writes = written(b"".join(rpc(number=number) for number in range(200)), 200)
    assert sum(writes, []) == list(range(200)) and len(writes) < 100
    assert written(rpc(number=7), 1) == [[7]]


def test_a_greeting_leaves_alone():
    writes = written(rpc(number=1) + rpc(number=2) + HELLO + rpc(number=3) + rpc(number=4), 5)
    assert [0] in writes and sum(writes, []) == [1, 2, 0, 3, 4]


def test_what_was_said_before_a_client_is_sent_away_leaves_and_what_comes_after_does_not():
    def answer(client, request, payload):
        client.reply(request.seqno, payload)
        if request.seqno == 2:
            client.close()

    writes = written(b"".join(rpc(number=number) for number in (1, 2, 3)), 2, answer=answer)
    assert sum(writes, []) == [1, 2]


def test_a_slow_handler_keeps_back_no_reply_of_the_one_before():
    """The second begins when another millisecond has begun: what the first has said is gone by then."""
    seen = []

    def answer(client, request, payload):
        seen.append([number for write in client.out.link.writes for number in write])
        client.reply(request.seqno, payload)
        begun_ms = ours.ground.now_ms()
        while ours.ground.now_ms() - begun_ms < 2:
            pass

    assert sum(written(b"".join(rpc(number=number) for number in (1, 2, 3)), 3, answer=answer), []) == [1, 2, 3]
    assert seen == [[], [1], [1, 2]]


def test_a_board_answers_what_came_together_too(node):  # noqa: F811
    port = free_port()
    assert node.shell(f"vsoa load {port}") == f"VSOA on port {port}"
    eventually(lambda: is_up((node.address, port)), bool)
    stream = b"".join(wire.encode(wire.PINGECHO, seqno=number) for number in range(500))
    with Raw((node.address, port)) as raw:
        raw.say(HELLO).hear()
        assert [packet[3] for packet in raw.say(stream).hear(500)] == list(range(500))
    assert node.shell("vsoa stop") == "VSOA is off"
