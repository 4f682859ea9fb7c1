"""Files to and from the cloud: TR50 says where, HTTP(S) carries them; checked by CRC-32, a broken download goes on."""
import asyncio
import os
from binascii import crc32

from . import ground
from .ground import http, tr50

TRIES = 5                      # without a byte of progress
PAUSE_S = 1
SILENCE_S = 10                 # between two pieces
_ARRIVED = (200, 206)          # HTTP
PART = ".part"                 # what a file is called until it is whole


class Files:
    """agent: an Agent; place: (is_secure, host, port) of the file server; trust: a ground.Trust"""

    def __init__(self, agent, place, trust):
        self._agent, self._place, self._trust = agent, place, trust
        self.pause_s = PAUSE_S

    async def upload_all(self, path, name=None, is_global=False):
        """The worst status of a folder's files; of a file its own."""
        try:
            entries = sorted(os.listdir(path))
        except OSError:                  # a file, or nothing
            return await self.upload(path, name, is_global)
        worst = tr50.SUCCESS
        for entry in entries:
            worst = max(worst, await self.upload(path + "/" + entry, entry, is_global))
        return worst

    async def download_to(self, name, dest, is_global=False):
        """dest: a folder, or a path"""
        try:
            os.listdir(dest)
            dest = dest.rstrip("/") + "/" + name.split("/")[-1]
        except OSError:                  # no folder
            pass
        return await self.download(name, dest, is_global)

    async def upload(self, path, name=None, is_global=False):
        """Status. path: of a file. name: in the cloud, None: that of the file."""
        try:
            size, crc = await _summed(path)
        except OSError:
            return tr50.NOT_FOUND
        name = name or path.replace("\\", "/").split("/")[-1]
        status, params = await self._agent.ask(tr50.file_put(self._agent.thing, name, crc, is_global))
        ident = (params or {}).get("fileId")
        if status or not _is_ident(ident):
            return status or tr50.FAILURE
        for _ in range(TRIES):
            try:
                return tr50.SUCCESS if await self._post(ident, path, size) == 200 else tr50.FAILURE
            except (OSError, asyncio.TimeoutError, http.HttpError) as error:
                ground.blame("upload of " + name, error)
                await asyncio.sleep(self.pause_s)
        return tr50.FAILURE

    async def _post(self, ident, path, size):
        """HTTP status."""
        link = await self._opened()
        try:
            await _soon(link.write(self._head("POST", ident, "Content-Length: {}".format(size))))
            with open(path, "rb") as file:
                data = file.read(ground.CHUNK_BYTES)
                while data:
                    await _soon(link.write(data))
                    data = file.read(ground.CHUNK_BYTES)
            answer = http.Answer("POST")
            async for _ in _Pieces(link, answer):
                pass
            return answer.status
        finally:
            link.close()

    async def download(self, name, path, is_global=False):
        """Status: 0, 12 the cloud has none, 8 it did not arrive whole, 19. path: gets all of it or stays as it is."""
        status, params = await self._agent.ask(tr50.file_get(self._agent.thing, name, is_global))
        ident = (params or {}).get("fileId")
        if status or not _is_ident(ident):
            return status or tr50.FAILURE
        crc = params.get("crc32")
        if crc is not None and not tr50.is_number(str(crc)):
            return tr50.FAILURE
        try:
            return await self._fetched(ident, path, crc, params.get("fileSize"))
        except OSError as error:         # of our own disk
            ground.blame("download of " + name, error)
            _removed(path + PART)
            return tr50.IO_ERROR

    async def _fetched(self, ident, path, crc, size):
        part, left, is_again = path + PART, TRIES, False
        _removed(part)                   # of another transfer: whether it is the same file nobody knows
        while left:
            before = _size(part)
            try:
                status = await self._get(ident, part)
            except (_LinkError, asyncio.TimeoutError, http.HttpError) as error:
                ground.blame("download", error)
                status = 0
            if status >= 400:
                _removed(part)
                return tr50.FAILURE
            if status in _ARRIVED and (not isinstance(size, int) or _size(part) >= size):
                if crc is None or (await _summed(part))[1] == int(crc):
                    _renamed(part, path)
                    return tr50.SUCCESS
                _removed(part)
                if is_again:             # once may be the line's fault, twice is not
                    return tr50.IO_ERROR
                is_again = True
                continue
            if _size(part) > before:
                left = TRIES
                continue
            left -= 1
            await asyncio.sleep(self.pause_s)
        _removed(part)
        return tr50.IO_ERROR

    async def _get(self, ident, part):
        """HTTP status; what came is in the file, behind what was there."""
        have = _size(part)
        link = await self._opened()
        try:
            fields = ("Range: bytes={}-".format(have),) if have else ()
            await _soon(link.write(self._head("GET", ident, *fields)))
            answer, file = http.Answer("GET"), None
            try:
                async for piece in _Pieces(link, answer):
                    if answer.status in _ARRIVED:
                        # 200 to a Range begins at the beginning
                        file = file or open(part, "ab" if have and answer.status == 206 else "wb")
                        file.write(piece)
                if answer.status in _ARRIVED and not file and not have:
                    file = open(part, "wb")      # an empty one
            finally:
                if file:
                    file.close()
            return answer.status
        finally:
            link.close()

    async def _opened(self):
        is_secure, host, port = self._place
        try:
            return await asyncio.wait_for(ground.opened(host, port, self._trust if is_secure else None,
                                                        proxy=self._trust.proxy), ground.OPEN_S)
        except OSError as error:
            raise _LinkError("{}: {}".format(host, error))

    def _head(self, method, ident, *fields):
        is_secure, host, port = self._place
        if port != (443 if is_secure else 80):
            host = "{}:{}".format(host, port)
        lines = ["{} /file/{} HTTP/1.1".format(method, ident), "Host: " + host, "Connection: close"]
        return "\r\n".join(lines + list(fields) + ["", ""]).encode()


class _LinkError(OSError):
    """Raised when the connection fails, to tell it from our own disk."""


class _Pieces:
    """The body of an answer, piece by piece. Raises _LinkError, HttpError, TimeoutError."""

    def __init__(self, link, answer):
        self._link, self._answer = link, answer

    def __aiter__(self):
        return self

    async def __anext__(self):
        while not self._answer.done:
            try:
                data = await _soon(self._link.read())
            except OSError as error:
                raise _LinkError(str(error))
            piece = self._answer.feed(data)
            if not data:
                self._answer.end()
            if piece:
                return piece
        raise StopAsyncIteration


async def _soon(work):
    try:
        return await asyncio.wait_for(work, SILENCE_S)
    except asyncio.TimeoutError:
        raise _LinkError("nothing in {} s".format(SILENCE_S))


async def _summed(path):
    """(size, CRC-32) of a file. Raises OSError."""
    size = crc = 0
    with open(path, "rb") as file:
        data = file.read(ground.CHUNK_BYTES)
        while data:
            size, crc = size + len(data), crc32(data, crc)
            if size % (16 * ground.CHUNK_BYTES) == 0:
                await asyncio.sleep(0)
            data = file.read(ground.CHUNK_BYTES)
    return size, crc


def _is_ident(ident):
    """True for what may stand in a path as it is."""
    return isinstance(ident, str) and 0 < len(ident) <= 128 and all(
        sign in "-._" or "0" <= sign <= "9" or "A" <= sign <= "Z" or "a" <= sign <= "z" for sign in ident)


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def _renamed(part, path):
    """Windows does not rename onto what is there. Raises OSError; without the one the other stays."""
    try:
        os.rename(part, path)
    except OSError:
        os.stat(part)
        os.remove(path)
        os.rename(part, path)


def _removed(path):
    try:
        os.remove(path)
    except OSError:
        pass
