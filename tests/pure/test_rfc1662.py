"""The meter's frames, whole and harmed, both profiles; runs on CPython and on MicroPython."""
import json

from micrOS.source.pure import quectel
from micrOS.source.pure.rfc1662 import MOST_BYTES, QUECTEL, RECEIVERS, RFC1662, FlagReceiver, FrameError, decode, encode

with open("tests/vectors/rfc1662.json") as file:
    VECTORS = json.load(file)
GOOD = encode(0x2100, 0xBF, b"next")
KINDS = {QUECTEL: "quectel", RFC1662: "stuffed"}
EVERY = {profile: [bytes.fromhex(row[KINDS[profile]]) for row in VECTORS["transparent"] + VECTORS["module"]]
         for profile in KINDS}


def refusal(function, *args):
    try:
        function(*args)
    except FrameError as error:
        return str(error)
    return None


def received(profile, *reads):
    receiver = RECEIVERS[profile]()
    frames = []
    for data in reads:
        frames += receiver.feed(data)
    return frames + receiver.silence()


def places(frame):
    return range(len(frame))


# -- the golden vectors, both ways


def test_transparent_frames_go_out_and_come_in_as_the_vectors_say():
    for row in VECTORS["transparent"]:
        data = bytes.fromhex(row["data"])
        for profile, kind in KINDS.items():
            frame = bytes.fromhex(row[kind])
            assert encode(0x2100, 0xBF, data, profile) == frame, row["name"]
            assert decode(frame, profile) == (0x2100, 0xBF, data), row["name"]


def test_control_characters_that_the_line_wants_escaped_are():
    for row in VECTORS["transparent"]:
        data, frame = bytes.fromhex(row["data"]), bytes.fromhex(row["accm"])
        assert encode(0x2100, 0xBF, data, RFC1662, 0xFFFFFFFF) == frame
        receiver = FlagReceiver(accm=0xFFFFFFFF)
        noisy = b"\x11".join([frame[at:at + 1] for at in range(len(frame))])       # XON, put in by a modem
        assert receiver.feed(noisy) == [(0x2100, 0xBF, data)], row["name"]


def test_questions_of_the_module_go_out_as_the_vectors_say():
    for row in VECTORS["module"]:
        data = None if row["data"] is None else bytes.fromhex(row["data"])
        message = quectel.get(row["id"]) if data is None else quectel.set_to(row["id"], data, row["mode"])
        for profile, kind in KINDS.items():
            assert encode(0x2200, *message, profile=profile).hex() == row[kind], row["name"]


def test_messages_are_taken_apart_as_the_vectors_say():
    for row in VECTORS["parse"]:
        protocol, command, data = decode(bytes.fromhex(row["frame"]))
        info = quectel.parse(protocol, command, data)
        value = info.request_data.hex() if isinstance(info.request_data, bytes) else info.request_data
        assert (protocol, command, info.param_id, info.param_len, info.request_id, info.request_type, value,
                info.request_data_len) == (row["protocol"], row["cmd"], row["id"], row["len"], row["request"],
                                           row["type"], row["data"], row["data_len"]), row["name"]
        assert bool(info.problem) == bool(row["said"]), row["name"]


def test_answers_go_out_as_the_vectors_say():
    for row in VECTORS["replies"]:
        protocol, command, data = decode(bytes.fromhex(row["request"]))
        info = quectel.parse(protocol, command, data)
        assert encode(protocol & 0xFF00, *answer(info, *row["call"])).hex() == row["reply"], row["name"]


def answer(info, kind, *rest):
    if kind == "heard":
        return quectel.heard()
    if kind == "got":
        value = rest[1] if rest[0] is None else bytes.fromhex(rest[1])
        return quectel.got(info.param_id, info.request_id, rest[0], value)
    if kind == "image":
        return quectel.image(info.param_id, bytes.fromhex(rest[0]), rest[1])
    return getattr(quectel, kind)(info.param_id, *rest)


def test_a_typed_answer_needs_the_number_of_its_request():
    try:
        quectel.got(0x8003, None, quectel.STR, b"x")
        raise AssertionError("answered")
    except TypeError as error:
        assert "request" in str(error)


def test_what_the_solution_refuses_we_refuse():
    for name, frame in VECTORS["refused"]:
        assert refusal(decode, bytes.fromhex(frame)), name


def test_the_receiver_finds_what_the_vectors_recommend():
    for name, reads, count in VECTORS["receiver"]:
        receiver = RECEIVERS[QUECTEL]()
        frames = []
        for data in reads:
            frames += receiver.feed(bytes.fromhex(data))
        assert len(frames) == count == receiver.frames and receiver.is_idle(), name


# -- splits and harm


def test_a_split_at_any_place_changes_nothing():
    for profile, frames in EVERY.items():
        for frame in frames:
            whole = [decode(frame, profile)]
            for at in places(frame):
                assert received(profile, frame[:at], frame[at:]) == whole
            assert received(profile, *[frame[at:at + 1] for at in range(len(frame))]) == whole


def test_all_frames_in_one_read_come_in_order_with_two_flags_or_one_between():
    for profile, frames in EVERY.items():
        wanted = [decode(frame, profile) for frame in frames]
        assert received(profile, b"".join(frames)) == wanted
        assert received(profile, b"\x7e" + b"".join([frame[1:] for frame in frames])) == wanted


def harmed(frame):
    """The frame with one bit flipped, one octet lost or doubled, cut off: each once at every place."""
    for at in places(frame):
        before, octet, behind = frame[:at], frame[at:at + 1], frame[at + 1:]
        for bit in range(8):
            yield before + bytes((octet[0] ^ 1 << bit,)) + behind
        yield before + behind
        yield before + octet + octet + behind
        yield before


def test_after_any_harm_the_next_frame_is_whole_and_nothing_is_invented():
    for profile, frames in EVERY.items():
        good = encode(0x2100, 0xBF, b"next", profile)
        for frame in frames:
            sent = decode(frame, profile)
            for wrong in harmed(frame):
                got = received(profile, wrong + good)
                assert got and got[-1] == (0x2100, 0xBF, b"next"), (profile, wrong)
                # a lost or doubled flag does no harm
                assert got[:-1] in ([], [sent]), (profile, wrong)


def test_a_harmed_frame_is_counted_once_when_it_had_begun():
    frame = EVERY[QUECTEL][0]
    wrong = frame[:9] + bytes((frame[9] ^ 1,)) + frame[10:]
    receiver = RECEIVERS[QUECTEL]()
    assert receiver.feed(wrong + GOOD) == [(0x2100, 0xBF, b"next")]
    assert (receiver.frames, receiver.broken, receiver.noise) == (1, 1, len(wrong))


def test_a_length_that_cannot_be_costs_nothing_of_what_follows():
    for length in (0, MOST_BYTES + 1, 0x7FFF, 0xFFFF):
        head = b"\x7e\xff\x03\x00\x21" + bytes((length >> 8, length & 255))
        receiver = RECEIVERS[QUECTEL]()
        assert receiver.feed(head + b"\xbf" + GOOD) == [(0x2100, 0xBF, b"next")]


def test_a_length_that_lies_gives_back_after_silence_what_it_had_swallowed():
    head = b"\x7e\xff\x03\x00\x21\x08\x00\xbf"
    receiver = RECEIVERS[QUECTEL]()
    assert receiver.feed(head + GOOD * 3) == []
    assert receiver.silence() == [(0x2100, 0xBF, b"next")] * 3
    assert receiver.is_idle() and receiver.broken == 1


def test_a_length_that_lies_gives_it_back_without_silence_when_it_is_full():
    head = b"\x7e\xff\x03\x00\x21\x00\x40\xbf"
    assert len(RECEIVERS[QUECTEL]().feed(head + GOOD * 6)) == 6


def test_what_a_receiver_keeps_is_bounded_whatever_comes():
    for profile in RECEIVERS:
        for octet in (b"\x7e", b"\x7d", b"\xff", b"\0", b"\x7e\xff\x03", b"\x7e\xff\x03\0\x21\x08\0\xbf"):
            receiver = RECEIVERS[profile]()
            for _ in range(40):
                receiver.feed(octet * (512 // len(octet)))
                assert len(receiver._rest) <= 2 * (MOST_BYTES + 10)


def test_an_abort_and_what_is_too_short_are_no_frames():
    frame = encode(0x2100, 0xBF, b"abc", RFC1662)
    aborted = frame[:-1] + b"\x7d\x7e"                          # RFC 1662 section 4.3
    assert received(RFC1662, aborted + b"\1\2\3\x7e" + frame) == [(0x2100, 0xBF, b"abc")]


def test_one_profile_does_not_take_the_frames_of_the_other():
    assert all(refusal(decode, frame, RFC1662) for frame in EVERY[QUECTEL])
    assert all(refusal(decode, frame, QUECTEL) for frame in EVERY[RFC1662])


def test_what_does_not_fit_is_refused():
    assert len(encode(0x2100, 0xBF, bytes(MOST_BYTES - 1))) == MOST_BYTES + 10
    assert "up to 2047 bytes, got 2048" in refusal(encode, 0x2100, 0xBF, bytes(MOST_BYTES))
    assert "quectel or rfc1662" in refusal(encode, 0x2100, 0xBF, b"", "ppp")


def test_content_of_any_length_never_fails_to_be_taken_apart():
    for protocol, command in ((0x2100, 0xBF), (0x2200, 0xC0), (0x2200, 0xC1), (0x2200, 0xC4), (0x2200, 0xC8)):
        for ident in (b"\x03\x80", b"\x08\x30", b"\x01\x28", b"\x02\x20"):
            data = ident + b"\x09\x01\x02\x09\x05hello"
            for size in range(len(data) + 1):
                info = quectel.parse(protocol, command, data[:size])
                assert info.problem is None or info.problem.startswith(("wants", "no value"))
