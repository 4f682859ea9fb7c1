"""Any octets at all between frames, on both profiles: what is whole comes through, nothing else does."""
from hypothesis import given
from hypothesis import strategies as st

from micrOS.source.pure import quectel
from micrOS.source.pure.rfc1662 import MOST_BYTES, RECEIVERS, decode, encode
from tests.fuzz.effort import hard

PROFILES = st.sampled_from(sorted(RECEIVERS))
LIKELY = st.lists(st.sampled_from((b"\x7e", b"\x7d", b"\x7e\xff\x03", b"\xff\x03\0\x21", b"\0\x06\xbf", b"\0\0",
                                   b"\x08\0", b"\xff\xff")) | st.binary(max_size=8), max_size=12).map(b"".join)
MESSAGE = st.tuples(st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(max_size=80) | LIKELY)


def fed(profile, data, cuts):
    """Frames out of data, cut at these places, then silence."""
    receiver, frames = RECEIVERS[profile](), []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        frames += receiver.feed(data[begin:end])
    return frames + receiver.silence(), receiver


def cuts_of(data, draw):
    return sorted(draw(st.lists(st.integers(0, len(data)), max_size=5)))


@hard
@given(PROFILES, MESSAGE)
def test_what_is_sent_is_what_comes(profile, message):
    assert decode(encode(*message, profile=profile), profile) == message


@hard
@given(PROFILES, st.lists(MESSAGE, max_size=5), st.data())
def test_splits_change_nothing(profile, messages, data):
    stream = b"".join(encode(*message, profile=profile) for message in messages)
    frames, receiver = fed(profile, stream, cuts_of(stream, data.draw))
    assert frames == messages and not receiver.broken and not receiver.noise


@hard
@given(PROFILES, st.binary(max_size=200) | LIKELY, MESSAGE, st.data())
def test_any_noise_costs_no_frame_behind_it(profile, noise, message, data):
    # after noise that ends as an escape or an open frame the first frame may go with it, RFC 1662 section 4.3
    stream = noise + 2 * encode(*message, profile=profile)
    frames, receiver = fed(profile, stream, cuts_of(stream, data.draw))
    assert frames[-1:] == [message] and receiver.is_idle()
    assert receiver.frames == len(frames)


@hard
@given(PROFILES, st.binary(max_size=4 * MOST_BYTES) | LIKELY, st.data())
def test_noise_is_bounded_and_never_raises(profile, noise, data):
    frames, receiver = fed(profile, noise, cuts_of(noise, data.draw))
    assert receiver.is_idle() and receiver.noise <= len(noise)
    for frame in frames:
        assert encode(*frame, profile=profile)


@hard
@given(st.sampled_from((0x2100, 0x2200, 0x2300)), st.integers(0, 255), st.binary(max_size=40))
def test_any_content_is_taken_apart_or_has_its_problem(protocol, command, content):
    info = quectel.parse(protocol, command, content)
    assert info.problem or info.left() <= len(content)
