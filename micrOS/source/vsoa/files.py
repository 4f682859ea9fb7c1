"""Files of a board over streams, under the rules of the file service; in memory only while one is on its way.

given: the stream has the file and ends. taken: the client sends as many bytes as it has said; then the stream has one
line, `ok` or why the file is refused, and ends. A file that does not come whole leaves the one before.
"""
import asyncio
import os

from micropython import const

from Folders import is_dir
from Incoming import RefusedError, inside, put, target_of
from pure.lazy import publish, unload

_CHUNK_BYTES = const(1024)
_SILENCE_S = const(30)         # that a client may neither read nor write
_under_way = []                # the one file: more would not fit


def offer(server, whose, path, size, modules):
    """(Stream of this file, its size). size: None to read, else bytes to write. Raises ValueError, OSError.

    whose: address of the client
    """
    try:
        if _under_way:
            raise RefusedError("another file is on its way, try again")
        if size is None:
            size = _size(path)
            return _begun(server, whose, _given(path)), size
        return _begun(server, whose, _taken(path, size, modules)), size
    except RefusedError as error:
        _leave()
        raise ValueError(str(error))
    except OSError:
        _leave()
        raise


def _size(path):
    path = inside(path)
    if is_dir(path):
        raise RefusedError("{} is a folder".format(path))
    return os.stat(path)[6]


def _given(path):
    path = inside(path)

    async def give(stream):
        with open(path, "rb") as file:
            while True:
                data = file.read(_CHUNK_BYTES)
                if not data:
                    return
                stream.send(data)
                await asyncio.wait_for(stream.drained(), _SILENCE_S)

    return give


def _taken(path, size, modules):
    target = target_of(path)
    if not isinstance(size, int) or size < 0 or not target:
        raise RefusedError('a file has a name, and {"size": <bytes>} in its param')

    async def take(stream):
        async def piece():
            data = await asyncio.wait_for(stream.out.link.receive(), _SILENCE_S)
            if not data:
                raise EOFError
            return data

        said = "ok"
        try:
            await put(target, size, piece, modules)
            publish("update", "{} {}".format(target, size))
        except RefusedError as error:
            said = "{}: {}".format(path, error)
        stream.send(said.encode() + b"\n")

    return take


def _begun(server, whose, work):
    """The Stream that does this work when somebody comes, and ends then."""
    async def onlink(stream, is_connected):
        if is_connected:
            try:
                await work(stream)
            except (EOFError, OSError, asyncio.TimeoutError):
                pass                     # the client left; of a file that was not whole nothing stays
            finally:
                stream.close()
            return
        _under_way.clear()
        _leave()

    stream = server.create_stream(onlink, whose=whose)
    _under_way.append(stream)
    return stream


def _leave():
    """Forget what was loaded, unless somebody else uses it."""
    if not _under_way:
        unload("vsoa.files", "Incoming", "Folders")
