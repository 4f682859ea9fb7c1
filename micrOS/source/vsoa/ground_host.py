"""Sockets, time and threads of a host: the loop of who runs one, else one in a thread of our own."""
import asyncio
import functools
import inspect
import logging
import os
import socket
import struct
import threading
import time

from ..pure import guard, secret

CLIENTS = 1000                 # of a server at the same time
PACKET_BYTES = 262144          # that are taken in; a longer packet ends its connection
QUEUE_BYTES = 1 << 20          # that wait for a client
SUBSCRIPTIONS = 1024           # of a client
JOBS = 32                      # asynchronous handlers of a client that run at the same time
READ_BYTES = 65536
_UDP_BYTES = 65536
_WINDOWS_FILE = r"C:\Windows\System32\drivers\etc\vsoa.pos"
_lock = threading.Lock()
_loops = []                    # the one in a thread of our own, once it is needed
is_coroutine = inspect.iscoroutine


def running():
    """The loop of this thread, None when it runs none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _background():
    with _lock:
        if not _loops:
            _loops.append(asyncio.new_event_loop())
            threading.Thread(target=_loops[0].run_forever, name="vsoa", daemon=True).start()
        return _loops[0]


def waiting(method):
    """Decorator of a coroutine method: awaited in the loop of its object, waited for in any other thread."""
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        here = running()
        if getattr(self, "_loop", None) is None:
            self._loop = here or _background()
        work = method(self, *args, **kwargs)
        if here is self._loop:
            return work
        job = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return job.result()
        except BaseException:
            job.cancel()
            raise
    return call


def quick(method):
    """Decorator of a method that does not wait: it runs in the loop of its object, whoever calls it."""
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        loop = getattr(self, "_loop", None)
        if loop is None or running() is loop:
            return method(self, *args, **kwargs)

        async def there():
            return method(self, *args, **kwargs)
        return asyncio.run_coroutine_threadsafe(there(), loop).result()
    return call


def now_ms():
    return int(1000 * time.monotonic())


def later_ms(delay_s):
    """The moment then, for left_s()."""
    return 1000 * (time.monotonic() + delay_s)


def left_s(end_ms):
    """Seconds up to that moment, 0 when it is over."""
    return max(0.0, end_ms / 1000 - time.monotonic())


def is_let_in(failures, peer, said, passwd):
    """True for the right password of a peer that need not wait; see pure/guard.py."""
    return guard.attempt(failures, peer, int(time.monotonic()), secret.same(said, passwd))[0]


def blame(what, error):
    """One line for a guest's failure."""
    logging.getLogger("vsoa").error("%s: %s: %s", what, type(error).__name__, error)


class Link:
    """A TCP connection."""

    def __init__(self, link):
        link.setblocking(False)
        self.raw = link
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        """Number of bytes taken, 0 when there is no room. Raises OSError."""
        try:
            return self.raw.send(data)
        except BlockingIOError:
            return 0

    async def receive(self):
        """Bytes; b"" at the end of the connection. Raises OSError."""
        return await asyncio.get_running_loop().sock_recv(self.raw, READ_BYTES)

    async def writable(self):
        await ready(self.raw, "writer")

    def close(self):
        self.raw.close()


async def ready(link, side):
    """side: "reader" or "writer"; whichever the socket shall be ready for."""
    loop = asyncio.get_running_loop()
    is_ready, link = loop.create_future(), link.fileno()      # the number: who cancels us may have closed it by then
    getattr(loop, "add_" + side)(link, lambda: is_ready.done() or is_ready.set_result(None))
    try:
        await is_ready
    finally:
        getattr(loop, "remove_" + side)(link)


def option(link, level, name, value):
    """Set an option of a socket where the system knows it."""
    try:
        link.setsockopt(level, name, value)
    except OSError:
        pass


def linger(link, time_s):
    """True: the end of this connection takes up to time_s to deliver what was sent; 0 drops it."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, time_s))
    return True


def peer_certificate(link, is_binary):
    """What the other end has shown: dict or DER bytes, None without TLS."""
    find = getattr(link.raw, "getpeercert", None)
    return find(is_binary) if find else None


def address(host, port):
    """What a socket takes as the place to send to; of a name that has both, the IPv4 one. Raises OSError."""
    return min(socket.getaddrinfo(host, port), key=lambda row: row[0] != socket.AF_INET)[-1]


def sender(place):
    """(address, port) of what address() gives, as receive() has them."""
    return place[:2]


def _bound(kind, host, port):
    host = host or "0.0.0.0"
    link = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link.bind((host, port))
        link.setblocking(False)
        return link, link.getsockname()[1]
    except OSError:
        link.close()
        raise


def listen(host, port, backlog=128):
    """(socket, port) that takes connections; port 0: any. Raises OSError."""
    door, port = _bound(socket.SOCK_STREAM, host, port)
    door.listen(backlog)
    return door, port


async def accepted(door):
    """(Link, (address, port)) of the next one."""
    link, peer = await asyncio.get_running_loop().sock_accept(door)
    return Link(link), peer[:2]


async def connected(host, port):
    """Link to a server. Raises OSError."""
    link = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        link.setblocking(False)
        await asyncio.get_running_loop().sock_connect(link, (host, port))
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
        data, peer = await asyncio.get_running_loop().sock_recvfrom(self._link, _UDP_BYTES)
        return data, peer[:2]

    def set_tos(self, tos):
        option(self._link, socket.IPPROTO_IP, socket.IP_TOS, tos)

    def close(self):
        self._link.close()


def spawn(owner, coroutine):
    """The task that runs it, in the loop of its owner."""
    if running():
        owner._loop = running()
        return asyncio.create_task(coroutine)
    owner._loop = getattr(owner, "_loop", None) or _background()

    async def there():
        return asyncio.create_task(coroutine)
    return asyncio.run_coroutine_threadsafe(there(), owner._loop).result()


def current_task():
    return asyncio.current_task() if running() else None


def after_ms(moment_ms, delay_s):
    """That moment and so much more."""
    return moment_ms + 1000 * delay_s


Lock = threading.Lock


def work(step):
    """Take one step after the other in a thread that ends with them; jobs may wait as long as they like."""
    def run():
        while True:
            is_more, value = step()
            if not is_more:
                return
            if is_coroutine(value):
                try:
                    asyncio.run_coroutine_threadsafe(value, _background()).result()
                except Exception as error:       # outer wall: a guest must not cost the others
                    blame("job", error)
    threading.Thread(target=run, name="vsoa-work", daemon=True).start()


def position_rows(path):
    """list of [address] or [address, port], unchecked: those of VSOA_POS_SERVER=`address[:port],...`, then the file's.

    The file is VSOA_POS_FILE, where that is set, else path or what Windows has for it.
    """
    named = os.environ.get("VSOA_POS_SERVER", "").split(",")
    try:
        with open(os.environ.get("VSOA_POS_FILE") or (_WINDOWS_FILE if os.name == "nt" else path)) as file:
            lines = [line.split() for line in file]
    except OSError:
        lines = []
    # of IPv6, which has colons of its own, the port stands behind a bracket
    rows = [name.replace("[", " ").replace("]:", " ").replace("]", " ").split() if name.count(":") > 1
            else name.replace(":", " ").split() for name in named]
    return rows + lines
