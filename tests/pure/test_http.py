"""Addresses, requests and answers of HTTP/1.1 (RFC 9112); runs on CPython and on MicroPython."""
from micrOS.source.pure.http import MAX_HEAD, MAX_LINE, Answer, HttpError, address, request

ADDRESSES = (
    ("http://a.b", (False, "a.b", 80, "/")),
    ("http://a.b/", (False, "a.b", 80, "/")),
    ("https://a.b/c/d?e=f&g", (True, "a.b", 443, "/c/d?e=f&g")),
    ("http://a.b:8080/c", (False, "a.b", 8080, "/c")),
    ("http://a.b:/c", (False, "a.b", 80, "/c")),
    ("HTTP://a.b?x=1", (False, "a.b", 80, "/?x=1")),
    ("http://a.b/c#part", (False, "a.b", 80, "/c")),
    ("http://a.b#part", (False, "a.b", 80, "/")),
    ("http://a.b/x@y:z", (False, "a.b", 80, "/x@y:z")),
    ("http://127.0.0.1:65535", (False, "127.0.0.1", 65535, "/")),
)
NO_ADDRESSES = (
    "", "a.b", "ftp://a.b", "http:/a.b", "http://", "http:///c", "http://:80/c", "http://a b/c", "http://a.b/ c",
    "http://me@a.b/", "http://me:pw@a.b/", "http://a.b:x/", "http://a.b:0/", "http://a.b:65536/", "http://a.b:-1/",
    "http://a.b:+8/", "http://a.b:8_0/", "http://[::1]/", "http://a.b/\r\nX: y", "http://a.b/\n", "http://a.b/é",
    "http://a.b\\c", "http://a.b/\x7f",
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FIELDS = (b"X: " + b"y" * 1000 + b"\r\n") * (MAX_HEAD // 1000 + 1)      # more than a head may have
ANSWERS = (                      # (bytes, (status, body))
    (OK + b"Content-Length: 5\r\n\r\nhello", (200, b"hello")),
    (b"HTTP/1.0 200 OK\r\ncontent-LENGTH:5\r\n\r\nhello", (200, b"hello")),
    (b"HTTP/1.1 200\r\nContent-Length:  5  \r\n\r\nhello", (200, b"hello")),
    (b"HTTP/1.1 404 No such: thing\r\nX: a: b\r\nContent-Length: 0\r\n\r\n", (404, b"")),
    (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", (200, b"hello")),                       # RFC 9112, 2.2: a bare LF
    (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", (200, b"ab")),
    (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", (304, b"")),
    (b"HTTP/1.1 301 Moved\r\nLocation: http://c.d/\r\nContent-Length: 0\r\n\r\n", (301, b"")),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok")),
    (b"HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
     + OK + b"Content-Length: 1\r\n\r\nx", (200, b"x")),
    # RFC 9112, 7.1: chunks, extensions, a trailer
    (CHUNKED + b"4\r\nWiki\r\n6;a=b\r\npedia \r\nA \r\nin chunks.\r\n0\r\n\r\n",
     (200, b"Wikipedia in chunks.")),
    (OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\n\r\n\r\n0\r\nX: y\r\nZ: z\r\n\r\n", (200, b"\r\n")),
    (OK + b"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", (200, b"a")),
    (CHUNKED + b"000\r\n\r\n", (200, b"")),
    (OK + b"X: " + b"y" * (MAX_LINE - 3) + b"\r\nContent-Length: 1\r\n\r\nz", (200, b"z")),
)
TO_THE_END = (
    (b"HTTP/1.0 200 OK\r\n\r\n", (200, b"")),
    (b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall there is", (200, b"all there is")),
)
BROKEN = (
    b"SSH-2.0-x\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 20\r\n\r\n", b"\r\n", b"\n\n",
    b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 099 x\r\n\r\n", b"HTTP/1.1 -20 x\r\n\r\n", b"HTTP/1.1 abc x\r\n\r\n",
    OK + b"Content-Length: -1\r\n\r\n", OK + b"Content-Length: +1\r\n\r\nx", OK + b"Content-Length: 1 1\r\n\r\nx",
    OK + b"Content-Length: 0x1\r\n\r\nx", OK + b"Content-Length: 1_0\r\n\r\nx", OK + b"Content-Length: a\r\n\r\nx",
    OK + b"Content-Length:\r\n\r\nx", OK + b"Content-Length: 1e3\r\n\r\nx",
    OK + b"Content-Length: 99999999999999999999\r\n\r\n",
    OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"-1\r\nx\r\n", CHUNKED + b"\r\n",
    CHUNKED + b"0x1\r\nx\r\n",
    CHUNKED + b"fffffffffff\r\nx\r\n",
    CHUNKED + b"1\r\nxx\r\n0\r\n\r\n",              # more than it says
    CHUNKED + b"1;" + b"a" * 300 + b"\r\nx\r\n0\r\n\r\n",
    OK + b"X: " + b"y" * MAX_LINE + b"\r\n\r\n",
    OK + FIELDS + b"\r\n",
    b"HTTP/1.1 100 C\r\n\r\n" * (MAX_HEAD // 10),
    CHUNKED + b"0\r\n" + FIELDS,
)


def refusal(work, *args):
    try:
        work(*args)
    except HttpError as error:
        return str(error)
    raise AssertionError("accepted: " + str(args)[:200])


def read(stream, size, method="GET"):
    """(status, body) of an answer that comes in pieces; the peer closes when it was not whole before."""
    answer, body = Answer(method), b""
    for at in range(0, len(stream), size):
        body += answer.feed(stream[at:at + size])
    answer.end()
    return answer.status, body


def test_an_address_is_taken_apart():
    for url, expected in ADDRESSES:
        assert address(url) == expected, url


def test_what_is_no_address_is_refused():
    for url in NO_ADDRESSES:
        assert refusal(address, url), url


def test_a_refusal_does_not_tell_the_path():
    assert "secret" not in refusal(address, "http://a.b/bot1:secret x") + refusal(address, "http://a.b:z/secret")


def test_a_request_is_bytes_with_one_field_a_line():
    assert request("GET", "http://a.b/c?d") == b"GET /c?d HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n"
    assert request("POST", "https://a.b:444", (("X", 1),), b"12") == (
        b"POST / HTTP/1.1\r\nHost: a.b:444\r\nConnection: close\r\nX: 1\r\nContent-Length: 2\r\n\r\n12")
    assert request("GET", "https://a.b:443/").split(b"\r\n")[1] == b"Host: a.b"
    assert b"Content-Length: 0\r\n" in request("POST", "http://a.b/")


def test_a_request_takes_no_line_ends():
    for fields in ((("X", "a\r\nY: b"),), (("X\n", "a"),)):
        assert refusal(request, "GET", "http://a.b/", fields)
    assert refusal(request, "GET / HTTP/1.1\r\nX: y", "http://a.b/")


def test_an_answer_is_the_same_in_every_split():
    for stream, expected in ANSWERS + TO_THE_END:
        for size in list(range(1, min(len(stream), 80) + 1)) + [len(stream)]:
            assert read(stream, size) == expected, (stream[:80], size)


def test_an_answer_that_tells_its_length_is_done_with_its_last_byte_and_not_before():
    for stream, _ in ANSWERS:
        answer = Answer()
        answer.feed(stream[:-1])
        assert not answer.done, stream
        answer.feed(stream[-1:])
        assert answer.done, stream


def test_what_follows_an_answer_is_left_alone():
    assert read(ANSWERS[0][0] + b"HTTP/1.1 500 no\r\n", 1000) == (200, b"hello")


def test_an_answer_to_head_has_no_body():
    assert read(OK + b"Content-Length: 5\r\n\r\n", 7, "HEAD") == (200, b"")


def test_an_answer_without_a_length_lasts_until_the_peer_closes():
    for stream, _ in TO_THE_END:
        answer = Answer()
        answer.feed(stream)
        assert not answer.done and answer.status == 200


def test_an_answer_that_ends_early_is_refused_wherever_it_is_cut():
    for stream, _ in ANSWERS:
        for cut in list(range(0, min(len(stream), 120))) + [len(stream) - 1]:
            assert refusal(read, stream[:cut], 1000) == "the answer ends too early", (stream[:80], cut)


def test_a_broken_answer_is_refused_in_every_split():
    for stream in BROKEN:
        for size in (1, 2, 3, 7, 64, 512, len(stream)):
            assert refusal(read, stream, size) != "the answer ends too early", (stream[:80], size)


def test_a_head_without_end_is_refused_before_it_fills_the_memory():
    for begin in (b"", OK + b"", CHUNKED + b""):
        answer = Answer()
        answer.feed(begin)
        fed = 0
        try:
            while fed < 100000:
                answer.feed(b"x" * 100)
                fed += 100
        except HttpError:
            pass
        assert fed <= MAX_LINE, begin
