"""One client of the file service, from its handshake to its last file; in memory only while it is here."""
import asyncio
import sys
from micropython import const

import Time
from ConfigHandler import cfgget
from Debug import console_write, errlog_add, trace
from Incoming import STAGED, RefusedError, inside, put, target_of
from Network import peer_address
from pure.guard import attempt
from pure.lazy import publish, unload
from pure.secret import same
from pure.webrepl import (BINARY, CLOSE, GET, PING, PONG, PUT, REQUEST_BYTES, TEXT, VERSION, FrameError,
                          Frames, accept_key, frame, parse_request, status)

_CHUNK = const(4096)              # of a GET: fewer turns with a client that acknowledges each
_READ_BYTES = const(1024)
_HEADER_BYTES = const(2048)       # of the HTTP request that opens the websocket
_SILENCE_MS = const(30000)        # a client that says nothing for this long is dropped
_TURN_MS = const(1000)            # a second client waits so long for its turn
_POLL_MS = const(5)
_ACTIVATE = const("?activate")
_DONE, _REFUSED = 0, 1


async def serve(server, reader, writer):
    """Serve a client when it is its turn. server: the FileServer. Raises MemoryError."""
    try:
        if await _has_turn(server):
            await _served(server, reader, writer)
        else:
            writer.write(b"HTTP/1.1 503 another client is sending files\r\n\r\n")
    except (EOFError, OSError, asyncio.TimeoutError):
        pass                             # the client left; what it had not finished is gone
    except MemoryError:
        raise
    except Exception as error:           # outer wall: a broken client must not end the service
        trace(error)
        errlog_add("files: {}".format(error))


async def _has_turn(server):
    """True as soon as nobody is served; a client that reconnects may be here before its old session is gone."""
    for _ in range(_TURN_MS // _POLL_MS):
        if not server.is_busy:
            return True
        await asyncio.sleep_ms(_POLL_MS)
    return False


async def _served(server, reader, writer):
    server.is_busy = True
    try:
        await Client(reader, writer, server.modules, server.failures).serve()
    finally:
        server.is_busy = False
        unload("Transfer", "Staging", "Incoming", "Folders", "pure.webrepl", "pure.guard", "pure.secret")


class Client:
    """One websocket client, from its handshake to its last file."""

    def __init__(self, reader, writer, modules, failures):
        self._reader = reader
        self._writer = writer
        self._modules = modules      # told when a load module is replaced; None in update mode
        self._failures = failures    # wrong passwords, of all peers
        self._frames = Frames()
        self._pieces = []            # received (opcode, payload) not yet taken
        self._answers = {PUT: self._put, GET: self._get, VERSION: self._version}

    async def serve(self):
        """Raises EOFError or OSError when the client leaves, FrameError when it speaks something else."""
        await self._handshake()
        if not await self._login():
            return
        while True:
            opcode, piece = await self._piece()
            if opcode == BINARY:
                op, name, size = parse_request(await self._exactly(REQUEST_BYTES, piece))
                await self._answers[op](name, size)
            elif opcode == TEXT:
                await self._send(b"files only here; commands go to the shell\r\n", TEXT)

    async def _handshake(self):
        key, left = None, _HEADER_BYTES
        while True:
            line = await asyncio.wait_for_ms(self._reader.readline(), _SILENCE_MS)
            left -= len(line)
            if not line or left < 0:
                raise FrameError("no websocket request")
            if line == b"\r\n":
                break
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        if not key:
            raise FrameError("no Sec-WebSocket-Key")
        await self._raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept_key(key) + b"\r\n\r\n")

    async def _login(self):
        await self._send(b"Password: ", TEXT)
        said = b""
        while not said.endswith((b"\r", b"\n")):
            said += await self._bytes()
            if len(said) > 80:
                break
        refusal = self._refusal(said.strip(), peer_address(self._writer)[0])
        await self._send(refusal or b"\r\nWebREPL connected\r\n>>> ", TEXT)
        return not refusal

    def _refusal(self, password, peer):
        """None for the right password, else what to say."""
        is_right = same(password, cfgget("appwd").encode())
        is_let_in, wait_s = attempt(self._failures, peer, Time.seconds(), is_right)
        if is_let_in:
            return None
        return "\r\nAccess denied{}\r\n".format(": too many tries, wait {} s".format(wait_s) if wait_s else "").encode()

    async def _put(self, name, size):
        try:
            target = target_of(name)
            await self._send(status(_DONE))
            if target:
                await put(target, size, self._bytes, self._modules)
        except RefusedError as error:
            await self._refuse(name, error)
            return
        if not name.startswith(STAGED[1:]):
            console_write("[files] {} {} bytes".format(target or name, size))
        publish("update", "{} {}".format(target or name, size))
        await self._send(status(_DONE))

    async def _refuse(self, name, error):
        text = "{}: {}".format(name, error)
        errlog_add("[ERR] refused {}".format(text))
        await self._send(text.encode(), TEXT)
        await self._send(status(_REFUSED))

    async def _get(self, name, size):
        try:
            file = await _opened(name)
        except (RefusedError, ValueError, OSError) as error:
            await self._send("{}: {}".format(name, error).encode(), TEXT)
            await self._send(status(_REFUSED))
            return
        await self._send(status(_DONE))
        try:
            await self._give(file)
        finally:
            file.close()
        await self._send(status(_DONE))
        if name == _ACTIVATE:
            from Staging import restart
            await restart()

    async def _give(self, file):
        while True:
            await self._piece()              # the client asks for each chunk with a byte
            data = file.read(_CHUNK)
            while data is None:              # a list in the making: others go first
                await asyncio.sleep_ms(0)
                data = file.read(_CHUNK)
            await self._send(len(data).to_bytes(2, "little") + data)
            if not data:
                break

    async def _version(self, name, size):
        await self._send(bytes(sys.implementation[1][:3]))

    async def _exactly(self, count, piece):
        while len(piece) < count:
            piece += await self._bytes()
        return piece

    async def _bytes(self):
        return (await self._piece())[1]

    async def _piece(self):
        """Next (opcode, payload). Answers pings; raises EOFError when the client closes."""
        while True:
            while not self._pieces:
                data = await asyncio.wait_for_ms(self._reader.read(_READ_BYTES), _SILENCE_MS)
                if not data:
                    raise EOFError
                self._pieces = self._frames.feed(data)
            opcode, payload = self._pieces.pop(0)
            if opcode == CLOSE:
                raise EOFError
            if opcode == PING:
                await self._send(payload, PONG)
            elif opcode != PONG:
                return opcode, payload

    async def _send(self, payload, opcode=BINARY):
        await self._raw(frame(payload, opcode))

    async def _raw(self, data):
        self._writer.write(data)
        await asyncio.wait_for_ms(self._writer.drain(), _SILENCE_MS)


async def _opened(name):
    """What a client reads: a file, or an answer to a `?request`. Raises RefusedError, ValueError, OSError."""
    if name.startswith("?"):
        from Staging import answer
        return await answer(name)
    return open(inside(name), "rb")
