"""Many clients at once, some of them bad: the others are served, and the heap comes back."""
import contextlib

import pytest

from tests.device.wire import Wire, eventually

CLIENTS = 50
PROBE = """
import gc
def heap():
    gc.collect()
    return gc.mem_alloc()
def much():
    return "x" * 4000
"""
ALLOWED_BYTES = 1024


@pytest.fixture
def crowded(make_board):
    return make_board(heap="512K", config={"socmax": CLIENTS}, files={"modules/LM_probe.py": PROBE})


@pytest.fixture
def heap(crowded):
    """Function that tells the heap in use, each time over a new session: the last client's leftovers are alike then.

    A first crowd has been there: modules are loaded and asyncio's tables have their size. That stays.
    """
    def measure():
        with crowded.session() as session:
            session.send("probe heap")
            return int(session.send("probe heap"))
    with contextlib.ExitStack() as stack:
        for client in [stack.enter_context(Wire(crowded)) for _ in range(CLIENTS)]:
            client.send("system heartbeat").until("node01 $ ")
    return measure


def stall(client):
    """Ask for much and read nothing, until neither side takes more."""
    client.socket.settimeout(0.05)
    with contextlib.suppress(TimeoutError, ConnectionError):
        for _ in range(2000):
            client.send("probe much\n" * 20)


@pytest.mark.slow
def test_of_fifty_clients_a_third_stalled_the_others_are_served(crowded, heap):
    before = eventually(lambda: (heap(), heap()), lambda pair: pair[0] == pair[1])[0]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Wire(crowded, receive_bytes=2048)) for _ in range(CLIENTS)]
        lively = [client for at, client in enumerate(clients) if at % 3]
        for client in clients[::3]:
            stall(client)
        for _ in range(3):
            for client in lively:
                assert client.send("system heartbeat\n").until("node01 $ ") == "<3 heartbeat <3\nnode01 $ "
    eventually(heap, lambda now: now - before < ALLOWED_BYTES, timeout_s=15)


@pytest.mark.slow
def test_a_stalled_client_is_dropped_and_its_place_is_free(make_board):
    board = make_board(config={"socmax": 1}, files={"modules/LM_probe.py": PROBE})

    def newcomer_is_served():
        with Wire(board, " ") as newcomer:
            return newcomer.greeting == "node01 $ "
    with Wire(board, receive_bytes=2048) as client:
        stall(client)
        assert not newcomer_is_served()
        eventually(newcomer_is_served, bool, timeout_s=20)


def test_clients_that_come_and_go_leave_nothing_behind(crowded, heap):
    before = eventually(lambda: (heap(), heap()), lambda pair: pair[0] == pair[1])[0]
    for _ in range(CLIENTS):
        with Wire(crowded) as client:
            client.send("rgb color")       # cut off in the middle
    assert eventually(heap, lambda now: now - before < ALLOWED_BYTES)
