"""Answers of a web server in any framing, split and damage: the same body or an HttpError, on both interpreters."""
import json
import subprocess
import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure.http import MAX_HEAD, MAX_LINE, Answer, HttpError, address, request
from tests.fuzz.effort import REPLAYS, dice, hard, times
from tests.micropython import command

ROOT = Path(__file__).parents[2]
PIECES = (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 \r\n", b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 204 N\r\n",
          b"\r\n", b"\n", b"\r", b"Content-Length: 5\r\n", b"content-length:0\n", b"Content-Length: -1\r\n",
          b"X: y\r\n", b": \r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"hello",
          b"5\r\n", b"5;a=b\r\n", b"0\r\n", b"0\r\n\r\n", b"ffffffffff\r\n", b"x" * 300, b"\xff\x00")
STREAM = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12).map(b"".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)
BODY = st.lists(st.binary(min_size=1, max_size=40), max_size=8)

# the same loop on the board's interpreter; each line: [hex of a piece, ...]
ON_BOARD = """
import json, sys
sys.path.insert(0, ".")
from micrOS.source.pure.http import Answer, HttpError
for row in open({path!r}):
    answer, body = Answer(), b""
    try:
        for piece in json.loads(row):
            body += answer.feed(bytes.fromhex(piece))
        answer.end()
        print(answer.status, "".join(["%02x" % byte for byte in body]))
    except HttpError:
        print("refused")
"""


def split_at(stream, cuts):
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[at:end] for at, end in zip(places, places[1:], strict=False)]


def read(pieces, method="GET"):
    """`status hex`, or `refused`."""
    answer, body = Answer(method), b""
    try:
        for piece in pieces:
            body += answer.feed(piece)
            assert len(answer._rest) <= MAX_LINE + 1 or answer.done
        answer.end()
    except HttpError:
        return "refused"
    return f"{answer.status} {body.hex()}"


@hard
@given(STREAM, CUTS)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", range(1, 70))
def test_any_split_gives_what_one_piece_gives(stream, cuts):
    assert read(split_at(stream, cuts)) == read([stream])


@hard
@given(BODY, CUTS, st.sampled_from(("length", "chunks", "end")), st.binary(max_size=9))
def test_a_body_arrives_whole_in_every_framing(pieces, cuts, framing, after):
    body = b"".join(pieces)
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\n"
    if framing == "length":
        stream = head + b"Content-Length: %d\r\n\r\n" % len(body) + body + after
    elif framing == "chunks":
        chunks = b"".join(b"%X;n=v\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        stream = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nT: x\r\n\r\n" + after
    else:
        stream = head + b"\r\n" + body
    assert read(split_at(stream, cuts)) == f"201 {body.hex()}"
    assert read(split_at(stream, cuts), "HEAD") == "201 "


@hard
@given(STREAM)
def test_without_an_end_no_stream_grows_for_ever(stream):
    answer, fed = Answer(), 0
    try:
        answer.feed(b"HTTP/1.1 200 OK\r\n")
        while fed < 2 * MAX_HEAD and not answer.done and answer._left == 0:
            answer.feed(stream + b"x")
            fed += len(stream) + 1
    except HttpError:
        pass
    assert len(answer._rest) <= MAX_LINE + len(stream) + 1


@hard
@given(st.text(st.sampled_from("htps:/@[]?#ab.\\ \r\n\x00é0189-+"), max_size=40) | st.text(max_size=20))
def test_any_text_is_an_address_or_an_http_error(text):
    for url in (text, "http://" + text):
        try:
            _, host, port, path = address(url)
        except HttpError:
            continue
        assert host and 0 < port < 65536 and path.startswith("/")
        lines = request("GET", url).split(b"\r\n")
        assert len(lines) == 5 and lines[0].count(b" ") == 2 and lines[1].startswith(b"Host: ")


def corpus():
    chance = dice("http")
    for _ in range(times(REPLAYS)):
        stream = b"".join(chance.choice(PIECES) for _ in range(chance.randint(0, 10)))
        stream = chance.choice((b"", PIECES[0], PIECES[0] + b"Transfer-Encoding: chunked\r\n\r\n")) + stream
        yield split_at(stream, [chance.randint(0, 300) for _ in range(chance.randint(0, 6))])


def test_micropython_reads_the_same():
    cases = list(corpus())
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps([piece.hex() for piece in case]) + "\n" for case in cases)
        file.flush()
        words = [*command(), "-X", "heapsize=16M", "-c", ON_BOARD.format(path=file.name)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    assert [line.strip() for line in done.stdout.splitlines()] == [read(case).strip() for case in cases]
