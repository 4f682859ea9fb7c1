"""Harmed VSOA packets for servers that run: each connection ends with documented answers, and others are served."""
import socket
from contextlib import ExitStack

import pytest

from micrOS.source.pure import vsoa
from micrOS.source.pure.vsoa import REPLY, Receiver, encode
from tests.device.test_vsoa import ECHOED, MODULE, Raw, begun, process, rpc
from tests.fuzz.effort import dice, times
from toolkit.simulator import VirtualBoard

pytest.importorskip("vsoa")
pytestmark = pytest.mark.slow
GOOD = [encode(vsoa.RPC, seqno=5, url="/echo", param=b'{"a":1}', data=bytes(20)), rpc("/status", b""), rpc("/a/b"),
        encode(vsoa.SERVINFO, vsoa.TUNNEL, tunid=999, param=b'{"passwd":"x"}'), encode(vsoa.PINGECHO, seqno=3),
        encode(vsoa.SUBSCRIBE, param=b'["/a","/b/"]'), encode(vsoa.UNSUBSCRIBE, url="/a"), rpc("/raise"),
        encode(vsoa.DATAGRAM, url="/d", data=b"x"), encode(vsoa.NOOP), rpc("/prio", b'{"p":3}')]
STREAMS, LOOKS = 1000, 100     # of the suite; after so many somebody else looks whether he is served
# what a server says: replies, a datagram back, a new priority
SAYS = {vsoa.SERVINFO, vsoa.RPC, vsoa.SUBSCRIBE, vsoa.UNSUBSCRIBE, vsoa.PINGECHO, vsoa.QOSSETUP}


@pytest.fixture(scope="module")
def places():
    with ExitStack() as stack:
        files = {"modules/LM_peer.py": MODULE}
        board = stack.enter_context(VirtualBoard(mpy=True, files=files, config={"ntphost": "n/a"}))
        yield {"board": begun(board, 3005), "host": stack.enter_context(process("host"))}


def harmed(draw):
    stream = bytearray(b"".join(draw.choices(GOOD, k=draw.randint(1, 3))))
    for _ in range(draw.randint(1, 4)):
        stream[draw.randrange(len(stream))] = draw.choice((0, 1, 0x29, 0x7F, 0xFF, draw.randrange(256)))
    return bytes(stream)


def answers(place, stream):
    """What a server says to this stream up to its end of the connection."""
    receiver, packets = Receiver(), []
    with socket.create_connection(place, 10) as link:
        try:
            link.sendall(stream)
            link.shutdown(socket.SHUT_WR)
            while data := link.recv(65536):
                packets += receiver.feed(data)
        except ConnectionError:
            pass                         # a documented answer to what is no packet
    assert receiver.broken is None
    return packets


@pytest.mark.parametrize("kind", ["board", "host"])
def test_harmed_packets_are_answered_as_documented_or_end_their_connection(places, kind):
    draw, place = dice(f"vsoa {kind}"), places[kind]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for number in range(times(STREAMS)):
            stream = harmed(draw)
            for packet in answers(place, stream):
                is_reply = packet[0] in SAYS and packet[1] & REPLY and packet[2] in (0, 1, 2, 3, 4, 6, 130)
                assert is_reply or packet[0] == vsoa.DATAGRAM or packet[0] == vsoa.QOSSETUP, (stream, packet)
            udp.sendto(stream, place)
            if number % LOOKS == 0:
                with Raw(place) as other:
                    assert other.say(rpc()).hear() == [ECHOED], stream
