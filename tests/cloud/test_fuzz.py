"""Any octets as MQTT, TR50 or a websocket: packets come through, only documented errors, what is kept is bounded."""
import asyncio
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from micrOS.source.cloud import websocket
from micrOS.source.pure import mqtt, tr50, tr50_cloud
from micrOS.source.pure.mqtt_server import SERVER
from tests.fuzz.effort import hard

CAP = 300
TOPIC = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0+#"), min_size=1, max_size=20)
PUBLISH = st.builds(mqtt.publish, TOPIC, st.binary(max_size=60), st.just(1), st.integers(1, 65535), st.booleans(),
                    st.booleans())
PACKET = st.one_of(PUBLISH, st.builds(mqtt.puback, st.integers(1, 65535)), st.just(mqtt.packet(mqtt.PINGREQ)),
                   st.builds(lambda name: mqtt.subscribe(1, [(name, 1)]), TOPIC))
KEY = st.sampled_from(["1", "2", "success", "command", "params", "errorCodes", "data", "messages", "id", "x"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4), max_leaves=15)


def read(stream, cuts, is_skipping=False):
    """(packets, is_broken)"""
    receiver, packets = mqtt.Receiver(SERVER, CAP, is_skipping), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        try:
            packets.extend(receiver.feed(stream[begin:end]))
        except mqtt.MqttError:
            return packets, True
        assert len(receiver._rest) <= CAP + 5
    return packets, False


@hard
@given(st.lists(PACKET, max_size=5), st.binary(max_size=60), st.booleans(), st.data())
def test_packets_come_through_any_split_and_noise_behind_costs_none(packets, noise, is_skipping, data):
    stream = b"".join(packets) + noise
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    found, is_broken = read(stream, cuts, is_skipping)
    assert found[:len(packets)] == [read(packet, [])[0][0] for packet in packets]
    assert noise or not is_broken and len(found) == len(packets)


@hard
@given(PACKET, st.integers(0, 200), st.integers(1, 255))
def test_a_harmed_packet_is_a_packet_or_the_end(packet, at, harm):
    harmed = bytearray(packet)
    harmed[at % len(harmed)] ^= harm
    for table in (SERVER, mqtt.CLIENT):
        with suppress(mqtt.MqttError):
            list(mqtt.Receiver(table, CAP).feed(bytes(harmed)))


@hard
@given(JSON)
def test_any_json_is_a_request_or_none(value):
    wire = json.dumps(value).encode()
    desk = tr50.Requests()
    desk.ask([tr50.diag_ping(), tr50.mailbox_check()], "tag")
    try:
        for _, _, _, params, _ in desk.answered("reply/0001", wire):
            tr50.mails(params)
        for _, command, params in tr50_cloud.requests(wire):
            tr50_cloud.fault(command, params)
            tr50_cloud.samples("property.batch", params)
    except tr50.Tr50Error:
        assert not isinstance(value, dict)


class _Octets:
    """A link that says these bytes and ends."""

    def __init__(self, data, size):
        self._pieces = [data[at:at + size] for at in range(0, len(data), size)]

    async def read(self):
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, data):
        pass


@hard
@given(st.binary(max_size=80), st.integers(1, 9))
def test_any_octets_are_messages_or_an_oserror(data, size):
    async def run():
        talk = websocket.WebSocket(_Octets(data, size))
        while (await talk.message())[0] != websocket.CLOSE:
            pass
    with suppress(OSError):
        asyncio.run(run())


@hard
@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_mask_is_undone_by_itself(payload, mask):
    masked = websocket.masked(payload, mask)
    assert masked == bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))
