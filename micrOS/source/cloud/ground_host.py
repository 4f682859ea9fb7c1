"""Connections and time of a host: the loop of each client is in a thread of its own."""
import asyncio
import functools
import inspect
import logging
import ssl
import threading
import time
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

WINDOW = 20                    # publications under way
PACKET_BYTES = 1 << 20         # of a packet that is taken in
SEND_BYTES = 65536             # of packets that are put together
ITEMS = 500                    # samples in one request
ITEMS_BYTES = 65536            # and their bytes
TEXT_CHARS = 16384             # of a value, a message
RAM_ITEMS = 2000               # samples that wait in memory
FLASH_BYTES = 4 << 20          # and those on the disk, while there is no link
JOBS = 3                       # actions at the same time
CHUNK_BYTES = 4096             # of a file
_READ_BYTES = 65536
_CLOSING_S = 0.02
_GOODBYE_S = 1
_EPOCH_S = 946684800           # 2000-01-01 on the clock of 1970
PROXIES = {"SOCKS4": 1, "SOCKS5": 2, "HTTP": 3}     # as PySocks counts them
_THREADS = 64                  # of callbacks and proxies; those of actions are fewer, see Actions
_lock = threading.Lock()
_here = threading.local()      # .owner: whose loop runs in this thread
_closing = set()               # Links that say goodbye: TLS has an answer to wait for
_dialers = ThreadPoolExecutor(16, "device_cloud proxy")
is_coroutine = inspect.iscoroutine


def now_ms():
    return int(1000 * time.monotonic())


def utc():
    """(seconds since 2000, microseconds)"""
    seconds, ns = divmod(time.time_ns(), 1000000000)
    return seconds - _EPOCH_S, ns // 1000


def blame(what, error):
    """One line for what failed."""
    _logger(getattr(_here, "owner", None)).error("%s: %s: %s", what, type(error).__name__, error)


def forget(*names):
    """Of a board: files of this package leave memory."""


def begin_log(thing, config):
    """The package device_cloud says where words of a client go."""


def log(client, level, text):
    _logger(client).log(level if isinstance(level, int) else getattr(logging, level, logging.INFO), "%s", text)


def log_level(client, level):
    _logger(client).setLevel("NOTSET" if level == "ALL" else level)


def _logger(client):
    return logging.getLogger(getattr(client, "log_name", None) or "device_cloud")


def is_distrust(error):
    """True when the other end of TLS is not who it should be: trying again does not help."""
    # a server that dies amid the handshake is another matter
    return isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))


async def until(event, timeout_ms):
    """Wait for an event, at most so long. Not by wait_for(): that of Python 3.11 may swallow a cancellation."""
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            await event.wait()
    except asyncio.TimeoutError:
        pass


async def called(function, args):
    """What it gives for as many of the arguments as it takes, in a thread of the loop's executor: it may wait."""
    count = _takes(function, len(args))
    value = await asyncio.get_running_loop().run_in_executor(None, lambda: function(*args[:count]))
    return await value if is_coroutine(value) else value


def _takes(function, most):
    """How many positional arguments it wants, at most so many."""
    try:
        kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):      # of C
        return most
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return most
    return min(most, sum(kind < inspect.Parameter.VAR_POSITIONAL for kind in kinds))


def loop_of(owner):
    """The loop that serves this object, begun when it is first asked for."""
    with _lock:
        if getattr(owner, "_loop", None) is None:
            owner._loop, owner._pool = asyncio.new_event_loop(), ThreadPoolExecutor(_THREADS)
            owner._loop.set_default_executor(owner._pool)
            owner._thread = threading.Thread(target=_serve, args=(owner,), name="device_cloud", daemon=True)
            owner._thread.start()
        return owner._loop


def _serve(owner):
    _here.owner = owner
    owner._loop.run_forever()


def last(owner, value):
    """value; the loop of the owner is over, and with it what still ran there."""
    loop = getattr(owner, "_loop", None)
    if loop is not None and not _is_in(loop):
        asyncio.run_coroutine_threadsafe(_ended(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        owner._thread.join()
        owner._pool.shutdown(wait=False)         # it may be one of its own threads that ends us
        loop.close()
        owner._loop = None
    return value


async def _ended():
    others = asyncio.all_tasks() - {asyncio.current_task()}
    while others:
        for task in others:
            task.cancel()
        # again: wait_for() of Python 3.11 swallows a cancellation that comes with the result
        _, others = await asyncio.wait(others, timeout=_CLOSING_S)
    await asyncio.sleep(_CLOSING_S)              # for connections to say that they close
    for link in list(_closing):
        link.abort()
    await asyncio.sleep(0)                       # twice: TLS lies over another transport
    await asyncio.sleep(0)


def waiting(method):
    """Decorator of a coroutine method: awaited in the loop of its object, waited for in any other thread."""
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        done = method(self, *args, **kwargs)
        if _is_in(loop_of(self)):
            return done
        job = asyncio.run_coroutine_threadsafe(done, loop_of(self))
        try:
            return job.result()
        except futures.CancelledError:
            raise ConnectionAbortedError("disconnected meanwhile") from None
        except BaseException:
            job.cancel()
            raise
    return call


def quick(method):
    """Decorator of a method that does not wait: it runs in the loop of its object, whoever calls it."""
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        if _is_in(loop_of(self)):
            return method(self, *args, **kwargs)

        async def there():
            return method(self, *args, **kwargs)
        return asyncio.run_coroutine_threadsafe(there(), loop_of(self)).result()
    return call


def _is_in(loop):
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


async def opened(host, port, trust=None, proxy=None):
    """Link to a server. trust: None: no TLS; proxy: as Trust has it. Raises OSError."""
    proxy = proxy or (trust and trust.proxy)
    how = {"ssl": _context(trust), "server_hostname": host} if trust else {}
    if proxy:
        job = _dialers.submit(_through, proxy, host, port)
        try:
            link = await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            job.add_done_callback(_dropped)
            raise
        return Link(*await asyncio.open_connection(sock=link, **how))
    return Link(*await asyncio.open_connection(host, port, **how))


def _context(trust):
    context = ssl.create_default_context(cafile=trust.ca or _bundle())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not trust.is_checked:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _bundle():
    """The authorities of certifi, else None: those of the system."""
    try:
        from certifi import where
    except ImportError:
        return None
    return where()


def _through(proxy, host, port):
    """Socket that leads to the host by way of a proxy. Raises OSError, KeyError for an unknown type."""
    import socks
    link = socks.socksocket()
    try:
        link.set_proxy(PROXIES[str(proxy["type"]).upper()], proxy["host"], int(proxy["port"]), True,
                       proxy.get("username"), proxy.get("password"))
        link.settimeout(10)
        link.connect((host, port))
        link.settimeout(None)
        return link
    except socks.ProxyError as error:
        link.close()
        raise OSError("the proxy says: {}".format(error)) from None
    except BaseException:
        link.close()
        raise


def _dropped(job):
    """Nobody waits for this connection any more."""
    if not job.cancelled() and not job.exception():
        job.result().close()


class Link:
    """A connection."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._loop = asyncio.get_running_loop()

    async def read(self):
        """Bytes; b"" at the end of the connection. Raises OSError."""
        return await self._reader.read(_READ_BYTES)

    async def write(self, data):
        """All of it. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self):
        self._writer.close()
        _closing.difference_update([link for link in list(_closing) if link._loop.is_closed()])
        if self not in _closing and not self._loop.is_closed():
            _closing.add(self)
            self._loop.call_later(_GOODBYE_S, self.abort)

    def abort(self):
        """Close at once, unless it is another loop's."""
        if self._loop is asyncio.get_running_loop():
            _closing.discard(self)
            self._writer.transport.abort()
