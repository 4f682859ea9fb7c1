"""Asks another node: one connection, one command, its answer; in memory only while it is asked."""
import asyncio

from micropython import const

from ConfigHandler import cfgget

_ANSWER_MS = const(5000)         # of silence
_TRIES = const(4)                # while the other node is busy
_PAUSE_MS = const(100)
_MAX_BYTES = const(8192)         # of an answer
PROMPT = " $ "


class LinkError(Exception):
    """Raised when there is no answer; says why."""


class BusyError(LinkError):
    """Raised when the other node has no session left."""


class Link:
    """A session on another node's shell, logged in with our own password if it asks for one."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    async def ask(self, line):
        greeting = await self._until_prompt()
        if greeting.startswith("[password] ") and await self._say(cfgget("appwd")) != "AuthOk":
            raise LinkError("wants another password")
        return await self._say(line)

    async def _say(self, line):
        self._writer.write((line + "\n").encode())
        await self._writer.drain()
        answer = await self._until_prompt()
        return answer.rpartition("\n")[0] if answer.endswith(PROMPT) else answer.rstrip("\n")

    async def _until_prompt(self):
        said = b""
        while not said.endswith(PROMPT.encode()):
            data = await asyncio.wait_for_ms(self._reader.read(512), _ANSWER_MS)
            if not data:
                break
            said += data
            if len(said) > _MAX_BYTES:
                raise LinkError("says more than {} bytes".format(_MAX_BYTES))
        if b"busy" in said and b"Bye!" in said:
            raise BusyError("is busy")
        return str(said, "utf-8")


async def ask(host, line):
    """Answer of another node to one line. host: name or address, `:port` when it is not ours. Raises LinkError."""
    tries = _TRIES
    while True:
        try:
            return await _ask_once(host, line)
        except BusyError:
            tries -= 1
            if not tries:
                raise
            await asyncio.sleep_ms(_PAUSE_MS)
        except asyncio.TimeoutError:
            raise LinkError("does not answer")
        except OSError as error:
            raise LinkError("cannot be reached: {}".format(error))
        except ValueError as error:          # the port is no number, or the answer no UTF-8
            raise LinkError("cannot be understood: {}".format(error or "no text"))


async def _ask_once(host, line):
    address, _, port = host.partition(":")
    opening = asyncio.open_connection(address, int(port or cfgget("socport")))
    reader, writer = await asyncio.wait_for_ms(opening, _ANSWER_MS)
    try:
        return await Link(reader, writer).ask(line)
    finally:
        writer.close()
        await writer.wait_closed()
