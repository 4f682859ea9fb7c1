"""A relay: two websockets that find each other, once."""
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.gateway.cloud.light import trusted


@pytest.fixture
def relay(cloud, rest, thing, certificate):
    """(url of the thing's end, url of the person's end)"""
    made = rest.post(f"/api/v1/things/{thing.key}/relays", json={"port": 22}).json()
    thing.notified()
    call = thing.mails()[0]["params"]
    assert (call["method"], call["params"]["host"], call["params"]["protocol"]) == ("remote-access", "localhost", "22")
    assert made["action"]["params"]["url"] == "..." and call["params"]["url"].startswith("wss://localhost:")
    return call["params"]["url"], cloud.url.replace("http", "ws") + made["path"]


@pytest.fixture
def far(certificate):
    return lambda url: connect(url, ssl=trusted(certificate[0]))


def person(cloud, url):
    return connect(url, additional_headers={"Authorization": f"Bearer {cloud.admin}"})


@pytest.mark.parametrize(("query", "heard"), [("", [b"h\xc3", b"\xa9\xff"]), ("?text=true", ["h", "\xe9\ufffd"])])
def test_bytes_go_both_ways_and_one_end_ends_both(cloud, relay, far, query, heard):
    with far(relay[0]) as thing, person(cloud, relay[1] + query) as terminal:
        assert thing.recv(10) == "CONNECTED-129812"
        terminal.send("ls\r")
        terminal.send(b"\0\xff")
        assert [thing.recv(10), thing.recv(10)] == [b"ls\r", b"\0\xff"]
        thing.send(b"h\xc3")
        thing.send(b"\xa9\xff")
        assert [terminal.recv(10), terminal.recv(10)] == heard
        thing.close()
        with pytest.raises(ConnectionClosed):
            terminal.recv(10)


def test_each_end_is_for_one(cloud, relay, far):
    with far(relay[0]), person(cloud, relay[1]), pytest.raises((InvalidStatus, ConnectionClosed)):
        far(relay[0]).recv(10)
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        far(relay[0][:-1] + "x").recv(10)
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        connect(relay[1]).recv(10)


def test_a_person_who_comes_when_the_thing_has_left_is_told_so(cloud, relay, far):
    with far(relay[0]):
        pass
    with person(cloud, relay[1]) as terminal, pytest.raises(ConnectionClosed) as closed:
        terminal.recv(20)
    assert closed.value.rcvd.code == 1013 and "the thing has left before you came" in closed.value.rcvd.reason


def test_a_thing_alone_is_let_go_when_nobody_comes(cloud, relay, far):
    cloud.cloud.relays._wait_s, before = 0.2, cloud.cloud.relays._wait_s
    try:
        with pytest.raises((InvalidStatus, ConnectionClosed)), far(relay[0]) as thing:
            thing.recv(20)
    finally:
        cloud.cloud.relays._wait_s = before


def test_a_person_alone_is_told_that_the_thing_did_not_come(cloud, relay):
    cloud.cloud.relays._wait_s, before = 0.2, cloud.cloud.relays._wait_s
    try:
        with person(cloud, relay[1]) as terminal, pytest.raises(ConnectionClosed) as closed:
            terminal.recv(10)
        assert closed.value.rcvd.code in (1008, 1013)
    except InvalidStatus:
        pass
    finally:
        cloud.cloud.relays._wait_s = before
