"""VSOA: our server on the board's interpreter and on CPython against the public server on CPython, same clients."""
import contextlib
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator

from row import Budget, Sample, row, side_by_side

from micrOS.source.pure.vsoa import PUBLISH, REPLY, RPC, SERVINFO, SUBSCRIBE, Receiver, encode
from toolkit.simulator.api import VirtualBoard

PORT = 3005
REQUESTS = 400                 # of one side in one round
WINDOW = 32                    # of the pipelined rows
DELIVERIES = 4000              # of one side in one round, to all subscribers together
TICKS = 2000                   # requests whose 99th percentile is taken
ROUNDS = 21
WAIT_S = 10.0
PUBLIC = "vsoa 1.0.4 on CPython"
OURS, HOST = "MicroPython", "CPython"
Place = tuple[str, int]
Client = Callable[[Place, int], Callable[[], float]]
BUILD = '''
def build(vsoa):
    server = vsoa.Server()
    server.most_clients, server.policy = 60, "skip"
    server.command("/echo")(lambda client, request, payload: client.reply(request.seqno, payload))

    @server.command("/tell")
    def tell(client, request, payload):
        for _ in range(payload.param["n"]):
            server.publish("/m", {"data": bytes(64)})
        client.reply(request.seqno)

    @server.command("/tick")
    def tick(client, request, payload):
        server.publish("/deaf", {"data": bytes(1024)})
        client.reply(request.seqno)

    return server
'''
ON_BOARD = BUILD + '''
import vsoa
from TaskManager import manager

def load():
    manager().start("vsoa.echo", build(vsoa).run("0.0.0.0", 3005))
'''
ON_HOST = '''
import sys
build(vsoa).run("127.0.0.1", int(sys.argv[1]))
'''


# the public package's own client, whose cost hides much of the servers'
@row("vsoa-echo", "VSOA echo 64 B, MicroPython, public client", PUBLIC, "req/s", Budget(1.0, at_least=True), ROUNDS)
def echo() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 64, _fetcher)


@row("vsoa-echo-host", "VSOA echo 64 B, CPython, public client", PUBLIC, "req/s", Budget(0.5, at_least=True), ROUNDS)
def echo_host() -> Generator[Sample, None, None]:
    yield from _rates(HOST, 64, _fetcher)


@row("vsoa-echo-1k", "VSOA echo 1 KiB, MicroPython, public client", PUBLIC, "req/s", Budget(0.5, at_least=True), ROUNDS)
def echo_1k() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 1024, _fetcher)


@row("vsoa-echo-1k-host", "VSOA echo 1 KiB, CPython, public client", PUBLIC, "req/s", Budget(0.5, at_least=True),
     ROUNDS)
def echo_1k_host() -> Generator[Sample, None, None]:
    yield from _rates(HOST, 1024, _fetcher)


# a client that costs next to nothing shows the interpreters themselves
@row("vsoa-bare", "VSOA echo 64 B, MicroPython, bare socket", PUBLIC, "req/s", Budget(0.25, at_least=True), ROUNDS)
def bare() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 64, lambda place, size: _asker(place, size, 1))


# what came together is answered in one write: 1.3 to 1.6 on two free cores, 0.3 to 0.9 where a dozen others want them
@row("vsoa-pipelined", "VSOA echo 64 B, MicroPython, 32 under way", PUBLIC, "req/s", Budget(0.75, at_least=True),
     ROUNDS)
def pipelined() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 64, _window)


@row("vsoa-pipelined-host", "VSOA echo 64 B, CPython, 32 under way", PUBLIC, "req/s", Budget(1.0, at_least=True),
     ROUNDS)
def pipelined_host() -> Generator[Sample, None, None]:
    yield from _rates(HOST, 64, _window)


# each KiB passes a board's heap five times, and collecting that takes half of the time
@row("vsoa-pipelined-1k", "VSOA echo 1 KiB, MicroPython, 32 under way", PUBLIC, "req/s", Budget(0.25, at_least=True),
     ROUNDS)
def pipelined_1k() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 1024, _window)


@row("vsoa-pipelined-1k-host", "VSOA echo 1 KiB, CPython, 32 under way", PUBLIC, "req/s", Budget(1.0, at_least=True),
     ROUNDS)
def pipelined_1k_host() -> Generator[Sample, None, None]:
    yield from _rates(HOST, 1024, _window)


@row("vsoa-publish", "VSOA publish 64 B to 1, MicroPython", PUBLIC, "req/s", Budget(0.25, at_least=True), ROUNDS)
def publish() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 1, _listeners)


@row("vsoa-publish-host", "VSOA publish 64 B to 1, CPython", PUBLIC, "req/s", Budget(1.0, at_least=True), ROUNDS)
def publish_host() -> Generator[Sample, None, None]:
    yield from _rates(HOST, 1, _listeners)


@row("vsoa-publish-50", "VSOA publish 64 B to 50, MicroPython", PUBLIC, "req/s", Budget(0.25, at_least=True), ROUNDS)
def publish_50() -> Generator[Sample, None, None]:
    yield from _rates(OURS, 50, _listeners)


@row("vsoa-publish-50-host", "VSOA publish 64 B to 50, CPython", PUBLIC, "req/s", Budget(1.0, at_least=True), ROUNDS)
def publish_50_host() -> Generator[Sample, None, None]:
    yield from _rates(HOST, 50, _listeners)


@row("vsoa-deaf", "VSOA p99 beside one who never reads, MicroPython", "without that one", "ms", Budget(1.2), ROUNDS)
def deaf() -> Generator[Sample, None, None]:
    with _board() as beside, _board() as alone:
        yield from _percentiles(beside, alone)


@row("vsoa-deaf-host", "VSOA p99 beside one who never reads, CPython", "without that one", "ms", Budget(1.2), ROUNDS)
def deaf_host() -> Generator[Sample, None, None]:
    with _process(HOST) as beside, _process(HOST) as alone:
        yield from _percentiles(beside, alone)


def _rates(kind: str, size: int, client: Client) -> Generator[Sample, None, None]:
    with _board() if kind == OURS else _process(kind) as ours, _process(PUBLIC) as theirs:
        yield from side_by_side(client(ours, size), client(theirs, size))


def _percentiles(beside: Place, alone: Place) -> Generator[Sample, None, None]:
    with _subscribed(beside, "/deaf"):
        yield from side_by_side(_ticker(beside), _ticker(alone))


@contextlib.contextmanager
def _board() -> Iterator[Place]:
    with VirtualBoard(mpy=True, heap="1M", files={"modules/LM_echo.py": ON_BOARD}) as board:
        board.shell("echo load")
        _connected((board.address, PORT)).close()
        yield board.address, PORT


@contextlib.contextmanager
def _process(kind: str) -> Iterator[Place]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        place = door.getsockname()
    line = "from micrOS.source import vsoa" if kind == HOST else "import vsoa"
    with subprocess.Popen([sys.executable, "-c", line + BUILD + ON_HOST, str(place[1])]) as running:
        try:
            _connected(place).close()
            yield place
        finally:
            running.kill()


def _fetcher(place: Place, size: int) -> Callable[[], float]:
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


def _connected(place: Place) -> socket.socket:
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
    _ask(link, encode(SERVINFO))
    return link


def _ask(link: socket.socket, packet: bytes) -> None:
    """Say this and read one answer."""
    link.sendall(packet)
    receiver = Receiver()
    while not receiver.feed(link.recv(4096)):
        pass


def _subscribed(place: Place, url: str) -> socket.socket:
    link = _connected(place)
    _ask(link, encode(SUBSCRIBE, url=url))
    return link


def _asker(place: Place, size: int, window: int) -> Callable[[], float]:
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


def _window(place: Place, size: int) -> Callable[[], float]:
    return _asker(place, size, WINDOW)


def _listeners(place: Place, count: int) -> Callable[[], float]:
    """Function that gives deliveries per second to so many subscribers."""
    asker, messages = _connected(place), DELIVERIES // count
    order = encode(RPC, seqno=1, url="/tell", param=b'{"n":%d}' % messages)
    wanted_bytes = count * messages * len(encode(PUBLISH, url="/m", data=bytes(64)))
    eyes = selectors.DefaultSelector()
    for _ in range(count):
        eyes.register(_subscribed(place, "/m"), selectors.EVENT_READ)

    def rate() -> float:
        begun, missing = time.perf_counter(), wanted_bytes
        asker.sendall(order)
        while missing:
            for key, _ in eyes.select(WAIT_S) or _nobody(place):
                assert isinstance(key.fileobj, socket.socket)
                missing -= len(key.fileobj.recv(65536))
        taken_s = time.perf_counter() - begun
        asker.recv(4096)
        return count * messages / taken_s
    return rate


def _nobody(place: Place) -> list[tuple[selectors.SelectorKey, int]]:
    raise ConnectionError(f"publications of {place} did not come")


def _ticker(place: Place) -> Callable[[], float]:
    """Function that gives the 99th percentile, in ms, of requests that make the server publish 1 KiB."""
    link, request = _connected(place), encode(RPC, seqno=1, url="/tick")

    def percentile_ms() -> float:
        times = []
        for _ in range(TICKS):
            begun = time.perf_counter()
            link.sendall(request)
            link.recv(4096)
            times.append(time.perf_counter() - begun)
        return sorted(times)[TICKS * 99 // 100] * 1000
    return percentile_ms
