"""Connections and time of a board. Nothing here waits but what is awaited."""
import asyncio
import socket
import time

from micropython import const

from Debug import errlog_add, trace
from Time import clock
from Udp import connect
from pure.lazy import unload

unload("Udp")

WINDOW = const(8)              # publications under way
PACKET_BYTES = const(8192)     # of a packet that is taken in
SEND_BYTES = const(1024)       # of packets that are put together
ITEMS = const(8)               # samples in one request
ITEMS_BYTES = const(1024)      # and their bytes
TEXT_CHARS = const(1024)       # of a value, a message
RAM_ITEMS = const(32)          # samples that wait in memory
FLASH_BYTES = const(65536)     # and those on flash, while there is no link
JOBS = const(2)                # actions at the same time
CHUNK_BYTES = const(512)       # of a file
_READ_BYTES = const(1024)
_queue = asyncio.core._io_queue

now_ms = time.ticks_ms


async def until(event, timeout_ms):
    """Wait for an event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), timeout_ms / 1000)
    except asyncio.TimeoutError:
        pass


def utc():
    """(seconds since 2000, microseconds); the clock of a board that knows no time yet begins in 2000."""
    return int(clock().utc()), time.ticks_us() % 1000000


def blame(what, error):
    """One line for what failed."""
    trace(error)
    errlog_add("[ERR] cloud {}: {}: {}".format(what, type(error).__name__, error))


def is_coroutine(value):
    return type(value) is _COROUTINE


_COROUTINE = type((lambda: (yield))())


def forget(*names):
    """Files of this package leave memory, and what only these need."""
    unload("pure.http", "pure.tr50_more", *["cloud." + name for name in names])


def begin_log(thing, config):
    pass


def is_distrust(error):
    """True when the other end of TLS is not who it should be: trying again does not help."""
    return isinstance(error, Distrusted)


class Distrusted(OSError):
    """Raised for a certificate that does not hold."""


async def called(function, args):
    """What it gives for as many of the arguments as it takes."""
    try:
        value = function(*args)
    except TypeError as error:
        from .arity import wanted
        value = function(*args[:wanted(error, len(args))])
    return await value if is_coroutine(value) else value


def waiting(method):
    """Decorator of a coroutine method; here it is just that."""
    return method


quick = waiting                # of a method that does not wait; there is one loop


def last(owner, value):
    """value; on a host the loop of the owner ends."""
    return value


async def opened(host, port, trust=None, proxy=None):
    """Link to a server. trust: None: no TLS; proxy: None, config.py refuses any. Raises OSError, some when used."""
    raw = socket.socket()
    try:
        connect(raw, host, port)
        yield _queue.queue_write(raw)
        option(raw, 6, 1, 1)             # TCP_NODELAY, which this port does not name
        return Link(raw, _secured(raw, host, trust) if trust else raw)
    except BaseException:
        raw.close()
        raise


def option(link, level, name, value):
    try:
        link.setsockopt(level, name, value)
    except OSError:
        pass


def _secured(raw, host, trust):
    import tls
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    if not trust.is_checked:
        context.verify_mode = tls.CERT_NONE
    elif trust.ca is None:
        raise Distrusted("no authority: ca_bundle_file names one in DER, or validate_cloud_cert is false")
    else:
        try:
            with open(trust.ca, "rb") as file:
                context.load_verify_locations(file.read())
        except (OSError, ValueError) as error:
            raise Distrusted("{} is no authority in DER: {}".format(trust.ca, error))
        context.verify_mode = tls.CERT_REQUIRED
    return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)


class Link:
    """A connection. What is above TLS cannot be polled: waits are on the socket below."""

    def __init__(self, raw, through):
        self._raw, self._through = raw, through
        self._is_open = raw is through   # False: the handshake goes on, inside of the first read or write

    async def read(self):
        """Bytes; b"" at the end of the connection. Raises OSError."""
        while True:
            data = self._tried(self._through.read, _READ_BYTES)
            if data is not None:
                self._is_open = True
                return data
            yield _queue.queue_read(self._raw)

    async def write(self, data):
        """All of it. Raises OSError."""
        while True:
            taken = self._tried(self._through.write, data) or 0
            if taken:
                self._is_open = True
                if taken == len(data):
                    return
                data = data[taken:]
            # in a handshake there is room, it is the other end's word that is missing
            yield _queue.queue_write(self._raw) if self._is_open else _queue.queue_read(self._raw)

    def _tried(self, work, what):
        try:
            return work(what)
        except ValueError as error:      # of a certificate
            raise Distrusted(str(error).strip())

    def close(self):
        try:
            self._through.close()
        finally:                         # a handshake that failed has let go of it without closing it
            self._raw.close()
