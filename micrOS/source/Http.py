"""Asks a web server: one connection, one answer, bounded in time and size; in memory only while it asks.

Of https the line is encrypted, but nobody checks who is at its other end: a board has no list of authorities.
"""
import asyncio
import os
import socket

from micropython import const

from Files import remove
from pure.http import Answer, HttpError, address, request
from pure.lazy import unload
from Udp import connect

unload("Udp")

_OK = const(200)
_SILENCE_MS = const(5000)         # between two pieces
_WHOLE_MS = const(30000)          # of an answer that is kept in memory
_PIECE_BYTES = const(512)
MOST_BYTES = const(8192)          # of a body that is kept in memory


class WebError(OSError):
    """Raised when there is no answer; names the host and says why. Never tells a path: it may be secret."""


async def fetch(url, method="GET", fields=(), body=b"", most=MOST_BYTES):
    """(status, body as bytes) of an answer. Raises WebError. A redirection is a status like any other."""
    kept = []
    asking = stream(url, _bounded(kept.append, most), method, fields, body)
    try:
        return await asyncio.wait_for_ms(asking, _WHOLE_MS), b"".join(kept)
    except asyncio.TimeoutError:
        raise WebError("{}: no end in {} ms".format(host_of(url), _WHOLE_MS))


async def save(url, path, most, fields=()):
    """Status of an answer; after 200 the file holds its body, else it is as it was. Raises WebError, OSError.

    most: bytes that the flash has for it.
    """
    beside = path + ".new"
    try:
        with open(beside, "wb") as file:
            status = await stream(url, _bounded(file.write, most), "GET", fields)
        if status == _OK:
            os.rename(beside, path)
        return status
    finally:
        remove(beside)


async def stream(url, take, method="GET", fields=(), body=b""):
    """Status of an answer whose body goes to take(piece) as it comes. Raises WebError, and what take raises."""
    host = host_of(url)
    link, answer = Link(), Answer(method)
    try:
        question = request(method, url, fields, body)
        await _in_time(host, link.open(*address(url)[:3]))
        await _in_time(host, link.write(question))
        while not answer.done:
            data = await _in_time(host, link.read())
            piece = _understood(host, answer, data)
            if piece:
                take(piece)
        return answer.status
    except HttpError as error:               # of the address
        raise WebError(str(error))
    finally:
        link.close()


def host_of(url):
    """What an error may tell of an address."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0][:64]


def _bounded(take, most):
    """take(piece) until there are more than so many bytes: then WebError."""
    left = most

    def bounded(piece):
        nonlocal left
        left -= len(piece)
        if left < 0:
            raise WebError("the answer has more than {} bytes".format(most))
        take(piece)
    return bounded


async def _in_time(host, work):
    try:
        return await asyncio.wait_for_ms(work, _SILENCE_MS)
    except asyncio.TimeoutError:
        raise WebError("{} does not answer in {} ms".format(host, _SILENCE_MS))
    except OSError as error:
        raise WebError("{} cannot be reached: {}".format(host, error))


def _understood(host, answer, data):
    """Body in what came; b"" was the end of the connection."""
    try:
        piece = answer.feed(data)
        if not data:
            answer.end()
        return piece
    except HttpError as error:
        raise WebError("{}: {}".format(host, error))


class Link:
    """A connection. TLS that fails at its beginning does not close the socket below, so we know that one too."""

    def __init__(self):
        self._raw = self._through = None     # streams: of TCP, and the one to use

    async def open(self, is_secure, host, port):
        link = socket.socket()
        self._raw = self._through = asyncio.StreamReader(link)   # open_connection() leaves it open when cancelled
        connect(link, host, port)
        yield asyncio.core._io_queue.queue_write(link)
        if is_secure:
            self._through = asyncio.StreamReader(secured(self._raw.s, host, do_handshake_on_connect=False))

    async def write(self, data):
        self._through.write(data)
        await self._through.drain()

    async def read(self):
        return await self._through.read(_PIECE_BYTES)

    def close(self):
        for stream in (self._through, self._raw):
            if stream:
                stream.s.close()


def secured(link, host, **how):
    """The socket with TLS around it. how: as SSLContext.wrap_socket"""
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(link, server_hostname=host, **how)
