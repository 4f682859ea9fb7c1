"""Any bytes in any split: the same commands, a bounded memory, telnet skipped exactly, on both interpreters alike."""
import re

from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure.lines import LineError, Lines
from micrOS.source.pure.unframed import flush, pending
from tests.fuzz.effort import REPLAYS, dice, hard, times
from tests.fuzz.replay import differences

LIMIT = 20
PIECES = (b"\n", b"\n\n", b"\r\n", b"\r\0", b"hello", b"system heartbeat", b"x" * LIMIT, b"x" * 70, " é⚀😀".encode(),
          b"\0",
          b"\xc3", b"\xff", b"\xff\xff", b"\xff\xfb\x01", b"\xff\xfd", b"\xff\xf4", b"\xff\xfa\x18\x00xterm\xff\xf0",
          b"\xff\xfa", b"\xff\xf0", b"\xf0", b"\xfa")
STREAM = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=16).map(b"".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)

# RFC 854: IAC and one byte, WILL WONT DO DONT and one more, SB up to IAC SE; the end of the stream may cut any of them
TELNET = re.compile(rb"\xff(?:\xfa(?:[^\xff]|\xff[^\xf0])*(?:\xff\xf0?)?|[\xfb-\xfe].?|[^\xfa-\xfe]?)", re.DOTALL)


def split_at(stream, cuts):
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[at:end] for at, end in zip(places, places[1:], strict=False)]


def fed(pieces, limit=LIMIT):
    """(commands, state at the end), errors as None."""
    lines, commands = Lines(limit), []
    for piece in pieces:
        commands += lines.feed(piece)
    return told(commands), pending(lines), lines.framed, told([flush(lines)])


def told(commands):
    assert all(command is None or isinstance(command, str | LineError) for command in commands)
    return ["<error>" if isinstance(command, LineError) else command for command in commands]


def read_at_once(stream):
    """What the commands are, said in another way."""
    *lines, _ = TELNET.sub(b"", stream).split(b"\n")
    return [command_of(line) for line in lines]


def command_of(line):
    try:
        return "<error>" if len(line) > LIMIT else line.decode().strip(" \t\r\0")
    except UnicodeDecodeError:
        return "<error>"


@hard
@given(STREAM, CUTS)
@example(b"hel\xff\xfb\x01lo\xff\xff\n", range(1, 12))
def test_any_split_gives_what_one_piece_gives(stream, cuts):
    assert fed(split_at(stream, cuts)) == fed([stream])


@hard
@given(STREAM)
def test_commands_are_the_lines_without_the_telnet_sequences(stream):
    assert fed([stream])[0] == read_at_once(stream)


@hard
@given(STREAM, CUTS)
def test_what_is_pending_never_outgrows_the_limit(stream, cuts):
    lines = Lines(LIMIT)
    for piece in split_at(stream, cuts):
        lines.feed(piece)
        assert len(lines.buffer) <= LIMIT       # pending hides half a character


@hard
@given(STREAM, CUTS)
def test_a_flush_leaves_nothing_of_the_command_behind(stream, cuts):
    lines = Lines(LIMIT)
    for piece in split_at(TELNET.sub(b"", stream), cuts):
        lines.feed(piece)
        flush(lines)
        assert not pending(lines) and flush(lines) is None
    assert lines.feed(b"hello\n") == ["hello"]


SEQUENCE = (st.binary(min_size=1, max_size=1).filter(lambda code: code[0] not in range(250, 255)).map(b"\xff".__add__)
            | st.tuples(st.sampled_from((b"\xff\xfb", b"\xff\xfc", b"\xff\xfd", b"\xff\xfe")),
                        st.binary(min_size=1, max_size=1)).map(b"".join)
            | st.binary(max_size=8).map(lambda data: b"\xff\xfa" + data.replace(b"\xff", b"\xff\xff") + b"\xff\xf0"))


@hard
@given(st.lists(SEQUENCE, max_size=4).map(b"".join), CUTS)
def test_telnet_sequences_take_nothing_that_stands_around_them(sequences, cuts):
    assert fed(split_at(b"sys" + sequences + b"tem\n", cuts))[0] == ["system"]


def corpus():
    """Streams that are UTF-8 as strict as Python's or broken for both; the board's decoder knows no surrogates."""
    chance = dice("lines")
    for _ in range(times(REPLAYS)):
        stream = b"".join(chance.choice(PIECES) for _ in range(chance.randint(0, 12)))
        cuts = [chance.randint(0, 200) for _ in range(chance.randint(0, 8))]
        yield "lines", [LIMIT, *[piece.hex() for piece in split_at(stream, cuts)]]


def test_micropython_reads_the_same():
    assert differences(list(corpus())) == []
