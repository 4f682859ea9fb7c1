"""The file service's door: the WebREPL file protocol on port 8266, beside the shell."""
import asyncio
import gc
from micropython import const

from Debug import errlog_add, trace
from pure.lazy import unload

_PORT = const(8266)
_TURN_MS = const(1000)    # a second client waits so long for its turn
_POLL_MS = const(5)


class FileServer:
    """Serves one client at a time."""

    def __init__(self, modules=None, failures=None):
        self._modules = modules
        self._failures = [] if failures is None else failures      # wrong passwords, those of the shell too
        self._busy = False

    async def run(self, host="0.0.0.0"):
        """Listen until cancelled. A taken port is an alarm, not the end of the node."""
        try:
            server = await asyncio.start_server(self._client, host, _PORT, 1)
        except OSError as error:
            errlog_add("[ERR] file service on port {}: {}".format(_PORT, error))
            return
        try:
            await server.wait_closed()
        finally:
            server.close()

    async def _has_turn(self):
        """True as soon as nobody is served; a client that reconnects may be here before its old session is gone."""
        for _ in range(_TURN_MS // _POLL_MS):
            if not self._busy:
                return True
            await asyncio.sleep_ms(_POLL_MS)
        return False

    async def _serve(self, reader, writer):
        self._busy = True
        try:
            gc.collect()                 # a client needs 12 KB, most of it in one go
            from Transfer import Client
            await Client(reader, writer, self._modules, self._failures).serve()
        finally:
            self._busy = False
            unload("Transfer", "pure.webrepl", "pure.guard", "pure.secret")
            gc.collect()

    async def _client(self, reader, writer):
        try:
            if await self._has_turn():
                await self._serve(reader, writer)
            else:
                writer.write(b"HTTP/1.1 503 another client is sending files\r\n\r\n")
        except (EOFError, OSError, asyncio.TimeoutError):
            pass                         # the client left; what it had not finished is gone
        except MemoryError as error:
            writer.write(b"HTTP/1.1 503 not enough memory for files; restart with webrepl --update\r\n\r\n")
            errlog_add("[ERR] files: {}".format(error))
        except Exception as error:       # outer wall: a broken client must not end the service
            trace(error)
            errlog_add("files: {}".format(error))
        finally:
            writer.close()
            await writer.wait_closed()
