"""Any octets as a VSOA stream or datagram: whole packets come through, nothing raises, what is kept is bounded."""
from hypothesis import given
from hypothesis import strategies as st

from micrOS.source.pure import vsoa
from micrOS.source.pure.vsoa import Receiver, encode
from tests.fuzz.effort import dice, hard, times

CAP = 4096
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
PACKET = st.tuples(st.integers(0, 255), st.integers(0, 63), st.integers(0, 255), st.integers(0, 0xFFFFFFFF),
                   st.integers(0, 0xFFFF), TEXT, st.binary(max_size=40), st.binary(max_size=40))


def fed(receiver, stream, cuts):
    packets = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        packets += receiver.feed(stream[begin:end])
        assert len(receiver._rest) <= CAP + len(stream[begin:end])
    return packets


@hard
@given(st.lists(PACKET, max_size=5), st.data())
def test_splits_change_nothing(packets, data):
    stream = b"".join(encode(*packet) for packet in packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    receiver = Receiver(CAP)
    assert fed(receiver, stream, cuts) == packets and receiver.broken is None


@hard
@given(st.lists(PACKET, max_size=3), st.binary(max_size=200), st.data())
def test_noise_behind_packets_costs_none_of_them(packets, noise, data):
    stream = b"".join(encode(*packet) for packet in packets) + noise
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    assert fed(Receiver(CAP), stream, cuts)[:len(packets)] == packets


def test_harmed_packets_are_packets_or_the_end_wherever_they_are_cut():
    draw = dice("vsoa")
    good = [encode(1, seqno=5, url="/echo", param=b'{"a":1}', data=bytes(20)), encode(2, url="", param=b'["/a","/b/"]'),
            encode(0, 2, tunid=999, param=b'{"passwd":"x"}'), encode(5, url="/d", data=b"x")]
    for _ in range(times(4000)):
        stream = bytearray(b"".join(draw.choices(good, k=3)))
        for _ in range(draw.randint(1, 4)):
            stream[draw.randrange(len(stream))] = draw.choice((0, 1, 0x29, 0x7F, 0xFF, draw.randrange(256)))
        at = draw.randrange(len(stream))
        whole, cut = Receiver(CAP), Receiver(CAP)
        packets = whole.feed(bytes(stream))
        assert cut.feed(bytes(stream[:at])) + cut.feed(bytes(stream[at:])) == packets
        assert whole.broken == cut.broken
        for packet in packets:
            served(packet)


def served(packet):
    """The decisions that a server takes on it."""
    url, param = packet[5:7]
    vsoa.decoded(param)
    vsoa.subscriptions(url, param)
    vsoa.handler({"/echo": 1}, (("/a/", 2), ("/", 3)), url)


@hard
@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x29" + rest))
def test_a_datagram_is_a_packet_or_an_error_of_its_own(data):
    try:
        packet = vsoa.datagram(data)
    except ValueError:
        return
    assert Receiver().feed(data)[:1] == [packet]


@hard
@given(TEXT | TEXT.map("vsoa://{}".format))
def test_a_url_is_taken_apart_or_refused(url):
    try:
        host, port, _ = vsoa.split_url(url)
    except ValueError:
        return
    vsoa.is_literal(host)
    assert port is None or 0 < port < 65536
