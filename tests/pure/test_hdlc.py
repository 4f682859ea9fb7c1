"""HDLC frames and the client's link: recorded conversations, damage of every kind, a meter that loses frames."""
import json

from micrOS.source.pure import hdlc, wrapper
from micrOS.source.pure.hdlc import Frame, Frames, HdlcError, parse
from micrOS.source.pure.hdlc_link import Link
from micrOS.source.pure.hdlc_setup import address, agreed, parameters

with open("tests/vectors/dlms.json") as file:
    SESSIONS = json.load(file)["sessions"]
RECORDED = {session["label"]: session["steps"] for session in SESSIONS}
FRAMES = [bytes.fromhex(text) for label in ("hdlc_none", "hdlc_lls") for step in RECORDED[label] for text in step[1:3]]
CLIENT, METER = address(16), address(1)
UA = bytes.fromhex("7ea02021037373988180140502008006020080070400000001080400000001ce6a7e")


def raises(error, work, *args):
    try:
        work(*args)
    except error:
        return True
    return False


def one(octets):
    return parse(octets[1:-1])


def test_addresses_have_one_two_or_four_octets():
    # IEC 62056-46, 6.4.2; 16 -> 21 and 1 -> 03 are in every recorded frame
    for given, octets in (((16,), "21"), ((1,), "03"), ((1, 17), "0223"), ((1, 0x3FFF), "0002feff"),
                          ((0x80,), "02000001"), ((1, 17, 4), "00020023"), ((127,), "ff")):
        assert address(*given).hex() == octets, given
    for given in ((-1,), (0x4000,), (1, 0x4000), (1, 2, 1), (200, None, 1), (1, 1, 3)):
        assert raises(HdlcError, address, *given), given


def test_every_recorded_frame_goes_both_ways():
    assert len(FRAMES) == 76
    for octets in FRAMES:
        assert one(octets).octets() == octets


def test_frames_with_long_addresses_go_both_ways():
    for meter in ((1, 17), (1, 0x3FFF), (1, 17, 4)):
        octets = Frame(CLIENT, address(*meter), 0x10, b"hello", True).octets()
        frame = one(octets)
        assert (frame.source, frame.destination, frame.information, frame.more) == (address(*meter), CLIENT, b"hello",
                                                                                    True)


def test_every_bit_of_a_frame_counts():
    for octets in (FRAMES[0], FRAMES[2], FRAMES[7]):
        for at in range(8, 8 * len(octets) - 8):
            changed = bytearray(octets)
            changed[at // 8] ^= 1 << at % 8
            assert raises(HdlcError, one, bytes(changed)), at
        for at in range(2, len(octets)):
            assert raises(HdlcError, one, octets[:at])


def received(data, size):
    frames, found = Frames(), []
    for at in range(0, len(data), size):
        found += frames.feed(data[at:at + size])
    return found, frames.dropped


def test_frames_are_found_whatever_the_split_and_may_share_a_flag():
    shared = FRAMES[0] + b"".join([octets[1:] for octets in FRAMES[1:8]])
    for data, count in ((b"".join(FRAMES), 76), (shared, 8), (b"\x7e\x7e".join(FRAMES[:5]), 5)):
        for size in (1, 2, 3, 5, 33, 10000):
            found, dropped = received(data, size)
            assert (len(found), dropped) == (count, 0)


def test_rubbish_between_frames_costs_no_frame():
    for rubbish in (b"\0", b"\xff" * 20, b"\x7e", b"\x7e\xa0\x07", b"\x7e\xa0\x00", b"hello",
                    b"\x7e\xa0\x09" + bytes(7), FRAMES[1][:9]):
        found, _ = received(rubbish + FRAMES[2] + rubbish + FRAMES[3], 4)
        assert [frame.octets() for frame in found][-1] == FRAMES[3], rubbish
        assert len(found) == 2, rubbish


def test_a_damaged_frame_costs_itself_only():
    for at in range(1, len(FRAMES[1]) - 1):
        changed = bytearray(FRAMES[1])
        changed[at] ^= 0x40
        # a length that grew waits for more octets: the driver's time-out clears those
        found, _ = received(bytes(changed) + FRAMES[2] * 70, 1)
        assert len(found) >= 70 - 2100 // len(FRAMES[2]), at
        assert all(frame.octets() == FRAMES[2] for frame in found)


def test_what_both_can_take_is_agreed():
    assert agreed(b"") == {5: 128, 6: 128, 7: 1, 8: 1}
    assert agreed(one(UA).information) == {5: 128, 6: 128, 7: 1, 8: 1}
    assert agreed(parameters(1000, 500, 7, 3)) == {5: 1000, 6: 500, 7: 7, 8: 3}
    assert agreed(parameters(248, 248)) == {5: 248, 6: 248, 7: 1, 8: 1}
    assert parameters() == b""
    for octets in ("81", "818001", "81800205", "8180030501ff00", "8280030501ff", "818003050200", "8180030601ff0a",
                   "818003060100", "818006080400000000"):
        assert raises(HdlcError, agreed, bytes.fromhex(octets)), octets


# -- the link
def linked(**options):
    link = Link(CLIENT, METER, **options)
    link.connect()
    link.take(one(UA))
    return link


def split(octets):
    return Frames().feed(octets)


def from_meter(control, information=b"", more=False):
    return Frame(CLIENT, METER, control, information, more)


def test_the_recorded_conversations_are_spoken_word_for_word():
    for label in ("hdlc_none", "hdlc_lls"):
        link, expected = Link(CLIENT, METER), None
        for name, sent, came, is_trusted in RECORDED[label]:
            frame = one(bytes.fromhex(sent))
            if name == "SNRM/UA":
                said = link.connect()
            elif name == "DISC/UA":
                said = link.disconnect()
            elif "+more" in name:
                said = expected
            else:
                said = link.send(frame.information[3:])
            assert said.hex() == sent, name
            came = one(bytes.fromhex(came))
            if is_trusted:
                expected, _ = link.take(came)
            else:
                assert raises(HdlcError, link.take, came)        # that meter's RLRE lacks the header; DISC follows
        assert link.state == "off"


def test_segments_come_together():
    link, parts = linked(), []
    link.send(b"\xc0")
    for name, _, came, _ in RECORDED["hdlc_none"]:
        if name.startswith("GET 0.0.96.1.9.255"):
            parts.append(one(bytes.fromhex(came)))
    # the numbers of the recording begin elsewhere
    for at, frame in enumerate(parts):
        frame.control = frame.control & 0xF1 | (at & 7) << 1
        said, answer = link.take(frame)
        assert bool(said) == frame.more
    assert answer[:4].hex() == "c401c100" and len(answer) == 4 + 1 + 3 + 700


def test_a_long_question_goes_in_segments_as_the_meter_asks_for_them():
    link = linked()
    question = bytes(range(256)) * 2
    sent = split(link.send(question))
    while len(sent) < 5:
        said, _ = link.take(from_meter(0x11 | (sent[-1].control >> 1 & 7) + 1 << 5))
        sent += split(said)
    assert [frame.more for frame in sent] == [True, True, True, True, False]
    assert b"".join([frame.information for frame in sent]) == hdlc.CLIENT_LLC + question
    assert link.state == "waiting"


def test_a_window_of_three_sends_three_frames_and_lets_the_meter_speak_after_the_third():
    link = Link(CLIENT, METER)
    link.connect()
    link.take(Frame(CLIENT, METER, hdlc.UA, parameters(128, 128, 1, 3)))
    sent = split(link.send(bytes(500)))
    assert [frame.control & 0x1E for frame in sent] == [0x00, 0x02, 0x14]
    said, _ = link.take(from_meter(0x71))
    assert [frame.control & 0x1E for frame in split(said)] == [0x16]


def test_a_window_of_the_meter_is_acknowledged_at_its_end_only():
    link = linked(frames=3)
    link.send(b"\xc0")
    whole = hdlc.METER_LLC + bytes(20)
    assert link.take(from_meter(0x20, whole[:8], True)) == (b"", None)
    assert link.take(from_meter(0x22, whole[8:16], True)) == (b"", None)
    said, _ = link.take(from_meter(0x34, whole[16:20], True))
    assert split(said)[0].control == 0x71
    assert link.take(from_meter(0x36, whole[20:])) == (b"", bytes(20))


def test_a_lost_question_is_said_once_more():
    link = linked()
    question = link.send(b"\xc0\x01")
    poll = split(link.again())[0]
    assert poll.control == 0x11
    said, _ = link.take(from_meter(0x11))            # the meter still waits for frame 0
    assert said == question
    said, answer = link.take(from_meter(0x30, hdlc.METER_LLC + b"yes"))
    assert answer == b"yes"


def test_a_lost_answer_is_asked_for_again():
    link = linked()
    link.send(b"\xc0\x01")
    link.take(from_meter(0x30, hdlc.METER_LLC + b"a", True))
    assert split(link.again())[0].control == 0x31    # frame 1 of the meter is wanted
    # frame 0 again is not taken twice
    said, answer = link.take(from_meter(0x30, hdlc.METER_LLC + b"a", True))
    assert split(said)[0].control == 0x31 and answer is None
    assert link.take(from_meter(0x32, b"b")) == (b"", b"ab")


def test_a_meter_that_works_is_waited_for():
    link = linked()
    link.send(b"\xc0\x01")
    assert link.take(from_meter(0x31)) == (b"", None)        # it has the question, no answer yet
    assert link.state == "waiting"
    assert link.take(from_meter(0x30, hdlc.METER_LLC + b"a"))[1] == b"a"


def test_frames_out_of_place_are_errors():
    for control, information in ((hdlc.UA, b""), (hdlc.DM, b""), (0x97, b""), (0xFF, b""), (0x51, b""),
                                 (0x30, b"no LLC")):
        link = linked()
        link.send(b"\xc0")
        assert raises(HdlcError, link.take, from_meter(control, information)), control
    assert raises(HdlcError, Link(CLIENT, METER).send, b"\xc0")
    assert raises(HdlcError, Link(CLIENT, METER).again)
    assert raises(HdlcError, linked().connect)


def test_a_meter_that_is_not_connected_says_so():
    link = Link(CLIENT, METER)
    link.connect()
    assert raises(HdlcError, link.take, from_meter(hdlc.DM))
    assert link.state == "off"


def test_an_answer_without_end_is_bounded():
    link = linked(most_octets=300)
    link.send(b"\xc0")
    link.take(from_meter(0x30, hdlc.METER_LLC + bytes(125), True))
    link.take(from_meter(0x32, bytes(128), True))
    assert raises(HdlcError, link.take, from_meter(0x34, bytes(128), True))


def test_frames_of_others_on_the_wire_are_passed_over():
    link = linked()
    link.send(b"\xc0")
    for frame in (Frame(address(17), METER, 0x30, b"x"), Frame(CLIENT, address(2), 0x30, b"x"),
                  Frame(METER, CLIENT, 0x10, hdlc.CLIENT_LLC + b"\xc0")):
        assert link.take(frame) == (b"", None)
    assert link.state == "waiting"


# -- the wrapper
def test_the_wrapper_goes_both_ways_whatever_the_split():
    steps = [step for label in ("wrapper_none", "wrapper_lls", "wrapper_none_pdu128_blocktransfer")
             for step in RECORDED[label] if step[3]]
    stream = bytes.fromhex("".join([step[2] for step in steps]))
    for size in (1, 7, 8, 9, 4000):
        reader, found = wrapper.Wrapped(), []
        for at in range(0, len(stream), size):
            found += reader.feed(stream[at:at + size])
        assert b"".join([wrapper.wrap(*each) for each in found]) == stream
        assert len(found) == len(steps)


def test_a_wrapper_that_is_none_is_told():
    for head in ("0002001000010001", "0001000100100000", "00010001001fffff"[:16], "7ea0070321930f01"):
        assert raises(wrapper.WrapperError, wrapper.Wrapped(1000).feed, bytes.fromhex(head)), head
    assert raises(wrapper.WrapperError, wrapper.wrap, 1, 1, bytes(65536))
