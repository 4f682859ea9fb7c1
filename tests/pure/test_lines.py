"""Framing of a terminal's bytes, in every split; runs on CPython and on MicroPython."""
from micrOS.source.pure.lines import LineError, Lines
from micrOS.source.pure.unframed import flush, pending

STREAMS = (
    (b"hello\n", ["hello"]),
    (b"hello\r\n", ["hello"]),
    (b"hello\r\0\nversion\n", ["hello", "version"]),
    (b"a\nb\n\nc\n", ["a", "b", "", "c"]),
    ("é ü\n".encode(), ["é ü"]),
    (b"\xff\xfb\x01he\xff\xfd\x03llo\n", ["hello"]),                      # WILL ECHO, DO SGA
    (b"\xff\xfa\x18\x00xterm\xff\xf0hello\n", ["hello"]),                 # SB TERMINAL-TYPE ... SE
    (b"\xff\xfa\x18\xff\xff\x01\xff\xf0x\n", ["x"]),                      # an escaped 255 inside
    (b"he\xff\xf4llo\n", ["hello"]),                                      # IP, two bytes
)


def feed_in_pieces(lines, stream, size):
    out = []
    for at in range(0, len(stream), size):
        out += lines.feed(stream[at:at + size])
    return out


def test_lines_come_out_whatever_the_split():
    for stream, expected in STREAMS:
        for size in range(1, len(stream) + 1):
            assert feed_in_pieces(Lines(), stream, size) == expected, (stream, size)


def test_text_without_newline_waits_for_the_flush():
    lines = Lines()
    assert lines.feed(b"system clo") == [] and lines.feed(b"ck") == []
    assert pending(lines) == "system clock" and not lines.framed
    assert flush(lines) == "system clock"
    assert flush(lines) is None


def test_half_a_character_is_not_text_yet():
    lines = Lines()
    lines.feed(b"caf\xc3")
    assert pending(lines) == ""
    lines.feed(b"\xa9")
    assert pending(lines) == "café"


def test_one_newline_marks_the_client_as_framed():
    lines = Lines()
    lines.feed(b"hello\nver")
    assert lines.framed and pending(lines) == "ver"


def test_an_overlong_line_gives_one_error_and_its_rest_is_dropped():
    for size in (1, 7, 100, 5000):
        lines = Lines(20)
        commands = feed_in_pieces(lines, b"x" * 4000 + b"\nhello\n", size)
        assert len(commands) == 2 and isinstance(commands[0], LineError) and commands[1] == "hello", size


def test_an_overlong_text_without_newline_gives_its_error_at_the_flush():
    lines = Lines(20)
    assert feed_in_pieces(lines, b"x" * 4000, 256) == []
    assert len(pending(lines)) == 0
    assert isinstance(flush(lines), LineError)
    assert lines.feed(b"hello\n") == ["hello"]


def test_bytes_that_are_not_utf8_give_an_error_and_the_next_line_is_read():
    commands = Lines().feed(b"caf\xc3\nhello\n")
    assert isinstance(commands[0], LineError) and commands[1] == "hello"
