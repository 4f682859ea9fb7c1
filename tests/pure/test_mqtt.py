"""MQTT packets and sessions: bytes of the standard, splits, limits, both roles; runs on CPython and on MicroPython."""
from micrOS.source.pure import mqtt, mqtt_server
from micrOS.source.pure.mqtt import CLIENT, MqttError, Receiver
from micrOS.source.pure.mqtt_server import SERVER, Served
from micrOS.source.pure.mqtt_session import ANSWER_MS, Client

PUBLISHED = mqtt.publish("a/b", b"hi", 1, 7)
EVERYTHING = (
    mqtt.connect("id", "user", b"\xffpass", 30, ("w", b"gone", 1, True), False),
    PUBLISHED, mqtt.publish("a/b", "", retain=True), mqtt.puback(7), mqtt.subscribe(1, (("a/+", 1), ("#", 0))),
    mqtt.unsubscribe(2, ("a/+",)), mqtt.packet(mqtt.PINGREQ), mqtt.packet(mqtt.DISCONNECT))
PACKETS = [
    (mqtt.CONNECT, "id", "user", b"\xffpass", 30, False, ("w", b"gone", 1, True)),
    (mqtt.PUBLISH, "a/b", b"hi", 1, 7, False, False), (mqtt.PUBLISH, "a/b", b"", 0, 0, False, True), (mqtt.PUBACK, 7),
    (mqtt.SUBSCRIBE, 1, [("a/+", 1), ("#", 0)]), (mqtt.UNSUBSCRIBE, 2, ["a/+"]), (mqtt.PINGREQ,), (mqtt.DISCONNECT,)]


def refusal(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except MqttError as error:
        return str(error)
    return None


def read(data, takes=SERVER, most_bytes=mqtt.MOST_BYTES, is_skipping=False):
    return list(Receiver(takes, most_bytes, is_skipping).feed(data))


def pair(**how):
    """A client and its server, both up."""
    client, served = Client("id", **how), Served(0)
    client.open(0)
    list(served.feed(client.take(), 0))
    served.accept()
    list(client.feed(served.take(), 0))
    return client, served


def passed(sender, receiver, now_ms=0):
    return list(receiver.feed(sender.take(), now_ms))


def test_the_bytes_are_those_of_the_standard():
    rows = ((mqtt.connect("c", "u", "p"), b"\x10\x13\0\4MQTT\4\xc2\0\x3c\0\1c\0\1u\0\1p"),
            (mqtt.connect("c", keep_alive_s=0), b"\x10\x0d\0\4MQTT\4\x02\0\0\0\1c"),
            (PUBLISHED, b"\x32\x09\0\3a/b\0\7hi"), (mqtt.publish("t", "x", 1, 1, True, True), b"\x3b\6\0\1t\0\1x"),
            (mqtt.puback(258), b"\x40\2\1\2"), (mqtt.subscribe(1, (("a", 1),)), b"\x82\6\0\1\0\1a\1"),
            (mqtt.unsubscribe(1, ("a",)), b"\xa2\5\0\1\0\1a"), (mqtt.packet(mqtt.DISCONNECT), b"\xe0\0"),
            (mqtt_server.connack(), b"\x20\2\0\0"), (mqtt_server.connack(5, True), b"\x20\2\0\5"),
            (mqtt_server.suback(1, (1, mqtt.FAILED)), b"\x90\4\0\1\1\x80"))
    for packet, wire in rows:
        assert packet == wire, wire


def test_a_split_anywhere_changes_nothing():
    stream = b"".join(EVERYTHING)
    assert read(stream) == PACKETS
    for at in range(len(stream)):
        receiver = Receiver(SERVER)
        assert list(receiver.feed(stream[:at])) + list(receiver.feed(stream[at:])) == PACKETS
    receiver = Receiver(SERVER)
    assert sum([list(receiver.feed(bytes((byte,)))) for byte in stream], []) == PACKETS


def test_a_length_takes_one_to_four_bytes():
    for size, wire in ((0, b"\0"), (127, b"\x7f"), (128, b"\x80\1"), (16383, b"\xff\x7f"), (16384, b"\x80\x80\1")):
        assert mqtt.packet(3, bytes(size))[1:len(wire) + 1] == wire
    assert "four bytes" in refusal(read, b"\x30\x80\x80\x80\x80\1")
    payload = bytes(20000)
    assert read(mqtt.publish("t", payload))[0][2] == payload


def test_what_has_no_place_ends_the_stream_and_what_came_before_stands():
    rows = (b"\x20\2\0\0", b"\0\0", b"\xf0\0", b"\x36\5\0\1t\0\1", b"\x34\5\0\1t\0\1", b"\x38\3\0\1t",
            b"\x32\5\0\1t\0\0", b"\x30\4\0\2a+", b"\x30\2\0\0", b"\x30\3\0\2a", b"\x30\4\0\2a\0", b"\x41\2\0\1",
            b"\x40\2\0\0", b"\x40\3\0\1\0", b"\x80\6\0\1\0\1a\1", b"\x82\2\0\1", b"\x82\6\0\1\0\1a\3",
            b"\x82\5\0\1\0\1a", b"\x82\7\0\1\0\2a#\0", b"\xa2\2\0\1", b"\xc0\1\0", b"\x10\x0d\0\4MQTX\4\2\0\0\0\1c",
            b"\x10\x0d\0\4MQTT\5\2\0\0\0\1c", b"\x10\x0d\0\4MQTT\4\3\0\0\0\1c",
            b"\x10\x10\0\4MQTT\4\x42\0\0\0\1c\0\1p", b"\x10\x0d\0\4MQTT\4\x0a\0\0\0\1c",
            b"\x10\x0e\0\4MQTT\4\2\0\0\0\1cx", b"GET / HTTP/1.1\r\n\r\n")
    for wrong in rows:
        receiver, packets = Receiver(SERVER), []
        for _ in range(2):
            try:
                for packet in receiver.feed(PUBLISHED + wrong):
                    packets.append(packet)
                raise AssertionError(wrong)
            except MqttError:
                assert packets == [PACKETS[1]], wrong


def test_text_is_strict_utf8():
    for wrong in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd", b"a\0"):
        assert refusal(mqtt.text_at, b"\0" + bytes((len(wrong),)) + wrong, 0), wrong
    for right in ("", "a", "\u00e9\u8f66\U0001f697", "\ud7ff\ue000\U0010ffff"):
        wire = right.encode()
        assert mqtt.text_at(b"\0" + bytes((len(wire),)) + wire + b"more", 0) == (right, 2 + len(wire))


def test_the_cap_counts_what_is_behind_the_length_before_it_has_come():
    assert read(PUBLISHED, most_bytes=9) == [PACKETS[1]]
    assert "takes 8 bytes here, got 9" in refusal(read, PUBLISHED, most_bytes=8)
    assert "got 268435455" in refusal(read, b"\x32\xff\xff\xff\x7f", most_bytes=1000)


def test_a_giant_publication_can_be_skipped_and_costs_no_memory():
    giant = mqtt.publish("reply/0001", bytes(30000), 1, 9)
    receiver, packets = Receiver(CLIENT, 1000, True), []
    for at in range(0, len(giant), 100):
        packets += list(receiver.feed(giant[at:at + 100]))
        assert len(receiver._rest) < 1000
    packets += list(receiver.feed(PUBLISHED))
    assert packets == [(mqtt.PUBLISH, "reply/0001", None, 1, 9, False, False), PACKETS[1]]
    assert read(giant + PUBLISHED, CLIENT, 1000, True) == packets


def test_filters_take_topics():
    rows = (("a/b", "a/b", True), ("a/b", "a", False), ("a", "a/b", False), ("a/+", "a/b", True), ("a/+", "a", False),
            ("a/+", "a/", True), ("+", "a/b", False), ("+/+", "/a", True), ("/+", "/a", True), ("+", "/a", False),
            ("#", "a/b", True), ("a/#", "a", True), ("a/#", "a/b/c", True), ("a/#", "ab", False),
            ("a/+/c", "a/b/c", True), ("#", "$SYS/a", False), ("+/a", "$SYS/a", False), ("$SYS/#", "$SYS/a", True))
    for name, topic, wanted in rows:
        assert mqtt.matches(name, topic) is wanted, (name, topic)
    for wrong in ("", "a/#/b", "a#", "a+", "+a/b", "a/b#", "a\0"):
        assert refusal(mqtt.checked_filter, wrong), wrong
    for wrong in ("", "#", "a/+", "a\0"):
        assert refusal(mqtt.publish, wrong), wrong


def test_a_password_is_never_told():
    assert refusal(mqtt.connect, "id", None, "secret") == "a password needs a user"
    assert "secret" not in refusal(mqtt.connect, "id", "user", "secret" * 20000)


def test_publications_go_both_ways_and_are_acknowledged():
    client, served = pair()
    assert client.publish("t", b"0") == 0 and client.publish("t", b"1", 1) == 1
    assert [packet[2] for packet in passed(client, served)] == [b"0", b"1"]
    assert passed(served, client) == [(mqtt.PUBACK, 1)] and not client.in_flight
    assert served.publish("r", b"2", 1) == 1
    assert passed(served, client)[0][:3] == (mqtt.PUBLISH, "r", b"2")
    passed(client, served)
    assert not served.in_flight and served.take() == client.take() == b""


def test_what_goes_out_is_taken_in_whole_packets():
    client, _ = pair()
    for _ in range(5):
        client.publish("t", b"x")                # 6 bytes
    assert [len(client.take(13)) for _ in range(4)] == [12, 12, 6, 0]
    client.publish("t", bytes(50))
    assert len(client.take(1)) == 55


def test_a_publication_that_could_not_be_kept_is_not_acknowledged():
    client, served = pair()
    client.publish("t", b"1", 1)
    for _ in served.feed(client.take(), 0):
        break
    assert served.take() == b"" and len(client.in_flight) == 1


def test_the_window_is_a_bound_and_numbers_are_not_given_twice():
    client, served = pair(window=3)
    assert [client.publish("t", b"", 1) for _ in range(4)] == [1, 2, 3, None] and not client.room()
    client._ident = 65534
    list(client.feed(mqtt.puback(2) + mqtt.puback(2), 0))
    assert client.publish("t", b"", 1) == 65535
    list(client.feed(mqtt.puback(65535), 0))
    assert client.publish("t", b"", 1) == 2      # 1 and 3 are under way


def test_what_was_not_acknowledged_goes_out_again_in_order_and_marked():
    client, served = pair()
    for number in range(3):
        client.publish("t", bytes((number,)), 1)
    client.take()
    client.lost()
    client.publish("t", b"\3", 1)                # while there is no link
    assert client.take() == b""
    client.open(0)
    served = Served(0)
    passed(client, served)
    served.accept()
    passed(served, client)
    again = passed(client, served)
    assert [(packet[2], packet[4], packet[5]) for packet in again] == [(bytes((n,)), n + 1, True) for n in range(4)]
    passed(served, client)
    assert not client.in_flight


def test_a_server_may_take_over_what_a_session_has_under_way():
    client, served = pair()
    served.publish("r", b"x", 1)
    served.take()
    client.lost()
    client.open(0)
    after = Served(0)
    passed(client, after)
    after.accept(True, served.in_flight)
    assert passed(after, client) == [(mqtt.CONNACK, True, 0), (mqtt.PUBLISH, "r", b"x", 1, 1, True, False)]


def test_filters_are_granted_one_by_one():
    client, served = pair()
    assert client.subscribe(("a/#", 1), ("b", 0)) == 1
    assert passed(client, served) == [(mqtt.SUBSCRIBE, 1, [("a/#", 1), ("b", 0)])]
    served.granted(1, (1, mqtt.FAILED))
    assert passed(served, client) == [(mqtt.SUBACK, 1, (1, 128))]
    assert client.unsubscribe("b") == 2
    assert passed(client, served) == [(mqtt.UNSUBSCRIBE, 2, ["b"])] and passed(served, client) == [(mqtt.UNSUBACK, 2)]


def test_a_refused_client_hears_why():
    client, served = Client("id", "user", "wrong"), Served(0)
    client.open(0)
    assert passed(client, served)[0][:4] == (mqtt.CONNECT, "id", "user", b"wrong")
    served.refuse(mqtt.NOT_ALLOWED)
    assert passed(served, client) == [(mqtt.CONNACK, False, 5)] and client.state == "opening"


def test_another_version_is_told_so():
    served = Served(0)
    assert "level 4, got MQTT 5" in refusal(list, served.feed(b"\x10\x0d\0\4MQTT\5\2\0\0\0\1c", 0))
    assert served.take() == b"\x20\2\0\1" and served.state == "gone"


def test_each_state_takes_what_it_has_a_place_for():
    for wrong in (PUBLISHED, mqtt.packet(mqtt.PINGREQ), EVERYTHING[0] + PUBLISHED):
        assert "while" in refusal(list, Served(0).feed(wrong, 0)), wrong
    client, served = pair()
    assert "while up" in refusal(list, served.feed(EVERYTHING[0], 0))
    assert "while up" in refusal(list, client.feed(mqtt_server.connack(), 0))
    passed(client, served)
    client.close()
    assert passed(client, served) == [(mqtt.DISCONNECT,)] and served.state == "gone"
    assert "while gone" in refusal(list, served.feed(PUBLISHED, 0))
    client = Client("id")
    client.open(0)
    assert "while opening" in refusal(list, client.feed(PUBLISHED, 0))


def test_a_silent_link_is_asked_and_then_given_up():
    last = (1 << 30) - 1                         # where the clock of a board begins anew
    for start in (0, last - 60_000, last - 59_999):
        client, served = pair()
        client.open(start)
        list(client.feed(mqtt_server.connack(), start))
        client.take()
        assert client.tick(start) == 60_000
        client.publish("t", b"")                 # what is said is no answer
        client.take()
        assert client.tick(start + 60_000 & last) == ANSWER_MS and client.take() == b"\xc0\0"
        list(client.feed(b"\xd0\0", start + 60_001 & last))
        assert client.tick(start + 60_002 & last) == 59_998
        client.tick(start + 120_000 & last)
        assert refusal(client.tick, start + 130_000 & last) == "no answer in 10000 ms"


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up():
    client = Client("id", keep_alive_s=0)
    client.open(5)
    assert client.tick(6) == ANSWER_MS - 1 and refusal(client.tick, 5 + ANSWER_MS)
    list(client.feed(mqtt_server.connack(), 7))
    assert client.tick(10_000_000) > 1_000_000   # never asks


def test_a_client_is_dropped_after_one_and_a_half_keep_alives():
    client, served = pair()
    assert served.tick(89_999) == 1 and "90000" in refusal(served.tick, 90_000)
    passed(client, served)
    list(served.feed(b"\xc0\0", 89_000))
    assert served.tick(90_000) == 89_000 and served.take() == b"\xd0\0"
    assert "10000" in refusal(Served(0).tick, ANSWER_MS)
