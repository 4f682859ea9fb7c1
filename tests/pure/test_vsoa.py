"""VSOA: what goes where, splits, limits and what is refused; runs on CPython and on MicroPython."""
from micrOS.source.pure import vsoa
from micrOS.source.pure.vsoa import Receiver, encode, encoded

RPC = encode(vsoa.RPC, seqno=7, url="/echo", param=b'{"a":1}', data=b"\1\2\3")
PACKET = (1, 0, 0, 7, 0, "/echo", b'{"a":1}', b"\1\2\3")


def refusal(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except (ValueError, RuntimeError) as error:
        return str(error)
    return None


def broken(data, most_bytes=vsoa.MOST_BYTES):
    receiver = Receiver(most_bytes)
    return receiver.feed(data), receiver.broken


def test_packets_are_aligned_with_zeros_and_any_pad_is_taken():
    for size in range(9):
        packet = encode(vsoa.DATAGRAM, url="/d", data=b"\xff" * size)
        pad = packet[2] >> 6
        assert not len(packet) & 3 and packet[len(packet) - pad:] == b"\0" * pad
        for more in range(4):            # also those that align nothing
            wrong = packet[:2] + bytes((more << 6,)) + packet[3:len(packet) - pad] + b"\xaa" * more
            assert Receiver().feed(wrong + RPC) == [(5, 0, 0, 0, 0, "/d", b"", b"\xff" * size), PACKET]


def test_a_split_anywhere_changes_nothing():
    stream = RPC + RPC
    for at in range(len(stream)):
        receiver = Receiver()
        assert receiver.feed(stream[:at]) + receiver.feed(stream[at:]) == [PACKET, PACKET]


def test_what_cannot_be_a_packet_ends_the_stream_and_what_came_before_stands():
    rows = (b"\x19" + RPC[1:], b"GET / HTTP/1.1\r\n\r\n", RPC[:16] + b"\xff\xff\xff\xff" + RPC[20:],
            encode(1, url="/eco").replace(b"/eco", b"/\xff\xfe\xff"))
    for wrong in rows:
        packets, why = broken(RPC + wrong)
        assert packets == [PACKET] and why, wrong
        receiver = Receiver()
        receiver.feed(wrong)
        assert receiver.feed(RPC) == [] and receiver.broken


def test_the_cap_counts_the_whole_packet():
    assert broken(RPC, len(RPC)) == ([PACKET], None)
    assert "takes 35 bytes here, got 36" in broken(RPC, len(RPC) - 1)[1]
    assert "takes 32 bytes" in refusal(encode, 1, url="/echo", data=bytes(9), most_bytes=32)
    assert "url 65535, got" in refusal(encode, 1, url="/" * 65536)


def test_a_datagram_is_one_whole_packet():
    assert vsoa.datagram(RPC) == PACKET
    for wrong in (b"", b"abc", RPC[:19], RPC[:-1], b"\x28" + RPC[1:]):
        assert refusal(vsoa.datagram, wrong)


def test_params_go_out_as_the_public_package_has_them():
    rows = (({"a": 1}, b'{"a":1}'), ([1, 2], b"[1,2]"), ("", b'""'), ({}, b"{}"), ("text", b'"text"'),
            ("\u8f66\U0001f697", b'"\\u8f66\\ud83d\\ude97"'), (b"raw", b"raw"), (bytearray(b"raw"), b"raw"),
            (None, b""), (3, b""), (1.5, b""), (True, b""), ((1, 2), b""))
    for value, wire in rows:
        assert encoded(value) == wire, value


def test_params_come_in_as_json_else_as_bytes():
    rows = ((b"", None), (b'{"a":[1]}', {"a": [1]}), (b'"hi"', "hi"), (b"12", 12), (b"{oops", b"{oops"),
            (b"\xff\xfe", b"\xff\xfe"), (b"true", True), (b"{[]:1}", b"{[]:1}"))
    for wire, value in rows:
        assert vsoa.decoded(wire) == value, wire


def test_a_hundred_thousand_brackets_stay_bytes():
    wire = b"[" * 100_000
    assert vsoa.decoded(wire) == wire


def test_a_publication_finds_its_subscribers():
    rows = (("/", "/x", True), ("/", "/", True), ("/a", "/a", True), ("/a/", "/a", True), ("/a/", "/a/", True),
            ("/a/", "/a/b/c", True), ("/a/", "/ab", False), ("/a", "/a/b", False), ("/a", "/a/", False),
            ("/A", "/a", False), ("/topic1", "/topic1/sub", False), ("/t3/", "/t3/x/y", True))
    for subscription, url, wanted in rows:
        assert vsoa.matches(subscription, url) is wanted, (subscription, url)


def test_a_request_finds_its_handler():
    exact, wildcards = {"/a": 1, "/a/b": 2}, (("/a/b/", 3), ("/a/", 4), ("/", 5))
    rows = (("/a", 1), ("/a/b", 2), ("/a/b/", 3), ("/a/b/c", 3), ("/a/", 4), ("/a/x", 4), ("/ab", 5), ("/", 5))
    for url, wanted in rows:
        assert vsoa.handler(exact, wildcards, url) == wanted, url
    assert vsoa.handler(exact, (), "/x") is None


def test_a_subscription_names_one_url_or_a_list():
    rows = (("/t", b"", ["/t"]), ("bad", b"", None), ("", b'["/t2","/t3/"]', ["/t2", "/t3/"]), ("", b"{}", None),
            ("", b"", None), ("", b'["/a",1,null,"b",""]', ["/a"]))
    for url, param, wanted in rows:
        assert vsoa.subscriptions(url, param) == wanted, (url, param)


def test_numbers_of_requests_go_round_and_leave_out_what_waits():
    assert vsoa.seqno_asked(-1, {}) == 0 and vsoa.seqno_asked(65535, {}) == 0
    assert vsoa.seqno_asked(0, {1: 1, 2: 1}) == 3 and vsoa.seqno_asked(65534, {65535: 1, 0: 1}) == 1
    assert "65535 requests wait" in refusal(vsoa.seqno_asked, 0, range(65535))
    assert vsoa.seqno_unasked(0) == 1 << 16 and vsoa.seqno_unasked(65534 << 16) == 65535 << 16
    assert vsoa.seqno_unasked(65535 << 16) == 1 << 16


def test_a_url_is_taken_apart():
    rows = (("vsoa://127.0.0.1:3005/a/b", ("127.0.0.1", 3005, "/a/b")), ("vsoa://name", ("name", None, "")),
            ("vsoa://[::1]:80/", ("::1", 80, "/")), ("http://x:1", ("x", 1, "")))
    for url, wanted in rows:
        assert vsoa.split_url(url) == wanted, url
    for wrong in ("", "127.0.0.1:3005", "vsoa://", "vsoa:///x", "vsoa://a:0", "vsoa://a:65536", "vsoa://a:b"):
        assert refusal(vsoa.split_url, wrong), wrong
    assert [host for host in ("localhost", "1.2.3.4", "::1", "1.2.3", "1.2.3.256", "a.b.c.d") if
            vsoa.is_literal(host)] == ["localhost", "1.2.3.4", "::1"]


def test_an_event_without_a_place_is_refused():
    assert vsoa.after(vsoa.SERVER, "new", "login") == "known" and vsoa.after(vsoa.SERVER, "up", "servinfo") == "up"
    assert refusal(vsoa.after, vsoa.SERVER, "new", "servinfo") == "servinfo while new"
    assert vsoa.after(vsoa.CLIENT, "greeting", "welcome") == "up"
    assert refusal(vsoa.after, vsoa.CLIENT, "up", "connect") == "connect while up"
    for table in (vsoa.SERVER, vsoa.CLIENT):
        for row in table.values():
            assert all(state in table for state in row.values())
