"""An echo RPC of 64 bytes: our server on the board's interpreter against the public server on CPython, same client."""
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator

from row import Budget, Sample, row, side_by_side

from micrOS.source.pure.vsoa import REPLY, RPC, SERVINFO, Receiver, encode
from toolkit.simulator.api import VirtualBoard

PORT = 3005
REQUESTS = 400                 # of one side in one round
WINDOW = 32                    # of the pipelined row
ROUNDS = 21
WAIT_S = 10.0
AGAINST = "vsoa 1.0.4 on CPython"
Client = Callable[[tuple[str, int], int], Callable[[], float]]
ECHO = '''
def build(vsoa):
    server = vsoa.Server()
    server.command("/echo")(lambda client, request, payload: client.reply(request.seqno, payload))
    return server
'''
ON_BOARD = ECHO + '''
import vsoa
from TaskManager import manager

def load():
    manager().start("vsoa.echo", build(vsoa).run("0.0.0.0", 3005))
'''
ON_HOST = ECHO + '''
import sys
import vsoa
build(vsoa).run("127.0.0.1", int(sys.argv[1]))
'''


@row("vsoa-echo", "VSOA echo RPC 64 B, public client", AGAINST, "req/s", Budget(1.0, at_least=True), ROUNDS)
def echo() -> Generator[Sample, None, None]:
    yield from _rates(64, _fetcher)


@row("vsoa-echo-1k", "VSOA echo RPC 1 KiB, public client", AGAINST, "req/s", Budget(0.5, at_least=True), ROUNDS)
def echo_1k() -> Generator[Sample, None, None]:
    yield from _rates(1024, _fetcher)


# a client that costs next to nothing shows the interpreters themselves
@row("vsoa-bare", "VSOA echo RPC 64 B, bare socket", AGAINST, "req/s", Budget(0.25, at_least=True), ROUNDS)
def bare() -> Generator[Sample, None, None]:
    yield from _rates(64, lambda place, size: _asker(place, size, 1))


@row("vsoa-pipelined", "VSOA echo RPC 64 B, 32 under way", AGAINST, "req/s", Budget(0.5, at_least=True), ROUNDS)
def pipelined() -> Generator[Sample, None, None]:
    yield from _rates(64, lambda place, size: _asker(place, size, WINDOW))


def _rates(size: int, client: Client) -> Generator[Sample, None, None]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    with VirtualBoard(mpy=True, files={"modules/LM_echo.py": ON_BOARD}) as board, \
            subprocess.Popen([sys.executable, "-c", ON_HOST, str(port)]) as public:
        try:
            board.shell("echo load")
            ours, theirs = (board.address, PORT), ("127.0.0.1", port)
            for place in (ours, theirs):
                _connected(place).close()
            yield from side_by_side(client(ours, size), client(theirs, size))
        finally:
            public.kill()


def _fetcher(place: tuple[str, int], size: int) -> Callable[[], float]:
    """Function that gives requests per second of the public package's fetch()."""
    import vsoa
    client = vsoa.Client()
    if client.connect("vsoa://{}:{}".format(*place)):
        raise ConnectionError(f"no VSOA server at {place}")
    threading.Thread(target=client.run, daemon=True).start()
    payload = vsoa.Payload(None, bytes(size))

    def rate() -> float:
        begun = time.perf_counter()
        for _ in range(REQUESTS):
            if client.fetch("/echo", payload=payload)[2]:
                raise ConnectionError(f"no reply of {place}")
        return REQUESTS / (time.perf_counter() - begun)
    return rate


def _connected(place: tuple[str, int]) -> socket.socket:
    """A client that has said SERVINFO; waits for a server that does not accept yet."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            link = socket.create_connection(place, WAIT_S)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.sendall(encode(SERVINFO))
    receiver = Receiver()
    while not receiver.feed(link.recv(4096)):
        pass
    return link


def _asker(place: tuple[str, int], size: int, window: int) -> Callable[[], float]:
    """The same of a client that only counts bytes; window: requests under way at the same time"""
    link = _connected(place)
    request = encode(RPC, seqno=1, url="/echo", data=bytes(size))
    reply_bytes = len(encode(RPC, REPLY, seqno=1, data=bytes(size)))

    def rate() -> float:
        begun = time.perf_counter()
        for _ in range(REQUESTS // window):
            link.sendall(request * window)
            missing = reply_bytes * window
            while missing:
                missing -= len(link.recv(65536))
        return REQUESTS // window * window / (time.perf_counter() - begun)
    return rate
