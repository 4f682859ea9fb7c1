"""The shell's TCP door: sessions, their framing and their number; what a line means is the Shell's business."""
import asyncio
import time
from micropython import const

from ConfigHandler import cfgget
from Debug import console_write, errlog_add, trace
from Modules import CallError
from Network import peer_address
from pure.lazy import unload
from pure.lines import LineError, Lines

_READ_BYTES = const(64)
_STREAM_BYTES = const(1024)       # streamed lines wait for the answer up to this size
_STALL_MS = const(5000)           # a client that takes nothing for this long is dropped
_CLOSE_MS = const(50)             # lets the last words out before the FIN
_BYE = "Bye!\n"
_TOO_MUCH = "not enough memory for that; system gclean may help, or reboot"


class Session:
    """One client: bytes in, lines to its shell, answer and prompt out in one write."""

    def __init__(self, reader, writer, make_shell):
        address, port = peer_address(writer)
        self.peer = "{}:{}".format(".".join(address.split(".")[-2:]), port)
        self._reader = reader
        self._writer = writer
        self.shell = make_shell(address)     # its `after`: what it wants done when the client is gone
        self._lines = Lines()
        self._out = []               # streamed lines of the running command
        self._is_long = False        # it is awaited
        self._out_bytes = 0
        self._has_left = False
        self.heard = time.ticks_ms()     # when the client last said something
        self._task = asyncio.current_task()

    def end(self):
        """Close from outside: the client reads Bye."""
        self._task.cancel()

    async def serve(self):
        """Prompt, then lines until the client or the shell has enough."""
        shell, reader, lines = self.shell, self._reader, self._lines
        await self.send(shell.prompt)
        while True:
            data = await reader.read(_READ_BYTES)
            if not data:
                self._has_left = True
                return
            commands = lines.feed(data)
            if not lines.framed:
                from Unframed import feed
                commands = await feed(lines, reader, _READ_BYTES)
            self.heard = time.ticks_ms()
            for line in commands:
                text = self._answer(line)
                if not (text is None or isinstance(text, str)):
                    text = await self._awaited(text)
                self._writer.write(self._packed(text))
                if self._writer.out_buf:         # the socket did not take it all
                    await self._drain()
                if shell.after:
                    return

    def _answer(self, line):
        """Text, a coroutine that gives it, or None for no line."""
        if isinstance(line, LineError):
            return str(line)
        try:
            return self.shell.answer(line, self.say)
        except CallError as error:
            return str(error)
        except MemoryError:
            return self.shell.starved(line) or _TOO_MUCH

    async def _awaited(self, answer):
        self._is_long = True             # what it streams shall be seen while it works
        try:
            return await answer
        except CallError as error:
            return str(error)
        finally:
            self._is_long = False

    def _packed(self, text):
        """The streamed lines, the answer and the prompt as bytes, to leave in one write."""
        prompt = "" if self.shell.after else self.shell.prompt
        out, self._out, self._out_bytes = self._out, [], 0
        try:
            if out:
                text = "\n".join(out if text is None else out + [text])
            return (prompt if text is None else text + "\n" + prompt).encode()
        except MemoryError:
            return (_TOO_MUCH + "\n" + prompt).encode()

    def say(self, text):
        """One streamed line of the running command; leaves with the answer, or before when there are many.

        Returns the bytes that wait for the client, so that who has many lines can wait too; None only sends.
        """
        if text is not None:
            text = str(text)
            self._out.append(text)
            self._out_bytes += len(text)
        writer = self._writer
        if writer.out_buf:                       # the socket did not take it all before
            writer.out_buf = writer.out_buf[writer.s.write(writer.out_buf) or 0:]
        if self._out and (self._is_long or self._out_bytes > _STREAM_BYTES) and not writer.out_buf:
            writer.write(("\n".join(self._out) + "\n").encode())
            self._out, self._out_bytes = [], 0
        return len(writer.out_buf) + self._out_bytes

    async def send(self, text):
        """Say something without being asked."""
        self._writer.write(text.encode())
        if self._writer.out_buf:
            await self._drain()

    async def _drain(self):
        await asyncio.wait_for_ms(self._writer.drain(), _STALL_MS)

    async def farewell(self):
        """The last words, and time for them to leave; a shell that ends has said its own."""
        if not self.shell.after:
            await self.send(_BYE + "\n")
        if not self._has_left:
            await asyncio.sleep_ms(_CLOSE_MS)


class Server:
    """Admits clients up to `socmax`; a silent one gives way to a newcomer."""

    def __init__(self, make_shell):
        self._make_shell = make_shell    # function(address of the client)
        self.sessions = []

    async def run(self, host="0.0.0.0"):
        """Listen until cancelled. Raises OSError when the port is taken."""
        port = cfgget("socport")
        server = await asyncio.start_server(self._client, host, port, 5)
        console_write("[shell] listens on port {}".format(port))
        try:
            await server.wait_closed()
        finally:
            server.close()

    def peers(self):
        """Clients as `task show server` names them."""
        return ",".join([session.peer for session in self.sessions])

    async def _client(self, reader, writer):
        session = Session(reader, writer, self._make_shell)
        after = None
        try:
            if len(self.sessions) >= cfgget("socmax") and not await self._made_room(session):
                return
            self.sessions.append(session)
            after = await self._served(session)
        except Exception as error:       # outer wall: one client must not end the others
            trace(error)
            errlog_add("[ERR] shell {}: {}".format(session.peer, error))
        finally:
            self._leave(session)
            writer.close()
            await writer.wait_closed()
        if callable(after):
            after()

    async def _served(self, session):
        """Serve to the end; gives what the shell wants done after it."""
        try:
            await session.serve()
        except asyncio.CancelledError:       # 1: closed by the server for a newcomer
            pass
        except (OSError, asyncio.TimeoutError):      # 2: the client vanished, or took nothing for _STALL_MS
            return None
        self._leave(session)                 # its place is free at once, before the last words
        try:
            await session.farewell()         # 3: 1, the client has closed its side, or the shell ends it
        except (OSError, asyncio.TimeoutError):
            pass                             # the last words found nobody
        return session.shell.after

    def _leave(self, session):
        if session in self.sessions:
            self.sessions.remove(session)

    async def _made_room(self, newcomer):
        import Crowd
        unload("Crowd")
        return await Crowd.free(self.sessions, newcomer)
