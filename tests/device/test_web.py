"""The node as a client of web servers: `Http` that holds up nobody, and the short `urequests` of 1.20."""
import contextlib
import itertools
import socket
import sys
from pathlib import Path

import pytest

from tests.device.web import Web, answer
from tests.device.wire import Wire, eventually

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ASKING = """
import gc
async def get(url, most=8192):
    from Http import fetch
    return await fetch(url, most=most)
async def head(url):
    from Http import fetch
    return await fetch(url, "HEAD")
async def post(url, text):
    from Http import fetch
    return await fetch(url, "POST", (("X-Test", "1"),), text.encode())
async def save(url, path, most):
    from Http import save
    return await save(url, path, most)
def old(url, jsonify=False):
    import urequests
    return urequests.get(url, {"X-Old": "a: b"}, jsonify=jsonify)
def old_post(url, text):
    import urequests
    return urequests.post(url, json={"text": text}, jsonify=True)
def old_data(url, text):
    import urequests
    return urequests.post(url, text)
def used():
    import sys
    for name in ("Http", "pure.http", "urequests"):
        sys.modules.pop(name, None)
    gc.collect()
    return gc.mem_alloc()
"""


@pytest.fixture(scope="module")
def asking():
    """A board for all tests of this file, with a module that asks the web."""
    from toolkit.simulator import VirtualBoard
    with VirtualBoard(config={"ntphost": "n/a", "socmax": 8}, files={"modules/LM_ask.py": ASKING}) as board:
        yield board


@pytest.fixture
def web(asking):
    """Function that starts a server which the board finds as `web.test`: (reply, tls) -> Web."""
    running = []

    def start(reply=b"", tls=False):
        running.append(Web(reply, tls).__enter__())
        asking.world["web.test"] = running[-1].place
        return running[-1]
    yield start
    for server in running:
        server.__exit__()
    del asking.world["web.test"]


def tasks(board):
    return [line for line in board.shell("task list").split("\n") if line.startswith("Yes")]


DOORS = ("get", "old")             # asynchronous, and synchronous as 1.20
ANSWERS = {
    "length": (answer("hello"), "(200, 'hello')"),
    "status": (answer("no", "404 Not Found"), "(404, 'no')"),
    "moved": (answer("", "302 Found", "Location: http://web.test/b\r\n"), "(302, '')"),
    "value with colons": (answer("x", fields="X-Time: a: b: c\r\n"), "(200, 'x')"),
    "chunks": (CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: z\r\n\r\n", "(200, 'hello')"),
    "no length": (b"HTTP/1.0 200 OK\r\n\r\nto the end", "(200, 'to the end')"),
    "nothing": (b"HTTP/1.1 204 No Content\r\n\r\n", "(204, '')"),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + answer("ok"), "(200, 'ok')"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_status_and_body(asking, web, kind, tls, door):
    reply, expected = ANSWERS[kind]
    server = web(reply, tls)
    told = asking.shell(f"ask {door} {'https' if tls else 'http'}://web.test/a?b=c#d")
    assert told.replace(", b'", ", '") == expected
    assert [asked.target for asked in server.asked] == ["/a?b=c"]       # a redirection is not followed
    assert server.asked[0].fields["host"] == "web.test" and server.asked[0].fields["connection"] == "close"


@pytest.mark.parametrize("door", DOORS)
def test_an_answer_in_single_bytes_is_the_same(asking, web, door):
    web(lambda _: (bytes([byte]) for byte in ANSWERS["chunks"][0]))
    assert asking.shell(f"ask {door} http://web.test/").endswith("'hello')")


def test_a_body_is_sent_with_its_length(asking, web):
    server = web(answer('{"ok": true}'))
    assert asking.shell("ask post http://web.test:8080/x 'a b é'") == "(200, b'{\"ok\": true}')"
    assert asking.shell("ask old_post http://web.test/x 'a b é'") == "(200, {'ok': True})"
    asking.shell("ask old_data http://web.test/x plain")
    first, second, third = server.asked
    assert (first.method, first.body.decode(), first.fields["x-test"]) == ("POST", "a b é", "1")
    assert first.fields["host"] == "web.test:8080"
    assert second.json() == {"text": "a b é"} and second.fields["content-type"] == "application/json"
    assert third.body == b"plain"


def test_an_answer_to_head_is_done_with_its_head(asking, web):
    server = web(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    assert asking.shell("ask head http://web.test/") == "(200, b'')" and server.asked[0].method == "HEAD"


def test_json_of_an_answer_is_a_value(asking, web):
    server = web(answer('{"lat": 1.5}'))
    assert asking.shell("ask old http://web.test/ True") == "(200, {'lat': 1.5})"
    assert server.asked[0].fields["x-old"] == "a: b"
    server.reply = answer("<html>")
    assert "syntax error in JSON" in asking.shell("ask old http://web.test/ True")


MISTAKES = {
    "no http": (b"SSH-2.0-x\r\n", "an answer begins with HTTP/1.1"),
    "cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell", "the answer ends too early"),
    "closed": (b"", "the answer ends too early"),
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "a length is a number"),
    "compressed": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "a body comes chunked or whole"),
    "long line": (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000, "a line or head of more bytes than"),
    "giant": (answer(b"x" * 8193), "more than 8192 bytes"),
    "endless": (lambda _: itertools.chain((b"HTTP/1.1 200 OK\r\n\r\n",), itertools.repeat(b"x" * 500, 2000)),
                "more than 8192 bytes"),
    "chunks": (lambda _: itertools.chain((CHUNKED,), itertools.repeat(b"100\r\n" + b"x" * 256 + b"\r\n", 2000)),
               "more than 8192 bytes"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", MISTAKES)
def test_an_answer_that_is_none_is_one_line(asking, web, kind, door):
    reply, expected = MISTAKES[kind]
    web(reply)
    told = asking.shell(f"ask {door} http://web.test/secret")
    assert expected in told and "\n" not in told and "secret" not in told
    assert asking.shell("system heartbeat") == "<3 heartbeat <3"


@pytest.mark.parametrize("door", DOORS)
def test_a_body_of_just_8192_bytes_fits(asking, web, door):
    web(answer(b"x" * 8192))
    assert asking.shell(f"ask {door} http://web.test/").count("x") == 8192


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("url", ["web.test/x", "ftp://web.test/x", "http://web.test:x/x", "http://we b/x"])
def test_what_is_no_address_is_one_line(asking, door, url):
    told = asking.shell(f"ask {door} '{url}'")
    assert told.startswith(f"exec_lm_core LM_ask->{door}: ") and "\n" not in told


@pytest.mark.parametrize("door", DOORS)
def test_nobody_behind_the_port_is_one_line(asking, door):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        asking.world["shut.test"] = taken.getsockname()
    told = asking.shell(f"ask {door} http://shut.test/secret")
    assert told.startswith(f"exec_lm_core LM_ask->{door}: shut.test") and "secret" not in told and "\n" not in told


@pytest.mark.parametrize("door", DOORS)
def test_a_name_that_nobody_knows_is_one_line(asking, door):
    told = asking.shell(f"ask {door} http://nosuch.invalid/x")
    assert told.startswith(f"exec_lm_core LM_ask->{door}: nosuch.invalid") and "\n" not in told


@pytest.mark.parametrize("door", DOORS)
def test_a_server_without_tls_behind_https_is_one_line(asking, web, door):
    web(answer("plain"))
    told = asking.shell(f"ask {door} https://web.test/")
    assert told.startswith(f"exec_lm_core LM_ask->{door}: web.test") and "plain" not in told


@pytest.mark.slow
def test_a_silent_server_is_given_up(asking, web):
    web(answer("late")).hold = True
    assert asking.shell("ask get http://web.test/") == \
        "exec_lm_core LM_ask->get: web.test does not answer in 5000 ms"
    assert asking.shell("ask old http://web.test/") == "exec_lm_core LM_ask->old: web.test: no answer in time"


@pytest.mark.slow
def test_a_server_that_drips_is_given_up_by_who_holds_up_the_node(asking, web):
    server = web()
    drops = iter(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100)

    def drip(_):
        for drop in drops:
            yield bytes([drop])
            server._go.wait(0.2)
    server.reply = drip
    assert asking.shell("ask old http://web.test/") == "exec_lm_core LM_ask->old: web.test: no answer in time"


def test_nobody_waits_while_a_server_is_silent(asking, web):
    server = web(answer("at last"))
    server.hold = True
    with Wire(asking) as waiting, asking.session() as other:
        waiting.send("ask get http://web.test/\n")
        eventually(lambda: server.asked, bool)
        assert other.send("system heartbeat") == "<3 heartbeat <3"
        server.release()
        assert waiting.until("node01 $ ").startswith("(200, b'at last')")


def test_a_question_that_is_killed_closes_its_connection(asking, web):
    server = web(answer("never"))
    server.hold = True
    asking.shell("ask get http://web.test/ &")
    eventually(lambda: server.asked, bool)
    assert asking.shell("task kill ask.get") == "Kill: ask.get|True"
    server.reply = lambda _: itertools.repeat(answer("x" * 65536), 200)       # more than any buffer takes
    server.release()
    eventually(lambda: server.errors, bool)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the sockets of a process in /proc")
def test_a_question_that_is_killed_while_it_connects_leaves_no_socket_open(asking):
    with contextlib.ExitStack() as stack, asking.session() as session:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):                   # who comes after them waits at the door
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        asking.world["full.test"] = full.getsockname()
        before = open_sockets(asking)
        session.send("ask get http://full.test/ &")
        eventually(lambda: open_sockets(asking), lambda now: now == before + 1)
        session.send("task kill ask.get")
        eventually(lambda: open_sockets(asking), lambda now: now == before)


def open_sockets(board):
    count = 0
    for file in Path(f"/proc/{board.info()['pid']}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):         # closed by now
            count += str(file.readlink()).startswith("socket:")
    return count


def test_a_body_goes_to_a_file_in_one_step(asking, web):
    body = bytes(range(256)) * 200
    server = web(answer(body), tls=True)
    assert asking.shell("ask save https://web.test/f data.bin 60000") == "200"
    assert (asking.dir / "data.bin").read_bytes() == body
    for reply in (answer(body, "404 No"), answer(body)[:-1], answer(b"x" * 60001), CHUNKED + b"1\r\nx"):
        server.reply = reply
        asking.shell("ask save https://web.test/f data.bin 60000")
        assert (asking.dir / "data.bin").read_bytes() == body
    assert not (asking.dir / "data.bin.new").exists()


def test_a_file_that_cannot_be_written_says_so(asking, web):
    web(answer("x"))
    assert asking.shell("ask save http://web.test/f nosuch/data.bin 9") == \
        "exec_lm_core LM_ask->save: [Errno 2] ENOENT"


def test_asking_the_web_costs_no_memory_afterwards(asking, web):
    server = web(tls=True)

    def used(times):
        for server.reply in (answer("x" * 4000), b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n") * times:
            asking.shell("ask get https://web.test/", "ask old https://web.test/")
        return int(asking.shell("ask used"))
    used(2)
    before = used(1)
    assert used(5) - before < 1024
    assert len(tasks(asking)) == 3
