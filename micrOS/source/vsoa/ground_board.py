"""Sockets and time of a board. Nothing here waits but what is awaited."""
import asyncio
import random
import socket
import time
from errno import EAGAIN, EINPROGRESS

from micropython import const

import blocking
from Debug import errlog_add, trace
from Time import seconds
from Udp import place as address, sender
from pure.lazy import unload

CLIENTS = const(8)             # of a server at the same time
PACKET_BYTES = const(8192)     # that are taken in; a longer packet ends its connection
QUEUE_BYTES = const(8192)      # that wait for a client
SUBSCRIPTIONS = const(32)      # of a client
JOBS = const(4)                # asynchronous handlers of a client that run at the same time
READ_BYTES = const(1024)
_UDP_BYTES = const(1472)       # of a datagram that are taken in
_FIRST_PORT = const(49152)     # IANA: ports for private use, up to 65535
_TRIES = const(8)
_COROUTINE = type((lambda: (yield))())
_queue = asyncio.core._io_queue
_buffer = bytearray(READ_BYTES)      # of all connections: a full heap has no such piece when it is wanted
_view = memoryview(_buffer)

now_ms = time.ticks_ms


def waiting(method):
    """Decorator of a coroutine method: awaited by the loop, waited for by a guest (see Baton.py)."""
    def call(self, *args, **kwargs):
        work = method(self, *args, **kwargs)
        return _waited(work) if _is_guest() else work
    return call


def _is_guest():
    return blocking.hand_over is not None and blocking.hand_over(blocking.never, 0) is not None


def _waited(work):
    """What work gives, in a guest's thread. Raises what it raises."""
    over = []

    async def run():
        try:
            over.append((await work, None))
        except BaseException as error:       # it is the guest's
            over.append((None, error))

    job = asyncio.create_task(run())
    try:
        blocking.until(lambda: over, None, "vsoa")
    except BaseException:                # the guest is to end
        job.cancel()
        raise
    value, error = over[0]
    if error:
        raise error
    return value


def quick(method):
    """Decorator of a method that does not wait: there is one loop, and a guest never works beside it."""
    return method


def is_coroutine(value):
    return type(value) is _COROUTINE


def later_ms(delay_s):
    """The moment then, for left_s()."""
    return time.ticks_add(time.ticks_ms(), int(1000 * delay_s))


def left_s(end_ms):
    """Seconds up to that moment, 0 when it is over."""
    return max(0, time.ticks_diff(end_ms, time.ticks_ms())) / 1000


def is_let_in(failures, peer, said, passwd):
    """True for the right password of a peer that need not wait; see pure/guard.py, in memory only for that."""
    from pure.guard import attempt
    from pure.secret import same
    try:
        return attempt(failures, peer, seconds(), same(said, passwd))[0]
    finally:
        unload("pure.guard", "pure.secret")


def blame(what, error):
    """One line for a guest's failure."""
    trace(error)
    errlog_add("[ERR] vsoa {}: {}: {}".format(what, type(error).__name__, error))


class Link:
    """A TCP connection."""

    def __init__(self, link):
        link.setblocking(False)
        self.raw = link
        self._is_more = False            # the last read filled the buffer
        option(link, 6, 1, 1)            # TCP_NODELAY, which this port does not name

    def send(self, data):
        """Number of bytes taken, 0 when there is no room. Raises OSError."""
        try:
            return self.raw.send(data)
        except OSError as error:
            if error.errno != EAGAIN:
                raise
            return 0

    async def receive(self):
        """Bytes; b"" at the end of the connection. Raises OSError."""
        raw, count = self.raw, None
        if self._is_more:                # a second piece at once, then it is the others' turn
            self._is_more, count = False, raw.readinto(_buffer)
        while count is None:
            yield _queue.queue_read(raw)
            count = raw.readinto(_buffer)
            self._is_more = count == READ_BYTES
        return bytes(_view[:count])

    async def writable(self):
        yield _queue.queue_write(self.raw)

    def close(self):
        self.raw.close()


def option(link, level, name, value):
    """Set an option of a socket where the port knows it."""
    try:
        link.setsockopt(level, name, value)
    except OSError:
        pass


def linger(link, time_s):
    """False: ports have no name for it."""
    return False


def peer_certificate(link, is_binary):
    """What the other end has shown, which the firmware gives as DER bytes only; None without TLS."""
    find = getattr(getattr(link, "secure", None), "getpeercert", None)
    return find(True) if find and is_binary else None


def listen(host, port, backlog=16):
    """(socket, port) that takes connections; port 0: any. Raises OSError."""
    door, port = _bound(socket.SOCK_STREAM, host, port)
    door.listen(backlog)
    return door, port


async def accepted(door):
    """(Link, (address, port)) of the next one."""
    yield _queue.queue_read(door)
    link, peer = door.accept()
    return Link(link), sender(peer)


async def connected(host, port):
    """Link to a server. Raises OSError, some of it only when it is used."""
    link = socket.socket()
    try:
        link.setblocking(False)
        link.bind(address("0.0.0.0", 0))         # on the same address as the UDP socket that we announce
        try:
            link.connect(address(host, port))
        except OSError as error:
            if error.errno != EINPROGRESS:
                raise
        yield _queue.queue_write(link)
        link.send(b"")                   # raises now, on most ports, when nobody was there
        return Link(link)
    except BaseException:
        link.close()
        raise


class Datagrams:
    """A UDP socket of one port; port 0: any. Raises OSError."""

    def __init__(self, host, port):
        self._link, self.port = _bound(socket.SOCK_DGRAM, host, port)

    def send(self, data, peer):
        """False when it could not be sent. peer: of address()."""
        try:
            return self._link.sendto(data, peer) == len(data)
        except OSError:
            return False

    async def receive(self):
        """(data, (address, port))"""
        yield _queue.queue_read(self._link)
        data, peer = self._link.recvfrom(_UDP_BYTES)
        return data, sender(peer)

    def set_tos(self, tos):
        option(self._link, 0, 1, tos)

    def close(self):
        self._link.close()


def _bound(kind, host, port):
    """A port that was not named is rolled: without getsockname() nobody could say which one it is."""
    left = _TRIES
    while True:
        left -= 1
        link = socket.socket(socket.AF_INET, kind)
        link.setblocking(False)
        chosen = port or random.randrange(_FIRST_PORT, 65536)
        try:
            if kind == socket.SOCK_STREAM:       # of UDP two could share a port then
                link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            link.bind(socket.getaddrinfo(host or "0.0.0.0", chosen)[0][-1])
            return link, chosen
        except OSError:
            link.close()
            if port or not left:
                raise


def spawn(owner, coroutine):
    """The task that runs it."""
    return asyncio.create_task(coroutine)


def current_task():
    return asyncio.core.cur_task


def after_ms(moment_ms, delay_s):
    """That moment and so much more."""
    return time.ticks_add(moment_ms, int(1000 * delay_s))


class Lock:
    """Of what only one loop touches."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def work(step):
    """Take one step after the other, each between the loop's turns, until there are no more."""
    async def run():
        while True:
            is_more, value = step()
            if not is_more:
                return
            if is_coroutine(value):
                try:
                    await value
                except Exception as error:       # outer wall: a guest must not cost the others
                    blame("job", error)
            await asyncio.sleep(0)
    asyncio.create_task(run())


def position_rows(path):
    """list of [address] or [address, port] as the board's own file has them, unchecked."""
    try:
        with open(path) as file:
            return [line.split() for line in file]
    except OSError:
        return []
