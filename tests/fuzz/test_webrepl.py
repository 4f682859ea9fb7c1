"""Websocket bytes in any split, and file requests of any content, on both interpreters alike."""
import struct
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from micrOS.source.pure.webrepl import (
    BINARY,
    GET,
    NAME_BYTES,
    PUT,
    REQUEST_BYTES,
    TEXT,
    VERSION,
    FrameError,
    Frames,
    accept_key,
    frame,
    parse_request,
    parse_status,
    request,
    status,
)
from tests.fuzz.effort import REPLAYS, dice, hard, times
from tests.fuzz.replay import differences, on_micropython
from tests.fuzz.test_lines import CUTS, split_at

MASKS = st.none() | st.binary(min_size=4, max_size=4) | st.just(b"\0\0\0\0")
FRAME = st.tuples(st.integers(1, 15), st.binary(max_size=40) | st.integers(120, 300).map(b"ab".__mul__), MASKS,
                  st.sampled_from((7, 16, 64)))
MAX_HEADER = 14                      # RFC 6455 section 5.2: 2, 8 of length, 4 of mask


def wire(opcode, payload, mask, size_bits):
    """A frame as RFC 6455 section 5.2 draws it; a long form of the length may stand for a short one."""
    size, masked = len(payload), 0x80 if mask is not None else 0
    if size_bits == 7 and size < 126:
        head = bytes((0x80 | opcode, masked | size))
    elif size_bits == 64:
        head = struct.pack(">BBQ", 0x80 | opcode, masked | 127, size)
    else:
        head = struct.pack(">BBH", 0x80 | opcode, masked | 126, size)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def read(pieces):
    """(opcode, payload) of runs of one opcode; an empty frame has a run of its own nowhere."""
    frames = Frames()
    parts = [part for piece in pieces for part in frames.feed(piece)]
    return joined((opcode, bytes(part)) for opcode, part in parts)


def joined(parts):
    return [(opcode, b"".join(part for _, part in run)) for opcode, run in groupby(parts, key=lambda part: part[0])]


@hard
@given(st.lists(FRAME, max_size=6), CUTS)
def test_frames_read_back_in_any_split(frames, cuts):
    stream = b"".join(wire(*one) for one in frames)
    assert read(split_at(stream, cuts)) == joined((opcode, payload) for opcode, payload, _, _ in frames)


@hard
@given(st.binary(max_size=300), CUTS)
def test_any_bytes_in_any_split_give_what_one_piece_gives(stream, cuts):
    assert read(split_at(stream, cuts)) == read([stream])


@hard
@given(st.binary(max_size=300))
def test_nothing_but_a_header_is_held(stream):
    frames = Frames()
    for at in range(len(stream)):
        try:
            frames.feed(stream[at:at + 1])
        except FrameError:
            return
        assert sum(len(held) for held in vars(frames).values() if isinstance(held, bytes)) <= MAX_HEADER + 4


@hard
@given(st.binary(max_size=70_000), st.sampled_from((TEXT, BINARY)))
def test_a_written_frame_is_the_frame_of_the_rfc(payload, opcode):
    payload = payload[:0xFFFF]
    assert frame(payload, opcode) == wire(opcode, payload, None, 7)


NAMES = st.text(max_size=NAME_BYTES).filter(lambda name: len(name.encode()) <= NAME_BYTES)
REQUESTS = st.builds(lambda op, raw: b"WA" + bytes((op,)) + raw, st.integers(0, 4), st.binary(min_size=79, max_size=79))


def told(parse, payload):
    try:
        return parse(payload)
    except FrameError:
        return None


@hard
@given(st.binary(min_size=REQUEST_BYTES, max_size=REQUEST_BYTES) | REQUESTS)
def test_82_bytes_are_a_request_or_refused(payload):
    parsed = told(parse_request, payload)
    assert parsed is None or request(*parsed)[:3] == payload[:3]


@hard
@given(st.sampled_from((PUT, GET, VERSION)), NAMES, st.integers(0, 0xFFFFFFFF))
def test_a_request_reads_back(op, name, size):
    assert parse_request(request(op, name, size)) == (op, name, size)


@hard
@given(st.binary(min_size=4, max_size=4) | st.integers(0, 0xFFFF).map(status))
def test_4_bytes_are_a_status_or_refused(payload):
    code = told(parse_status, payload)
    assert code is None or status(code) == payload


@hard
@given(st.binary(max_size=80))
def test_any_key_has_an_answer_of_28_characters(key):
    assert len(accept_key(key)) == 28


def corpus():
    chance = dice("webrepl")
    for _ in range(times(REPLAYS) // 2):
        stream = b"".join(random_frame(chance) for _ in range(chance.randint(0, 4)))
        yield "frames", [piece.hex() for piece in split_at(stream, [chance.randint(0, 300) for _ in range(4)])]
        yield "request", random_request(chance).hex()


def random_frame(chance):
    mask = chance.choice((None, bytes(4), chance.randbytes(4)))
    payload = chance.randbytes(chance.choice((0, 1, 5, 125, 126, 200)))
    return wire(chance.randint(0, 15), payload, mask, chance.choice((7, 16, 64)))


def random_request(chance):
    name = chance.choice(("LM_x.py", "/modules/LM_ü.mpy", "", "⚀" * 21)).encode()
    size = chance.choice((0, 1, 65536, 0xFFFFFFFF))
    length = chance.choice((len(name), 64, 65, 0xFFFF))
    return struct.pack("<2sBBQLH64s", chance.choice((b"WA", b"WB")), chance.randint(0, 4), 0, 0, size, length, name)


def test_micropython_reads_the_same():
    assert differences(list(corpus())) == []


def test_a_length_that_no_board_can_count_is_refused_on_micropython():
    heads = [b"\x82\x7f" + size.to_bytes(8, "big") for size in (1 << 63, (1 << 64) - 1)]
    oversized = [("frames", [(head + b"x").hex()]) for head in heads]
    assert [result for result in on_micropython(oversized) if result[0] == "broken"] == []
