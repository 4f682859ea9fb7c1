"""One client of the file service, from its handshake to its last file; in memory only while it is here.

A file is received beside its place and renamed when whole. A load module is checked before it
replaces the one in use, and is live at the next call.
"""
import asyncio
import io
import os
import sys
from micropython import const

import Time
from ConfigHandler import cfgget
from Debug import console_write, errlog_add, trace
from Files import remove
from Folders import is_dir, make_folders
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
MODULES = "/modules/"
_TURN_MS = const(1000)            # a second client waits so long for its turn
_POLL_MS = const(5)
_STAGED = const("/.staged/")      # a set on its way: Staging.py
_ACTIVATE = const("?activate")
_COMPILE_BYTES = const(32768)     # a source file is held whole while it is checked
_DONE, _REFUSED = 0, 1


class RefusedError(Exception):
    """Raised when a file is not accepted; says why."""


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
        unload("Transfer", "Staging", "Folders", "pure.webrepl", "pure.guard", "pure.secret")


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
            said += (await self._piece())[1]
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
            target = _target(name)
            await self._send(status(_DONE))
            if target:
                await self._receive(target + ".new", size)
                self._activate(target)
        except RefusedError as error:
            await self._refuse(name, error)
            return
        if not name.startswith(_STAGED[1:]):
            console_write("[files] {} {} bytes".format(target or name, size))
        publish("update", "{} {}".format(target or name, size))
        await self._send(status(_DONE))

    async def _receive(self, path, size):
        """File of size bytes from the client. Raises RefusedError (full flash), EOFError (cut off); nothing stays."""
        left, failure = size, None
        try:
            with _Kept(path) as file:
                while left:
                    piece = (await self._piece())[1][:left]
                    left -= len(piece)
                    failure = failure or file.write(piece)      # after a failure the rest is read and dropped
            failure = failure or file.failure
            if failure:
                raise RefusedError("the flash says {}".format(failure))
        except BaseException:            # also a cancelled task: never leave half a file
            remove(path)
            raise

    def _activate(self, target):
        """Put a received file in its place. Raises RefusedError; then the file before stands."""
        beside = target + ".new"
        module = None if target.startswith(_STAGED) else _module_name(target)
        try:
            if module:
                _check(beside, target)
            os.rename(beside, target)
        except RefusedError:
            remove(beside)
            raise
        except OSError as error:
            remove(beside)
            raise RefusedError("the flash says {}".format(error))
        if module:
            remove(_twin(target))
            if self._modules:
                self._modules.forget(module)

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
            piece += (await self._piece())[1]
        return piece

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


class _Kept:
    """A file whose failure is a value: the protocol must go on with the client's bytes when the flash is full."""

    def __init__(self, path):
        self.failure = None
        self._path = path
        self._file = None

    def __enter__(self):
        self._file = self._try(open, self._path, "wb")
        return self

    def write(self, piece):
        self._try(self._file.write, piece) if self._file else None
        return self.failure

    def __exit__(self, *_):
        if self._file:
            self._try(self._file.close)

    def _try(self, action, *args):
        try:
            return action(*args)
        except OSError as error:
            self.failure = error
            return None


def _inside(name):
    """Absolute path of a name that the client gave. Raises RefusedError when it leads out of the root."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise RefusedError("a path inside / is needed")
    return "/" + "/".join(parts)


def _target(name):
    """Where a sent file goes: a load module without a folder goes to /modules. Raises RefusedError.

    None: the name ends with `/`, it is a folder, and there it is.
    """
    path = _inside(name)
    if path.count("/") == 1 and _module_name(path):
        path = MODULES + path[1:]
    if name.endswith("/"):
        return _make_folders(path + "/")
    if path.startswith(_STAGED):
        _make_folders(path)
    folder = path.rpartition("/")[0]
    if folder and not is_dir(folder):
        raise RefusedError("there is no folder {}".format(folder))
    if is_dir(path):
        raise RefusedError("there is a folder of this name")
    return path


def _make_folders(path):
    try:
        make_folders(path)
    except OSError as error:
        raise RefusedError("the flash says {}".format(error))


async def _opened(name):
    """What a client reads: a file, or an answer to a `?request`. Raises RefusedError, ValueError, OSError."""
    if name.startswith("?"):
        from Staging import answer
        return await answer(name)
    return open(_inside(name), "rb")


def _module_name(path):
    """`x` of `.../LM_x.py`, None for any other file."""
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    return stem[3:] if stem.startswith("LM_") and ending in ("py", "mpy") else None


def _twin(path):
    return path[:-3] + ".mpy" if path.endswith(".py") else path[:-4] + ".py"


def _check(path, target):
    """Raises RefusedError when the firmware could not load this file as the module of that name."""
    if target.endswith(".mpy"):
        return _check_bytecode(path)
    if os.stat(path)[6] > _COMPILE_BYTES:
        return None
    try:
        with open(path) as file:
            compile(file.read(), target, "exec")
    except (SyntaxError, UnicodeError) as error:
        raise RefusedError("does not compile, {}{}".format(_line_of(error), error))
    except MemoryError:
        raise RefusedError("too large to compile here; send it as .mpy")


def _line_of(error):
    """`line 3: ` of a syntax error, which only the last row of its traceback tells."""
    trace = io.StringIO()
    sys.print_exception(error, trace)
    _, found, rest = trace.getvalue().rpartition(", line ")
    return "line {}: ".format(rest.split("\n")[0].split(",")[0]) if found else ""


def _check_bytecode(path):
    """Header of a .mpy: "M" | version | flags with sub-version (MicroPython docs, "MicroPython .mpy files")."""
    with open(path, "rb") as file:
        head = file.read(4)
    mpy = sys.implementation._mpy
    if len(head) < 4 or head[:1] != b"M":
        raise RefusedError("is no .mpy file")
    if head[1] != mpy & 0xFF or head[2] & 3 > mpy >> 8 & 3:
        raise RefusedError("is .mpy version {}.{}, this firmware loads {}.{}; compile it with another mpy-cross"
                           .format(head[1], head[2] & 3, mpy & 0xFF, mpy >> 8 & 3))
