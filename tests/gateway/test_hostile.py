"""Clients that send too much, too slowly, or nonsense: a clear answer, bounded memory, and the next is served."""
import contextlib
import json
import resource
import socket

import httpx
import pytest

from tests.gateway.fakes import FakeNode, running
from tests.gateway.running import running_gateway

D = "/api/v1/devices/node01"
MIB = 1 << 20


@pytest.fixture(scope="module")
def small(data, tmp_path_factory):
    """A gateway with narrow bounds that knows one node; and a client of it."""
    bounds = {"header_s": 0.4, "body_s": 0.4, "send_s": 0.4, "max_connections": 20}
    node = FakeNode("node01", "micr01OS")
    with running(node), running_gateway(tmp_path_factory.mktemp("small"), [f"{node.address}:{node.port}"],
                                        ("classic", "api"), **bounds) as gateway, gateway.client() as client:
        client.post("/api/v1/devices/search")
        yield gateway, client


def raw(gateway, data, read_all=True):
    """What a gateway says to bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", gateway.gateway.settings.port), 20) as link:
        link.sendall(data)
        heard = b""
        while read_all and (more := link.recv(65536)):
            heard += more
        return heard


def is_served(client):
    return client.get(f"{D}/commands", params={"command": "version"}).json()["text"] == "2.0.0-0"


def test_10_mb_of_the_wrong_thing_are_refused_before_they_are_read(small):
    gateway, client = small
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in ("multipart/form-data; boundary=x", "application/json", "application/octet-stream"):
        told = raw(gateway, f"POST {D}/files HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                            f"Content-Length: {10 * MIB}\r\nAuthorization: Bearer {gateway.admin}\r\n\r\n".encode())
        assert told.startswith(b"HTTP/1.1 413 ") and b"application/problem+json" in told
    assert is_served(client)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024          # KiB


def test_a_body_without_a_length_is_cut_at_its_bound(small):
    _, client = small

    def endless():
        for _ in range(10 * 16):
            yield b"x" * 65536

    try:
        answer = client.post(f"{D}/commands", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.ReadError):
        pass                                       # told, and hung up on while it still sent
    assert is_served(client)


def test_a_file_over_its_bound_is_422_and_names_it(small):
    _, client = small
    answer = client.post(f"{D}/files", files=[("files", ("LM_big.py", b"#" * (MIB + 1)))])
    assert answer.status_code == 422 and "LM_big.py is larger than 1048576 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("body", (
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"command": 5}', b'{"command": null}',
    b'{"command": ["a"]}', b'{"command": "version", "timeout_s": 1e400}', b'{"command": "version", "timeout_s": NaN}',
    b"[" * 100_000, b'{"a":' * 50_000, b'{"command": "' + b"x" * 100_000 + b'"}',
    b'{"command": "\\ud800"}', b'{"command": "a\\u0000b"}',
    b'{"command": "version", "timeout_s": -1}', b'{"command": "' + b"\\u00e4" * 2000 + b'"}',
))
def test_hostile_json_is_a_problem_and_no_crash(small, body):
    _, client = small
    answer = client.post(f"{D}/commands", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422) and answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4096 and json.loads(answer.text)["detail"]


@pytest.mark.parametrize("flood", (
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (at, b"x" * 100) for at in range(1000)),
    b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, b"\x16\x03\x01" + b"\0" * 100_000,
    b"\r\n" * 50_000, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n",
))
def test_a_flood_of_headers_ends_the_connection(small, flood):
    gateway, client = small
    try:
        told = raw(gateway, flood)
        assert told == b"" or b" 400 " in told.split(b"\r\n")[0] or b" 200 " in told.split(b"\r\n")[0]
    except ConnectionError:
        pass                                       # hung up on within the flood
    assert is_served(client)


def test_a_client_that_takes_its_time_is_let_go_and_costs_nobody_else(small):
    gateway, client = small
    place = ("127.0.0.1", gateway.gateway.settings.port)
    slow = [socket.create_connection(place, 20) for _ in range(10)]
    for link in slow[:5]:
        link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    for link in slow[5:]:
        link.sendall(f"POST {D}/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     f"Content-Length: 99\r\nAuthorization: Bearer {gateway.admin}\r\n\r\n{{".encode())
    assert is_served(client)
    assert [link.recv(100) for link in slow[:5]] == [b""] * 5
    assert all(b" 408 " in link.recv(100) for link in slow[5:])
    for link in slow:
        link.close()


def test_connections_beyond_the_bound_are_closed_and_those_there_are_served(small):
    gateway, client = small
    assert is_served(client)
    place = ("127.0.0.1", gateway.gateway.settings.port)
    crowd = [socket.create_connection(place, 20) for _ in range(60)]
    assert is_served(client)                        # on the connection that it has
    for link in crowd:
        with link, contextlib.suppress(ConnectionError):
            assert link.recv(10) == b""             # at once, or when its time for a request is over
    assert is_served(client)


def test_a_listener_that_reads_nothing_is_let_go(small):
    gateway, client = small
    place = ("127.0.0.1", gateway.gateway.settings.port)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(place)
        deaf.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n"
                     + f"Authorization: Bearer {gateway.admin}\r\n\r\n".encode())
        deaf.recv(1)
        events = gateway.gateway.events
        while events.listeners:                     # the test's own time-out bounds this
            events.publish("flood", {"x": "y" * 200_000})
            client.get("/")
    assert is_served(client)


def test_a_bug_is_500_without_its_trace(small, monkeypatch, caplog):
    gateway, client = small
    monkeypatch.setattr(gateway.gateway.nodes, "all", lambda: 1 / 0)
    answer = client.get("/api/v1/devices")
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert "ZeroDivision" not in answer.text and "ZeroDivisionError" in caplog.text
