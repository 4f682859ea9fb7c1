"""Frames and file requests; runs on CPython and on MicroPython."""
from micrOS.source.pure.webrepl import (
    BINARY,
    GET,
    PING,
    PUT,
    REQUEST_BYTES,
    TEXT,
    FrameError,
    Frames,
    accept_key,
    frame,
    parse_request,
    parse_status,
    request,
    status,
)

FRAMES = (                                    # RFC 6455 section 5.7, the examples
    (b"\x81\x05\x48\x65\x6c\x6c\x6f", TEXT, b"Hello"),
    (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", TEXT, b"Hello"),
    (b"\x89\x05\x48\x65\x6c\x6c\x6f", PING, b"Hello"),
    (b"\x82\x7e\x01\x00" + b"\xab" * 256, BINARY, b"\xab" * 256),
    (b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + b"\xcd" * 65536, BINARY, b"\xcd" * 65536),
    (b"\x81\x00", TEXT, b""),
)


def read(stream, size):
    """(opcode, payload) of all that the stream holds, fed in pieces of size."""
    frames, payload, opcode = Frames(), b"", None
    for at in range(0, len(stream), size):
        for opcode, piece in frames.feed(stream[at:at + size]):     # noqa: B007 (the last opcode is used below)
            payload += bytes(piece)
    return opcode, payload


def refuses(function, *args):
    try:
        function(*args)
    except FrameError:
        return True
    return False


def test_frames_of_the_rfc_are_read_whatever_the_split():
    for stream, opcode, payload in FRAMES:
        for size in (1, 2, 3, 5, 11, 4096, 100000):
            if len(stream) // size < 5000:
                assert read(stream, size) == (opcode, payload), (stream[:8], size)


def test_a_continued_message_keeps_its_opcode():
    assert read(b"\x01\x03Hel\x80\x02lo", 100) == (TEXT, b"Hello")


def test_a_written_frame_reads_back():
    for size in (0, 1, 125, 126, 1024, 65535):
        assert read(frame(b"x" * size, BINARY), 1000) == (BINARY, b"x" * size)


def test_the_handshake_answers_the_key_of_the_rfc():
    assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="      # RFC 6455 section 1.3


def test_a_request_is_82_bytes_and_reads_back():
    for op, name, size in ((PUT, "LM_x.py", 100), (GET, "/modules/LM_ü.py", 0)):
        payload = request(op, name, size)
        assert len(payload) == REQUEST_BYTES
        assert parse_request(payload) == (op, name, size)


def test_the_bytes_of_a_put_request():
    assert request(PUT, "a.py", 258)[:22] == b"WA\x01\x00" + b"\0" * 8 + b"\x02\x01\0\0" + b"\x04\0" + b"a.py"


def test_wrong_requests_and_states_are_refused():
    assert refuses(request, PUT, "n" * 65)
    for payload in (b"XX" + request(PUT, "a")[2:], request(9, "a"), request(PUT, "a")[:18] + b"\xff" * 64):
        assert refuses(parse_request, payload)
    assert refuses(parse_status, b"AB\0\0")
    assert parse_status(status(3)) == 3
