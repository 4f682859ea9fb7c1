"""Asks a web server: one connection, one answer, bounded in time and size; in memory only while it asks."""
import asyncio

from micropython import const

from pure.http import Answer, HttpError, address, request

_SILENCE_MS = const(5000)         # between two pieces
_PIECE_BYTES = const(512)
MOST_BYTES = const(8192)          # of a body that is kept in memory


class WebError(Exception):
    """Raised when there is no answer; names the host and says why."""


async def fetch(url, method="GET", fields=(), body=b"", most=MOST_BYTES):
    """(status, body as bytes) of an answer. Raises WebError."""
    kept = []

    def keep(piece):
        kept.append(piece)
        if sum([len(each) for each in kept]) > most:
            raise HttpError("more than {} bytes".format(most))

    return await stream(url, keep, method, fields, body), b"".join(kept)


async def stream(url, take, method="GET", fields=(), body=b""):
    """Status of an answer whose body goes to take(piece) as it comes. Raises WebError, and what take raises."""
    try:
        is_secure, host, port, path = address(url)
        return await _ask(is_secure, host, port, request(method, host, path, fields, body), Answer(method), take)
    except asyncio.TimeoutError:
        raise WebError("{} does not answer in {} ms".format(host, _SILENCE_MS))
    except OSError as error:
        raise WebError("{} cannot be reached: {}".format(host, error))
    except HttpError as error:
        raise WebError("{}: {}".format(url.partition("?")[0], error))


async def _ask(is_secure, host, port, question, answer, take):
    opening = asyncio.open_connection(host, port, *((True, host) if is_secure else ()))
    reader, writer = await asyncio.wait_for_ms(opening, _SILENCE_MS)
    try:
        writer.write(question)
        await asyncio.wait_for_ms(writer.drain(), _SILENCE_MS)
        while not answer.done:
            data = await asyncio.wait_for_ms(reader.read(_PIECE_BYTES), _SILENCE_MS)
            piece = answer.feed(data)
            if piece:
                take(piece)
            if not data:
                answer.end()
        return answer.status
    finally:
        writer.close()
        await writer.wait_closed()
